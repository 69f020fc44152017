"""The program on the student's host."""

"""What runs on the student's host itself: the oracle's own servers, and what runs the program among them.

It is sent there as text, and imports nothing but the standard library of the host's Python.
"""

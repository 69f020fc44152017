"""Submission servers (RFC 6409) that the student's program meets."""

"""The world around the student's host: DNS, other people's mail servers, and SMTP clients that probe.

``service`` answers requests over a pair of streams. Everything runs in one process and one event loop.
"""

"""The program on the student's host: pid 1 there, on every engine. ``main`` is where it begins.

It answers the operations of ``grader.model.protocol.host``; ``operations`` has one function for each. Everything else
on that host is the student's, who may be root there.

The host has none of the grader's packages and a Python of its own, so these files stand in a folder by themselves: they
import each other relatively, and nothing else but Python's standard library. It starts with every host, so what costs
milliseconds to import (``typing``, ``pathlib``, ``shutil``) is imported where it is needed or not at all, and the
files that only labs with programs need are read when such a lab asks.
"""

SHARED_ACCOUNTS = "SMTPLAB_SHARED_ACCOUNTS"
"""The variable by which an engine says that its hosts' accounts are the same users to the kernel, which would count
their processes together (RLIMIT_NPROC, getrlimit(2))."""

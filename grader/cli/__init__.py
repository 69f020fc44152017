"""The command line: parse, call, exit code."""

from grader.cli.app import main

__all__ = ["main"]

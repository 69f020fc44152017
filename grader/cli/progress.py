"""What is waited for, on standard error: one line that goes away on a terminal, a line a step in a log."""

from __future__ import annotations

import shutil
import sys

from grader.outputs.text import one_line


class Steps:
    """A ``Progress`` on a terminal: each step replaces the one before. Silent elsewhere."""

    def __init__(self) -> None:
        self._shown = False
        self.live = sys.stderr.isatty()

    def __call__(self, step: str) -> None:
        """Show a step."""
        if self.live:
            columns = shutil.get_terminal_size().columns
            print(f"\r\x1b[K{one_line(step)[: columns - 2]}…", end="", file=sys.stderr, flush=True)
            self._shown = True

    def clear(self) -> None:
        """Take the line away, so that the report begins on a clean one."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._shown = False


def say_step(step: str) -> None:
    """A ``Progress`` that keeps every step: for work that takes long, such as building the image."""
    print(one_line(step), file=sys.stderr, flush=True)

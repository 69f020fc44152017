"""What is waited for, on standard error: one line that goes away on a terminal, now and then a line in a log."""

from __future__ import annotations

import shutil
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from grader.display.text import printed_line

if TYPE_CHECKING:
    from grader.engines.base import Engine

BETWEEN_LINES = 5.0
"""Seconds between two lines in a log."""


class Steps:
    """A ``Progress`` on a terminal, where each step replaces the one before; elsewhere silent, ``live`` being false."""

    def __init__(self) -> None:
        self._shown = False
        self.live = sys.stderr.isatty()

    def __call__(self, step: str) -> None:
        """Show a step."""
        if self.live:
            columns = shutil.get_terminal_size().columns
            print(f"\r\x1b[K{printed_line(step)[: columns - 2]}…", end="", file=sys.stderr, flush=True)
            self._shown = True

    def clear(self) -> None:
        """Take the line away, so that the report begins on a clean one."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._shown = False


class StepLog:
    """A ``Progress`` for work of minutes: on a terminal as ``Steps``, in a log a line every few seconds."""

    def __init__(self) -> None:
        self._steps = Steps()
        self._last = -BETWEEN_LINES

    def __call__(self, step: str) -> None:
        """Show a step, or pass over it when one was shown just now."""
        if self._steps.live:
            self._steps(step)
        elif time.monotonic() - self._last >= BETWEEN_LINES:
            # No work of minutes is given up because the log that it is told to has no room.
            with suppress(OSError):
                print(printed_line(step), file=sys.stderr, flush=True)
            self._last = time.monotonic()

    def clear(self) -> None:
        """See ``Steps.clear``."""
        self._steps.clear()


def build_image(engine: Engine) -> str:
    """The engine's image, built while progress is shown unless it is there; its digest."""
    log = StepLog()
    try:
        return engine.image(log)
    finally:
        log.clear()

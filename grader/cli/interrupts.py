"""Ctrl-C, SIGTERM and a closed terminal: each leads through every clean-up, once."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from grader import interruption

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn the first of the signals into ``KeyboardInterrupt``; a second one, during clean-up, is only answered.

    The third is obeyed: whoever sends it knows that something may be left, which ``smtplab doctor --clean`` removes.
    """
    count = 0

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal count
        count += 1
        if count == 2:
            print(
                "still taking everything down; once more leaves it to 'smtplab doctor --clean'",
                file=sys.stderr,
            )
        else:
            interruption.interrupt()

    interruption.begin()
    kinds = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
    # nohup and background jobs of a shell ignore some of them, and rely on it.
    before = {kind: signal.getsignal(kind) for kind in kinds if signal.getsignal(kind) != signal.SIG_IGN}
    for kind in before:
        signal.signal(kind, handle)
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)

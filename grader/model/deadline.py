"""One monotonic time limit, handed down to everything that waits."""

from __future__ import annotations

import time


class Deadline:
    """A moment in the future. ``Deadline(5)`` ends in five seconds."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self._end - time.monotonic())

    @property
    def over(self) -> bool:
        """Whether the moment has come."""
        return self.left == 0.0

    def within(self, seconds: float) -> Deadline:
        """A deadline ``seconds`` from now, but never after this one."""
        return Deadline(min(seconds, self.left))


class Effort:
    """A limit on what this process computes, in seconds of processor time: on a busy machine it ends no earlier.

    ``at_most`` seconds of the clock are its end all the same, for what waits and does not compute.
    """

    def __init__(self, seconds: float, *, at_most: float) -> None:
        self._end = time.process_time() + seconds
        self._latest = Deadline(at_most)

    @property
    def over(self) -> bool:
        """Whether all of it is spent."""
        return time.process_time() >= self._end or self._latest.over

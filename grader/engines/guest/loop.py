"""Waiting: everything that may say something is looked at, whatever is waited for."""

from __future__ import annotations

import os
import select
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

MOST_ENDS = 1000
"""Of processes, at one look: those that come and go without end cannot keep the agent from its requests."""


class Loop:
    """Descriptors and who reads them, and who is told of which child's end."""

    def __init__(self) -> None:
        self._readers: dict[int, Callable[[int], None]] = {}
        self._poll = select.poll()
        self.ends: dict[int, Callable[[int], None]] = {}
        """By process id: called once with the exit code."""
        self.traced: Callable[[int, int], bool] | None = None
        """Is told of every change of a child first; whether it took care of it."""

    def watch(self, fd: int, reader: Callable[[int], None]) -> None:
        """Call ``reader`` whenever the descriptor has something to read."""
        os.set_blocking(fd, False)
        self._readers[fd] = reader
        self._poll.register(fd, select.POLLIN)

    def unwatch(self, fd: int) -> None:
        """Close a descriptor that was watched."""
        del self._readers[fd]
        self._poll.unregister(fd)
        os.close(fd)

    def turn(self, seconds: float | None) -> None:
        """Wait for something to happen, at most so long, and take note of it."""
        for fd, _ in self._poll.poll(None if seconds is None else max(0, seconds * 1000)):
            if reader := self._readers.get(fd):
                reader(fd)
        self._reap()

    def until(self, done: Callable[[], bool], seconds: float, naps: float = 1.0) -> bool:
        """Wait until ``done``; whether it came true in time. ``naps`` bounds the time between two looks."""
        end = time.monotonic() + seconds
        while not done():
            left = end - time.monotonic()
            if left <= 0:
                return False
            self.turn(min(left, naps))
        return True

    def _reap(self) -> None:
        for _ in range(MOST_ENDS):
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if self.traced and self.traced(pid, status):
                continue
            if ended := self.ends.pop(pid, None):
                ended(os.waitstatus_to_exitcode(status))

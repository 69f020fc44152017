"""Waiting: everything that may say something is looked at, whatever is waited for."""

from __future__ import annotations

import os
import select
import time

from .signals import SIGCHLD, set_wakeup_fd, signal

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
        self._rests: dict[int, float] = {}
        self._resting: dict[int, float] = {}
        """Descriptors that are not looked at before a monotonic time."""
        self._children_changed = True
        self.ends: dict[int, Callable[[int], None]] = {}
        """By process id: called once with the exit code."""
        self.traced: Callable[[int, int], bool] | None = None
        """Is told of every change of a child first; whether it took care of it."""

    def watch(self, fd: int, reader: Callable[[int], None], rest: float = 0.0) -> None:
        """Call ``reader`` whenever the descriptor has something to read; for ``rest`` seconds after that, not again.

        To be woken costs more than to read: what comes in between can be read at once.
        """
        os.set_blocking(fd, False)
        self._readers[fd] = reader
        self._rests[fd] = rest
        self._resting.pop(fd, None)
        self._poll.register(fd, select.POLLIN)

    def unwatch(self, fd: int) -> None:
        """Close a descriptor that was watched."""
        del self._readers[fd]
        self._rests.pop(fd, None)
        if self._resting.pop(fd, None) is None:
            self._poll.unregister(fd)
        os.close(fd)

    def watch_children(self) -> None:
        """Be woken by changes of children. To be called once, before there are any."""
        wake, waker = os.pipe()
        os.set_blocking(waker, False)
        set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal(SIGCHLD, lambda *_: None)
        self.watch(wake, self._be_woken)

    def _be_woken(self, fd: int) -> None:
        os.read(fd, 4096)
        self._children_changed = True

    def turn(self, seconds: float | None) -> bool:
        """Wait for something to happen, at most so long, and take note of it; whether anything did."""
        if self._resting:
            now = time.monotonic()
            self._rouse(now)
            if self._resting:
                due = max(0.0, min(self._resting.values()) - now)
                seconds = due if seconds is None else min(seconds, due)
        ready = self._poll.poll(None if seconds is None else max(0, seconds * 1000))
        for fd, _ in ready:
            if reader := self._readers.get(fd):
                reader(fd)
                if rest := self._rests.get(fd):
                    self._poll.unregister(fd)
                    self._resting[fd] = time.monotonic() + rest
        # Hundreds of lines are logged for each child that ends: not each of them is a reason to ask the kernel.
        if self._children_changed:
            self._reap()
        return bool(ready)

    def _rouse(self, now: float) -> None:
        for fd in [fd for fd, due in self._resting.items() if due <= now]:
            del self._resting[fd]
            self._poll.register(fd, select.POLLIN)

    def rouse(self) -> None:
        """Look at every descriptor at the next turn, and not only once it has rested."""
        self._rouse(float("inf"))

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
                pid = 0
            if pid == 0:
                self._children_changed = False
                return
            if self.traced and self.traced(pid, status):
                continue
            if ended := self.ends.pop(pid, None):
                ended(os.waitstatus_to_exitcode(status))

"""The student's host during a run: what it is asked, and whether it still answers."""

from __future__ import annotations

from collections.abc import Callable

from grader.engines.base import Channel, HostChannel, HostFailed
from grader.model.protocol.host import ReadLog


class StudentHost:
    """A host that may die, fall silent or refuse at any time: that is evidence, and the run goes on without it.

    ``lost`` is the sentence about a host that answers no more, else empty; ``ended`` tells that it is gone; ``notes``
    say what went wrong. ``log`` is what was last read of the servers' log.
    """

    def __init__(self, channel: Channel) -> None:
        self.channel = HostChannel(channel)
        self.lost = ""
        self.ended = False
        self.notes: list[str] = []
        self.log: list[str] = []

    def attempt(self, work: Callable[[], object]) -> None:
        """Do what needs the host, unless it is lost. ``work`` may raise ``HostFailed``, which is noted."""
        if self.lost:
            return
        try:
            work()
        except HostFailed as failed:
            if failed.lost:
                self.lost, self.ended = str(failed), failed.ended
                self.notes.append(f"The run on the server's host ended early: {failed}.")
            else:
                self.notes.append(f"The server's host failed: {failed}.")

    def read_log(self) -> list[str]:
        """The lines of the servers' log so far. Raises ``HostFailed``."""
        self.log = self.channel.call(ReadLog(), timeout=5)
        return self.log

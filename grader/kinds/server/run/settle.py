"""Waiting until mail has come to rest."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from grader.engines.base import Channel, HostChannel
from grader.model.attempt import Attempt
from grader.model.deadline import Deadline
from grader.model.protocol.host import CountQueue, FindMail
from grader.model.protocol.world import ListArrivals

POLL_SECONDS = 0.005
SLOWEST_POLL_SECONDS = 0.1
STUCK_SECONDS = 1.0
"""How long the queue may stand still before the log is asked whether anybody is there to move it."""
DRAIN_SECONDS = 10.0
"""How long the queue may stand still before nobody waits for it any longer."""
MOST_DRAIN_SECONDS = 45.0
"""How long it may take to empty: a server may make pauses of seconds between deliveries to the same place
(``default_destination_rate_delay`` in postconf(5))."""
LATE_SECONDS = 2.0


class Settling:
    """Polls the host's queue and the mailboxes until nothing moves any more."""

    def __init__(
        self, host: HostChannel, world: Channel, deadline: Deadline, stuck: Callable[[], bool] = lambda: False
    ) -> None:
        self._host = host
        self._world = world
        self._deadline = deadline
        self._stuck = stuck

    def wait(self, awaited: list[Attempt]) -> None:
        """Wait until the queue holds nothing in motion, then for messages that ought to have arrived by then.

        Mail moves from queue to queue while it is counted, and a bounce is born before its cause is gone: the queue
        is at rest when it was so twice in a row. Mail handed to a command may arrive a little later than that.
        """
        if self._drained() and awaited:
            self._poll(lambda: self._all_arrived(awaited), self._deadline.within(LATE_SECONDS), in_a_row=1)

    def _drained(self) -> bool:
        """Whether the queue came to rest. Nobody waits for one of which nothing leaves."""
        most = self._deadline.within(MOST_DRAIN_SECONDS)
        if self._poll(partial(self._at_rest, []), most.within(STUCK_SECONDS), in_a_row=2):
            return True
        if self._stuck():
            return False
        while True:
            counts: list[int] = []
            if self._poll(partial(self._at_rest, counts), most.within(DRAIN_SECONDS), in_a_row=2):
                return True
            if most.over or counts[-1] >= counts[0]:
                return False

    def look_for(self, missing: Callable[[], bool]) -> None:
        """Give what was taken and is not found a moment to turn up: a filter may be slow, and a bounce come late."""
        self._poll(
            lambda: not missing() or self._host.call(CountQueue(), timeout=5).deferred > 0,
            self._deadline.within(LATE_SECONDS),
            in_a_row=1,
        )

    def _poll(self, done: Callable[[], bool], deadline: Deadline, *, in_a_row: int) -> bool:
        pause, seen = POLL_SECONDS, 0
        while True:
            seen = seen + 1 if done() else 0
            if seen == in_a_row:
                return True
            if deadline.over:
                return False
            time.sleep(min(pause, deadline.left))
            pause = min(pause * 1.5, SLOWEST_POLL_SECONDS)

    def _at_rest(self, counts: list[int]) -> bool:
        """Whether nothing is in motion; how much is joins ``counts``."""
        counts.append(self._host.call(CountQueue(), timeout=5).in_motion)
        return not counts[-1]

    def _all_arrived(self, awaited: list[Attempt]) -> bool:
        missing = {a.token for a in awaited} - set(self._world.call(ListArrivals(), timeout=5))
        if not missing:
            return True
        if self._host.call(CountQueue(), timeout=5).deferred:
            return True
        found = self._host.call(FindMail(sorted(missing), whole=False), timeout=5)
        return missing <= {token for message in found for token in message.tokens}

"""Where the server listens: the ports that the lab names, and whatever else the host tells of."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable

from grader.engines.base import Channel, HostChannel
from grader.kinds.server.facts import ServerPlan, Socket
from grader.kinds.server.run.others import attempts_at_others, left_out, sockets
from grader.model.attempt import Attempt
from grader.model.deadline import Deadline
from grader.model.protocol.host import IsAlive, ReadSockets
from grader.model.protocol.world import AwaitPorts

LISTEN_SECONDS = 8.0
OPEN_SECONDS = 1.0
"""How long the master may take from its first port to its last; the log may be where nobody reads it."""
POLL_SECONDS = 0.01

STARTED = re.compile(r"postfix/master\[\d+\]: daemon started")


class Ports:
    """What is known of a host's ports. ``read_log`` gives its log. What asks the host raises ``HostFailed``."""

    def __init__(
        self,
        plan: ServerPlan,
        host: HostChannel,
        world: Channel,
        deadline: Deadline,
        read_log: Callable[[], list[str]],
    ) -> None:
        self.listening: list[int] = []
        self.sockets: list[Socket] = []
        self.untried: list[int] = []
        self._plan = plan
        self._host = host
        self._world = world
        self._deadline = deadline
        self._read_log = read_log

    def wait(self) -> None:
        """Poll until the first port listens, or can be known never to, or the time is over."""
        deadline = self._deadline.within(LISTEN_SECONDS)
        while not self._listens(0.25) and not deadline.over:
            if self._started() or not self._host.call(IsAlive(), timeout=5).master:
                # The master opens every port before it says that it has started.
                self._listens(0)
                return

    def further(self, planned: list[Attempt], unspoken: Iterable[int] = ()) -> list[Attempt]:
        """What is to be tried on ports of the host on which nothing of what is planned so far is tried.

        ``unspoken`` are ports on which it was tried in vain.
        """
        if not self._plan.elsewhere:
            return []
        if not self.sockets:
            self._await_start()
        self._ask()
        return attempts_at_others(self._plan.elsewhere, self._spoken_to, planned, unspoken)

    def look_again(self, tried: list[Attempt]) -> None:
        """Ask once more: a port that was opened since, or was one too many, was not tried."""
        if self._plan.elsewhere:
            self._ask()
            self.untried = left_out(self._spoken_to, (attempt.port for attempt in tried))

    @property
    def inner(self) -> list[int]:
        """Ports at which a program listens that none but Postfix's own can speak with."""
        return sorted({socket.port for socket in self.sockets}.intersection(self._plan.inner_ports))

    @property
    def _spoken_to(self) -> list[Socket]:
        return [socket for socket in self.sockets if socket.port not in self._plan.inner_ports]

    def _ask(self) -> None:
        now = sockets(self._host.call(ReadSockets(), timeout=5))
        self.sockets = sorted({*self.sockets, *now}, key=lambda s: (s.port, s.address))

    def _await_start(self) -> None:
        deadline = self._deadline.within(OPEN_SECONDS)
        while self.listening and not self._started() and not deadline.over:
            time.sleep(POLL_SECONDS)

    def _started(self) -> bool:
        return any(STARTED.search(line) for line in self._read_log())

    def _listens(self, seconds: float) -> bool:
        ports = sorted({attempt.port for attempt in self._plan.attempts})
        server = self._plan.attempts[0].server if self._plan.attempts else ""
        wanted = AwaitPorts(server, ports, seconds, wait_for=ports[:1])
        self.listening = self._world.call(wanted, timeout=seconds + 5)
        return set(ports[:1]) <= set(self.listening)

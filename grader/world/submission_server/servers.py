"""Submission servers (RFC 6409): the one that a client is looking for, and those that it must be wary of."""

from __future__ import annotations

import asyncio
import ssl

from msgspec.structs import replace

from grader.model.errors import EngineError
from grader.model.plan import WorldSpec
from grader.model.protocol.world import Submitted
from grader.model.submission_server import SubmissionServerSpec
from grader.model.traffic import Arrival
from grader.world.peers import Peers, TooManyConnections
from grader.world.submission_server.session import SubmissionSession
from grader.world.tls import load_pair
from grader.world.transcript import Clock, Room

CONNECTIONS_A_SERVER = 20
"""Open at once."""
SESSIONS_A_SERVER = 100
"""Beyond them a server turns clients away, and keeps no record."""
MOST_OCTETS = 24 * 1024 * 1024
"""Of all messages that the servers take, together."""
MESSAGES_A_SERVER = 20
"""Taken at most. A run that sends its one message to each recipient by itself, twice, needs fewer; each is judged."""


class SubmissionServers:
    """All submission servers of a world, and what was said to each."""

    def __init__(self, spec: WorldSpec, peers: Peers, clock: Clock) -> None:
        self.peers = peers
        self.clock = clock
        self.mail: list[Arrival] = []
        self.notes: list[str] = []
        self.room = Room()
        """What the records of all sessions may still hold of what clients say, beyond the beginning of each line."""
        self._octets = 0
        self._office = [SubmissionServer(server, self) for server in spec.submission]
        self._listening: list[asyncio.Server] = []

    @property
    def ports(self) -> list[int]:
        """The ports listened on, server by server."""
        return [server.sockets[0].getsockname()[1] for server in self._listening]

    async def start(self) -> None:
        """Listen. Raises ``EngineError`` where an address is not the world's."""
        for office in self._office:
            plan = office.plan
            try:
                server = await asyncio.get_running_loop().create_server(
                    office.answer, plan.address, plan.behaviour.port
                )
            except OSError as error:
                raise EngineError(
                    f"the world cannot serve {plan.address} port {plan.behaviour.port}: {error.strerror}"
                ) from error
            self._listening.append(server)

    def stop(self) -> None:
        """Stop listening."""
        for server in self._listening:
            server.close()

    def keep(self, arrival: Arrival, server: SubmissionServer) -> int | None:
        """Keep a message, all of it, since each is judged; its number, ``None`` where there is no room left."""
        server.taken += 1
        if self._octets + len(arrival.raw) > MOST_OCTETS or server.taken > MESSAGES_A_SERVER:
            if not self.notes:
                self.notes.append(
                    f"The submission servers took {len(self.mail)} messages of {self._octets} octets in all and "
                    "turned further ones away."
                )
            return None
        self._octets += len(arrival.raw)
        self.mail.append(replace(arrival, id=len(self.mail)))
        return len(self.mail) - 1

    def sessions(self) -> dict[str, list[Submitted]]:
        """For each run its sessions in their order, and what was done in each."""
        return {
            office.plan.run: [
                Submitted(dialogue.on_record(), dialogue.conversation()) for dialogue in office.dialogues
            ]
            for office in self._office
        }


class SubmissionServer:
    """One submission server: what all its connections share."""

    def __init__(self, plan: SubmissionServerSpec, servers: SubmissionServers) -> None:
        self.plan = plan
        self.servers = servers
        self.dialogues: list[SubmissionSession] = []
        self.open = 0
        self.taken = 0
        self.context: ssl.SSLContext | None = None
        if plan.behaviour.tls != "stripped":
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            load_pair(self.context, plan.certificate, plan.key)

    def answer(self) -> asyncio.Protocol:
        """What a new connection is answered by."""
        if self.open >= CONNECTIONS_A_SERVER or len(self.dialogues) >= SESSIONS_A_SERVER:
            return TooManyConnections()
        dialogue = SubmissionSession(self, first=not self.dialogues)
        self.dialogues.append(dialogue)
        return dialogue

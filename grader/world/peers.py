"""Other people's mail servers: they take every message and keep it."""

from __future__ import annotations

import asyncio
from typing import cast

from grader.model.attempt import Attempt
from grader.model.errors import EngineError
from grader.model.plan import Peer
from grader.model.traffic import Arrival
from grader.world.kept import KeptMail
from grader.world.peersession import PeerSession
from grader.world.transcript import Clock
from grader.world.turns import Turns

MOST_CONNECTIONS = 50
"""Open at once. Postfix opens no more than 20 to one destination."""


class Peers:
    """All peers of a world, and what they took."""

    def __init__(self, peers: list[Peer], clock: Clock) -> None:
        self.clock = clock
        self.connections = 0
        self.in_hand = 0
        """Octets of ``IN_HAND_OCTETS`` that are taken."""
        self.turns = Turns()
        self.mail = KeptMail()
        self._peers = peers
        self._servers: list[asyncio.Server] = []

    @property
    def ports(self) -> list[int]:
        """The ports listened on, address by address."""
        return [server.sockets[0].getsockname()[1] for server in self._servers]

    async def start(self) -> None:
        """Listen on every address. Raises ``EngineError`` where one is not the world's."""
        for peer in self._peers:
            for address in peer.addresses:
                await self._listen(peer, address)

    def take_by_hand(self, attempt: Attempt, message: bytes) -> None:
        """Take a message from an attempt's client itself, who had something else than a mail server sign it."""
        self.mail.take(
            Arrival(
                id=0,
                place="outside",
                where=self._peers[0].name if self._peers else "",
                attempts=[],
                raw=message,
                at=self.clock(),
                client=attempt.address,
                sender=attempt.sender,
                recipients=attempt.recipients,
            )
        )

    def stop(self) -> None:
        """Stop listening."""
        for server in self._servers:
            server.close()

    async def _listen(self, peer: Peer, address: str) -> None:
        def answer() -> asyncio.Protocol:
            return PeerSession(self, peer) if self.connections < MOST_CONNECTIONS else TooManyConnections()

        try:
            server = await asyncio.get_running_loop().create_server(answer, address, peer.port)
        except OSError as error:
            raise EngineError(
                f"the world cannot take mail at {address} port {peer.port}: {error.strerror}"
            ) from error
        self._servers.append(server)


class TooManyConnections(asyncio.Protocol):
    """What a connection beyond the limit gets."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.BaseProtocol``."""
        stream = cast(asyncio.Transport, transport)
        stream.write(b"421 4.3.2 too many connections\r\n")
        stream.close()

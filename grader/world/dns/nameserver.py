"""The world's nameserver listens over UDP and TCP: authoritative for its zones, the resolver of the student's host."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from grader.model.errors import EngineError
from grader.world.dns.answers import Answers
from grader.world.dns.zones import Zones
from grader.world.transcript import Clock
from grader.world.turns import Turns

PORT = 53
TCP_SECONDS = 10.0
MOST_TCP = 50


class Nameserver(Answers):
    """Answers every question and records it."""

    def __init__(self, zones: Zones, clock: Clock, turns: Turns | None = None) -> None:
        super().__init__(zones, clock)
        self._turns = turns or Turns()
        self._open: list[asyncio.DatagramTransport | asyncio.Server] = []
        self._streams = 0

    async def start(self, address: str, port: int = PORT) -> None:
        """Listen at one more address. Raises ``EngineError`` where it is not the world's."""
        loop = asyncio.get_running_loop()
        try:
            udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), local_addr=(address, port))
            self._open.append(udp)
            self._open.append(await asyncio.start_server(self._stream, address, port))
        except OSError as error:
            raise EngineError(
                f"the world cannot answer DNS at {address} port {port}: {error.strerror}"
            ) from error

    def stop(self) -> None:
        """Stop listening."""
        for listening in self._open:
            listening.close()

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Questions over TCP, one after the other (RFC 7766)."""
        if self._streams >= MOST_TCP:
            writer.close()
            return
        self._streams += 1
        client = writer.get_extra_info("peername")[0]
        try:
            async with asyncio.timeout(TCP_SECONDS):
                while True:
                    await self._turns.take()
                    length = int.from_bytes(await reader.readexactly(2), "big")
                    response = self.answer(await reader.readexactly(length), client, udp=False)
                    if response is None:
                        return
                    writer.write(len(response).to_bytes(2, "big") + response)
                    await writer.drain()
        except (asyncio.IncompleteReadError, OSError, TimeoutError):
            pass
        finally:
            self._streams -= 1
            writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, nameserver: Nameserver) -> None:
        self._nameserver = nameserver
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        response = self._nameserver.answer(data, addr[0], udp=True)
        if response is not None and self._transport is not None:
            self._transport.sendto(response, addr)

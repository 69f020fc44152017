"""The world's nameserver listens over UDP and TCP: authoritative for its zones, the resolver of the student's host."""

from __future__ import annotations

import asyncio
import contextlib
import socket

from grader.formats.dns import LONGEST_MESSAGE
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
        self._datagrams: list[tuple[socket.socket, asyncio.AbstractEventLoop]] = []
        self._streams: list[asyncio.Server] = []
        self._connections = 0

    async def start(self, address: str, port: int = PORT) -> None:
        """Listen at one more address. Raises ``EngineError`` where it is not the world's."""
        try:
            self._listen(address, port)
            self._streams.append(await asyncio.start_server(self._stream, address, port))
        except OSError as error:
            raise EngineError(
                f"the world cannot answer DNS at {address} port {port}: {error.strerror}"
            ) from error

    def stop(self) -> None:
        """Stop listening."""
        for datagrams, loop in self._datagrams:
            loop.remove_reader(datagrams)
            datagrams.close()
        for streams in self._streams:
            streams.close()

    def _listen(self, address: str, port: int) -> None:
        """Without asyncio's transports: those set aside a quarter of a megabyte for each question."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        datagrams = socket.socket(family, socket.SOCK_DGRAM)
        try:
            datagrams.setblocking(False)
            datagrams.bind((address, port))
        except BaseException:
            datagrams.close()
            raise
        loop = asyncio.get_running_loop()
        loop.add_reader(datagrams, self._datagram, datagrams)
        self._datagrams.append((datagrams, loop))

    def _datagram(self, datagrams: socket.socket) -> None:
        # Who cannot be answered now asks again.
        with contextlib.suppress(OSError):
            packet, client = datagrams.recvfrom(LONGEST_MESSAGE)
            response = self.answer(packet, client[0], udp=True)
            if response is not None:
                datagrams.sendto(response, client)

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Questions over TCP, one after the other (RFC 7766)."""
        if self._connections >= MOST_TCP:
            writer.close()
            return
        self._connections += 1
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
            self._connections -= 1
            writer.close()

"""Conversations that somebody leads line by line: the world lends an address and a wire, and understands nothing."""

from __future__ import annotations

import ssl

from grader.formats.reply import Heard
from grader.model.attempt import Tls
from grader.model.errors import EngineError
from grader.model.protocol.world import Answer
from grader.world.tls import Contexts, facts
from grader.world.transcript import Clock
from grader.world.wire import HungUp, Wire, connect, reason

MOST = 20
"""Conversations at once."""


class Conversations:
    """Every conversation that is open, by a name of the caller's choice."""

    def __init__(self, contexts: Contexts, clock: Clock) -> None:
        self._contexts = contexts
        self._clock = clock
        self._wires: dict[str, Wire] = {}

    async def dial(
        self, id_: str, source: str, server: str, port: int, tls: Tls, name: str, seconds: float
    ) -> Answer:
        """Connect from one of the world's addresses, with TLS at once if it is ``implicit``, and hear the greeting."""
        self.hang_up(id_)
        if len(self._wires) >= MOST:
            raise EngineError(f"{MOST} conversations are open: hang up first")
        try:
            wire = await connect(source, server, port, seconds, self._clock, lambda: None)
        except HungUp as hung:
            return Answer([], hung.end, hung.remark)
        self._wires[id_] = wire
        certificate = None
        if tls == "implicit":
            begun = await self.encrypt(id_, name, seconds)
            if begun.end:
                self.hang_up(id_)
                return begun
            certificate = begun.certificate
        heard = await self._hear(wire, 1, False, seconds)
        return Answer(heard.replies, heard.end, heard.remark, certificate)

    async def say(self, id_: str, data: bytes, replies: int, closes: bool, seconds: float) -> Answer:
        """Send octets and wait for so many replies; with ``closes`` also until the server hangs up.

        Replies beyond those asked for are given too, as far as they are there.
        """
        wire = self._wire(id_)
        wire.send(data)
        return await self._hear(wire, replies, closes, seconds)

    async def encrypt(self, id_: str, name: str, seconds: float) -> Answer:
        """Begin TLS, after the server has said that it is ready (RFC 3207). An untrusted certificate is a remark."""
        wire = self._wire(id_)
        context = self._contexts.context(strict=False, named=True, certificate=False)
        try:
            await wire.begin_tls(context, name, seconds)
        except HungUp as hung:
            return Answer([], hung.end, hung.remark)
        except ssl.SSLError as error:
            return Answer([], "reset", f"TLS failed: {reason(error)}")
        assert wire.encryption is not None
        return Answer([], certificate=facts(wire.encryption.tls, None))

    def hang_up(self, id_: str) -> None:
        """End a conversation, if there is one of this name."""
        wire = self._wires.pop(id_, None)
        if wire is not None:
            wire.close()

    def stop(self) -> None:
        """End them all."""
        for id_ in list(self._wires):
            self.hang_up(id_)

    def _wire(self, id_: str) -> Wire:
        if id_ not in self._wires:
            raise EngineError(f"there is no conversation {id_!r}")
        return self._wires[id_]

    async def _hear(self, wire: Wire, count: int, closes: bool, seconds: float) -> Answer:
        heard: list[tuple[float, Heard]] = []
        end, remark = "", ""
        try:
            if count and not await wire.replies(count, seconds):
                end, remark = "timeout", f"no reply in {seconds:.1f} seconds"
            heard = wire.unasked()
            # Nobody promises another reply, so waiting for one is waiting for the end.
            while closes and wire.ended is None and await wire.replies(1, seconds):
                heard += wire.unasked()
        except HungUp as hung:
            end, remark = hung.end, hung.remark
        heard += wire.unasked()
        if wire.ended is not None:
            end, remark = wire.ended.end, wire.ended.remark
        return Answer([reply.lines for _, reply in heard], end, remark)

"""Other people's mail servers: they take every message and keep it."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from hashlib import sha256
from typing import Any, cast

from aiosmtpd.smtp import SMTP

from grader.formats.reply import readable
from grader.model.errors import EngineError
from grader.model.plan import Peer
from grader.model.traffic import Arrival
from grader.world.kept import SEARCHED_OCTETS, KeptMail
from grader.world.transcript import Clock
from grader.world.turns import Turns, TurnTaker

LARGEST_MESSAGE = 10 * 1024 * 1024
MOST_RECIPIENTS = 1000
MOST_RECIPIENT_OCTETS = 256 * 1024
"""In all addresses of one message: each is searched for the tokens of all attempts."""
LONGEST_COMMAND = 4096
LONGEST_LINE = 64 * 1024
IDLE_SECONDS = 60.0
MOST_CONNECTIONS = 50
"""Open at once. Postfix opens no more than 20 to one destination."""
IN_HAND_OCTETS = 64 * 1024 * 1024
"""Of texts that are still being sent, all together, beyond what each connection may send in any case."""

NULL_PATH = "<>"
"""How the null reverse path (RFC 5321 section 4.5.5) is told from no path at all."""

PATH = re.compile(
    r'\s*(?:<(?P<bracketed>(?:"(?:\\.|[^"\\])*"|[^">])*)>|(?P<bare>[^\s<>]+))(?P<rest>.*)', re.DOTALL
)


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

    def stop(self) -> None:
        """Stop listening."""
        for server in self._servers:
            server.close()

    async def _listen(self, peer: Peer, address: str) -> None:
        def answer() -> asyncio.Protocol:
            return MailSink(self, peer.name) if self.connections < MOST_CONNECTIONS else TooManyConnections()

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


class Text:
    """A message's text as it comes: whole while there is room among all that is coming, else its beginning."""

    def __init__(self, peers: Peers, always: int) -> None:
        self.kept = bytearray()
        self.octets = 0
        self.cut = False
        self._peers = peers
        self._always = always
        self._held = 0
        self._digest = sha256()

    def __enter__(self) -> Text:
        return self

    def __exit__(self, *_: object) -> None:
        self._peers.in_hand -= self._held
        self._held = 0

    @property
    def digest(self) -> str:
        """The SHA-256 of a text that was cut, as of ``Arrival.digest``; empty where it is whole."""
        return self._digest.hexdigest() if self.cut else ""

    def add(self, line: bytes) -> None:
        """One more line, or a part of one."""
        self.octets += len(line)
        if not self.cut and not self._has_room(len(line)):
            self.cut = True
            self._digest.update(self.kept)
        if self.cut:
            self._digest.update(line)
        else:
            self.kept += line

    def _has_room(self, octets: int) -> bool:
        if self.octets <= self._always:
            return True
        if self.octets > LARGEST_MESSAGE + LONGEST_LINE or self._peers.in_hand + octets > IN_HAND_OCTETS:
            return False
        self._peers.in_hand += octets
        self._held += octets
        return True


class MailSink(SMTP):
    """One connection to a peer. aiosmtpd speaks the protocol; paths are taken as they come, and memory is bounded."""

    always_kept = SEARCHED_OCTETS
    """Octets of each text that there is room for, whatever others send meanwhile: enough to find every token."""
    line_length_limit = LONGEST_LINE
    command_size_limits = defaultdict(lambda: LONGEST_COMMAND)

    def __init__(self, peers: Peers, name: str, **options: Any) -> None:
        usual = {"ident": "ESMTP", "data_size_limit": LARGEST_MESSAGE, "enable_SMTPUTF8": True}
        super().__init__(
            object(),
            hostname=name,
            timeout=IDLE_SECONDS,
            loop=asyncio.get_running_loop(),
            **{**usual, **options},
        )
        self._peers = peers
        self._name = name
        # aiosmtpd reads through this reader; its own would answer one client's lines before anything else is heard.
        asyncio.StreamReaderProtocol.__init__(
            self, self._line_reader(peers.turns), self._cb_client_connected, self.loop
        )

    def _line_reader(self, turns: Turns) -> TurnTaker:
        return TurnTaker(turns, self.line_length_limit)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.BaseProtocol``."""
        self._peers.connections += 1
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """See ``asyncio.BaseProtocol``."""
        self._peers.connections -= 1
        super().connection_lost(error)

    async def smtp_DATA(self, arg: str | None) -> None:
        """DATA (RFC 5321 section 4.1.1.4). aiosmtpd's own keeps an object for each line, which a sender can abuse."""
        if await self.check_helo_needed():
            return
        if self.envelope is None or not self.envelope.rcpt_tos or arg:
            await self.push("501 Syntax: DATA" if arg else "503 Error: need RCPT command")
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        with Text(self._peers, self.always_kept) as text:
            await self._read(text)
            await self._peers.turns.take_alone()
            reply = await self._took(text)
        self._set_post_data_state()  # type: ignore[no-untyped-call]
        await self.push(reply)

    async def _took(self, text: Text) -> str:
        """Take the message; the reply to it."""
        if text.octets > (self.data_size_limit or LARGEST_MESSAGE):
            return "552 5.3.4 message too big"
        envelope, session = self.envelope, self.session
        assert envelope is not None
        assert session is not None
        return self._keep(
            Arrival(
                id=0,
                place="outside",
                where=self._name,
                attempts=[],
                raw=bytes(text.kept),
                octets=text.octets if text.cut else 0,
                digest=text.digest,
                at=self._peers.clock(),
                client=session.peer[0] if session.peer else "",
                sender="" if envelope.mail_from in (None, NULL_PATH) else str(envelope.mail_from),
                recipients=envelope.rcpt_tos,
            )
        )

    def _keep(self, arrival: Arrival) -> str:
        """Keep a message that is complete; the reply to it. There is always room: what is dropped has been judged."""
        self._peers.mail.take(arrival)
        return "250 2.0.0 taken"

    async def smtp_RCPT(self, arg: str | None) -> None:
        """RCPT, for anybody, up to a number (RFC 5321 section 4.5.3.1.8)."""
        known = self.envelope.rcpt_tos if self.envelope is not None else []
        if len(known) >= MOST_RECIPIENTS or sum(map(len, known)) >= MOST_RECIPIENT_OCTETS:
            await self.push("452 4.5.3 too many recipients")
            return
        await super().smtp_RCPT(arg)

    async def _read(self, text: Text) -> None:
        """Read a message, without its dots."""
        at_start = True
        while True:
            try:
                line = await self._reader.readuntil(b"\r\n")
            except asyncio.LimitOverrunError as error:
                line = await self._reader.read(error.consumed)
            if at_start and line.startswith(b"."):
                if line == b".\r\n":
                    return
                line = line[1:]
            text.add(line)
            at_start = line.endswith(b"\r\n")

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        """The path between its brackets as it is, and what follows; aiosmtpd's own refuses odd ones."""
        found = PATH.fullmatch(arg)
        if found is None:
            return None, None
        path = found["bracketed"] if found["bracketed"] is not None else found["bare"]
        return spelt(path) or NULL_PATH, spelt(found["rest"] or "")


def spelt(text: str) -> str:
    """What aiosmtpd read, with each octet that is no UTF-8 as ``\\xNN``: as a surrogate no document could carry it."""
    return readable(text.encode("utf-8", "surrogateescape"))

"""One connection to somebody else's mail server: as much of RFC 5321 as it takes to take mail from everybody.

No library: the one that ``submission_server`` uses takes longer to load than all of this world's deliveries.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from grader.world import texts
from grader.world.kept import SEARCHED_OCTETS
from grader.world.texts import LONGEST_LINE, Text, path_of, read_text
from grader.world.turns import TurnTaker

if TYPE_CHECKING:
    from grader.model.plan import Peer
    from grader.world.peers import Peers

MOST_RECIPIENTS = 1000
MOST_RECIPIENT_OCTETS = 256 * 1024
"""In all addresses of one message: each is searched for the tokens of all attempts."""
LONGEST_COMMAND = 4096
IDLE_SECONDS = 60.0

HELLO_FIRST = "503 5.5.1 Error: send HELO first"
NOT_UNDERSTOOD = "500 5.5.2 Error: bad syntax"


class PeerSession(asyncio.StreamReaderProtocol):
    """A session: it takes paths as they come and every message, and keeps no more than there is room for."""

    always_kept = SEARCHED_OCTETS
    """Octets of each text that there is room for, whatever others send meanwhile: enough to find every token."""

    def __init__(self, peers: Peers, peer: Peer) -> None:
        self._peers = peers
        self._name = peer.name
        self._extensions = [
            "PIPELINING",
            f"SIZE {texts.LARGEST_MESSAGE}",
            "8BITMIME",
            *(["SMTPUTF8"] if peer.smtputf8 else []),
            "HELP",
        ]
        self._lines = TurnTaker(peers.turns, LONGEST_LINE)
        self._clock = asyncio.get_running_loop()
        super().__init__(self._lines, self._serve, self._clock)
        self._commands: dict[str, Callable[[str], str]] = {
            "HELO": self._helo,
            "EHLO": self._ehlo,
            "MAIL": self._mail,
            "RCPT": self._rcpt,
            "RSET": self._rset,
            "NOOP": lambda _: "250 2.0.0 Ok",
            "VRFY": lambda _: "252 2.0.0 mail for anybody is taken",
            "HELP": lambda _: "214 2.0.0 see RFC 5321",
        }
        self._client = ""
        self._greeted = False
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._heard_at = 0.0
        self._unsaid: list[str] = []
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.BaseProtocol``."""
        self._peers.connections += 1
        self._client = (transport.get_extra_info("peername") or ("",))[0]
        self._heard_at = self._clock.time()
        self._timer = self._clock.call_later(IDLE_SECONDS, self._look, transport)
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        self._heard_at = self._clock.time()
        super().data_received(data)

    def connection_lost(self, error: Exception | None) -> None:
        """See ``asyncio.BaseProtocol``."""
        self._peers.connections -= 1
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(error)

    def _look(self, transport: asyncio.BaseTransport) -> None:
        """Hang up on a client that says nothing; else look again when it will have said nothing for as long."""
        left = self._heard_at + IDLE_SECONDS - self._clock.time()
        if left <= 0:
            cast(asyncio.Transport, transport).abort()
        else:
            self._timer = self._clock.call_later(left, self._look, transport)

    async def _serve(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._say(writer, f"220 {self._name} ESMTP")
            while True:
                command = await self._command()
                verb, argument = command[:4].upper(), command[4:].strip()
                if verb == "DATA":
                    await self._say(writer, await self._data(argument, writer))
                elif verb == "QUIT":
                    await self._say(writer, "221 2.0.0 Bye")
                    return
                else:
                    act = self._commands.get(verb) if command[4:5] in ("", " ") else None
                    await self._say(writer, act(argument) if act else NOT_UNDERSTOOD)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # The client has gone, and what it had begun with it.
        finally:
            self._speak(writer)
            writer.close()

    async def _say(self, writer: asyncio.StreamWriter, reply: str) -> None:
        """Say what is said until nothing more is to be read in one write (RFC 2920 section 3.2)."""
        if not self._unsaid:
            self._clock.call_soon(self._speak, writer)
        self._unsaid.append(reply)
        await writer.drain()

    def _speak(self, writer: asyncio.StreamWriter) -> None:
        replies, self._unsaid = self._unsaid, []
        if replies and not writer.is_closing():
            writer.write("".join(reply + "\r\n" for reply in replies).encode())

    async def _command(self) -> str:
        """The next command, empty where it was too long. Raises ``IncompleteReadError`` where none comes."""
        whole = True
        while True:
            try:
                line = await self._lines.readuntil(b"\n")
            except asyncio.LimitOverrunError as error:
                await self._lines.read(error.consumed)
                whole = False
                continue
            return (
                line.decode("utf-8", "surrogateescape").strip()
                if whole and len(line) <= LONGEST_COMMAND
                else ""
            )

    def _helo(self, argument: str) -> str:
        if not argument:
            return "501 5.5.4 Syntax: HELO hostname"
        self._greeted = True
        self._rset("")
        return f"250 {self._name}"

    def _ehlo(self, argument: str) -> str:
        if not argument:
            return "501 5.5.4 Syntax: EHLO hostname"
        self._helo(argument)
        *lines, last = self._name, *self._extensions
        return "".join(f"250-{line}\r\n" for line in lines) + f"250 {last}"

    def _mail(self, argument: str) -> str:
        if not self._greeted:
            return HELLO_FIRST
        if (found := _path(argument, "FROM:")) is None:
            return "501 5.5.4 Syntax: MAIL FROM:<address>"
        if self._sender is not None:
            return "503 5.5.1 Error: nested MAIL command"
        path, parameters = found
        for parameter in parameters.upper().split():
            name, _, size = parameter.partition("=")
            # What has more digits than these is more than any limit, and takes long to read as a number.
            if name == "SIZE" and size.isdecimal() and (len(size) > 20 or int(size) > texts.LARGEST_MESSAGE):
                return "552 5.3.4 message too big"
        self._sender = path
        return "250 2.1.0 Ok"

    def _rcpt(self, argument: str) -> str:
        """RCPT, for anybody, up to a number (RFC 5321 section 4.5.3.1.8)."""
        if self._sender is None:
            return "503 5.5.1 Error: need MAIL command"
        known = self._recipients
        if len(known) >= MOST_RECIPIENTS or sum(map(len, known)) >= MOST_RECIPIENT_OCTETS:
            return "452 4.5.3 too many recipients"
        if (found := _path(argument, "TO:")) is None:
            return "501 5.5.4 Syntax: RCPT TO:<address>"
        known.append(found[0])
        return "250 2.1.5 Ok"

    def _rset(self, _: str) -> str:
        self._sender, self._recipients = None, []
        return "250 2.0.0 Ok"

    async def _data(self, argument: str, writer: asyncio.StreamWriter) -> str:
        """DATA (RFC 5321 section 4.1.1.4); the reply to the message, or to the command."""
        if argument:
            return "501 5.5.4 Syntax: DATA"
        if self._sender is None or not self._recipients:
            return "503 5.5.1 Error: need RCPT command" if self._greeted else HELLO_FIRST
        await self._say(writer, "354 End data with <CR><LF>.<CR><LF>")
        with Text(self._peers, self.always_kept) as text:
            await read_text(self._lines, text)
            await self._peers.turns.take_alone()
            reply = self._took(text)
        self._rset("")
        return reply

    def _took(self, text: Text) -> str:
        """Take the message; the reply to it. There is always room: what is dropped has been judged."""
        if text.octets > texts.LARGEST_MESSAGE:
            return "552 5.3.4 message too big"
        self._peers.mail.take(
            texts.arrived(
                text,
                server=self._name,
                at=self._peers.clock(),
                client=self._client,
                path=self._sender,
                recipients=self._recipients,
            )
        )
        return "250 2.0.0 taken"


def _path(argument: str, keyword: str) -> tuple[str, str] | None:
    """The path of MAIL or RCPT, and its parameters; ``None`` where there is none."""
    if argument[: len(keyword)].upper() != keyword:
        return None
    return path_of(argument[len(keyword) :])

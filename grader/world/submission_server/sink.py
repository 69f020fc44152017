"""Takes mail by aiosmtpd, which knows TLS and AUTH: what a submission server's sessions begin with."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any

from aiosmtpd.smtp import SMTP

from grader.model.traffic import Arrival
from grader.world.kept import SEARCHED_OCTETS
from grader.world.peers import Peers
from grader.world.peersession import IDLE_SECONDS, LONGEST_COMMAND, MOST_RECIPIENT_OCTETS, MOST_RECIPIENTS
from grader.world.texts import LARGEST_MESSAGE, LONGEST_LINE, Text, arrived, path_of, read_text
from grader.world.turns import Turns, TurnTaker


class MailSink(SMTP):
    """One connection. aiosmtpd speaks the protocol; paths are taken as they come, and memory is bounded."""

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
            try:
                await read_text(self._reader, text)
            except (asyncio.CancelledError, asyncio.IncompleteReadError):
                self._broken_off(bytes(text.kept[-4:]))
                raise
            await self._peers.turns.take_alone()
            reply = await self._took(text)
        self._set_post_data_state()  # type: ignore[no-untyped-call]
        await self.push(reply)

    def _broken_off(self, last: bytes) -> None:
        """The client went away before the end of its text, of which these octets are the last."""

    async def _took(self, text: Text) -> str:
        """Take the message; the reply to it."""
        if text.octets > (self.data_size_limit or LARGEST_MESSAGE):
            return "552 5.3.4 message too big"
        envelope, session = self.envelope, self.session
        assert envelope is not None
        assert session is not None
        return self._keep(
            arrived(
                text,
                server=self._name,
                at=self._peers.clock(),
                client=session.peer[0] if session.peer else "",
                path=envelope.mail_from,
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

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        """See ``path_of``; aiosmtpd's own refuses odd paths."""
        return path_of(arg) or (None, None)

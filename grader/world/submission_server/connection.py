"""One connection to a submission server: how TLS comes about, how replies are said, and how it ends.

aiosmtpd speaks the protocol. Here are TLS from the first byte, and the moments at which a server may be other than the
good one: silent, gone, or with an answer of its own.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, AnyStr, cast

from grader.model.submission_server import Moment
from grader.world.submission_server.pieces import Pieces, in_lines
from grader.world.submission_server.session_log import SessionLog
from grader.world.submission_server.sink import MailSink
from grader.world.turns import Turns, TurnTaker
from grader.world.wire import reason

if TYPE_CHECKING:
    from grader.world.submission_server.servers import SubmissionServer

NO_COMMAND = "221 2.7.0 Error: I can break rules, too. Goodbye."
"""Postfix says so to what begins like no command (smtpd_forbidden_commands)."""
TLS_RECORD = b"\x16\x03"
"""How a handshake begins in every version of TLS (RFC 8446 section 5.1). No command does."""
IN_PIECES = "This server's replies have several lines each and arrive in pieces."
WAITED = "the client sent nothing, and waited for the server to speak first"
TLS_TOO_EARLY = "the program began TLS by itself, where the server expected a command"


class SubmissionConnection(MailSink):
    """One connection to a submission server; ``first`` says that it is the first of its run."""

    def __init__(self, server: SubmissionServer, *, first: bool, **options: Any) -> None:
        plan, shared = server.plan, server.servers
        self._log = SessionLog(shared.clock, plan.user, plan.password, shared.room)
        super().__init__(shared.peers, plan.name, **options)
        self._server = server
        self._first = first
        self._transaction: int | None = None
        """The number of the mail transaction that is under way."""
        self._client = ""
        self._lost = False
        self._greeted = False
        self._pieces = Pieces(pauses=first)
        self._tls = ""
        self._problem: str | None = None
        self._end = "closed"
        self._heard: Callable[[], int] | None = None
        """How many octets came that were to be a handshake, where TLS begins with the first one."""

    def _line_reader(self, turns: Turns) -> TurnTaker:
        return self._log.reader(turns, self.line_length_limit)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.BaseProtocol``. With TLS it is called again, once the handshake is done."""
        again = self._original_transport is not None
        super().connection_made(transport)
        if again:
            self._peers.connections -= 1
            tls = transport.get_extra_info("ssl_object")
            self._tls = tls.version() or "TLS"
            self._log.encrypted(f"TLS handshake: {self._tls}, {tls.cipher()[0]}")
            return
        self._server.open += 1
        self._client = transport.get_extra_info("peername")[0]
        if self._server.plan.behaviour.tls == "implicit" and not self._deaf:
            # Now, and not when the client's first bytes are there: they are TLS already.
            self._shaken = self._wrap()

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``. Not every handshake holds a line's end: nothing of it is read as commands."""
        if self._deaf:
            return
        if self._tls or self._transaction is not None or not data.startswith(TLS_RECORD):
            super().data_received(data)
        elif self._problem is None:
            self._problem = TLS_TOO_EARLY
            self._log.remark(f"A TLS handshake: {TLS_TOO_EARLY}.")
            self._log.server(NO_COMMAND)
            plain = cast(asyncio.Transport, self.transport)
            plain.write(NO_COMMAND.encode() + b"\r\n")
            plain.close()

    def connection_lost(self, error: Exception | None) -> None:
        """See ``asyncio.BaseProtocol``."""
        if self._lost:
            return
        self._lost = True
        if self._end == "closed":
            self._log.client_gone()
        self._server.open -= 1
        super().connection_lost(error)

    def _wrap(self) -> asyncio.Future[None]:
        """Put TLS under the connection, as aiosmtpd does after STARTTLS; done once the handshake is."""
        from grader.world.submission_server.listening import Listening

        assert self.tls_context is not None
        waiter: asyncio.Future[None] = self.loop.create_future()
        self._tls_protocol = tls = Listening(self.loop, self, self.tls_context, waiter, server_side=True)
        self._heard = lambda: tls.heard
        self._original_transport = plain = cast(asyncio.Transport, self.transport)
        plain.set_protocol(self._tls_protocol)
        self.transport = self._tls_protocol._app_transport
        self._tls_protocol.connection_made(plain)
        return waiter

    @property
    def _deaf(self) -> bool:
        """Whether it never answers the handshake with which its clients begin."""
        behaviour = self._server.plan.behaviour
        return behaviour.tls == "implicit" and behaviour.silent == "starttls"

    async def _handle_client(self) -> None:
        if self._server.plan.behaviour.tls == "implicit" and not self._deaf:
            try:
                await self._shaken
            except OSError as error:
                self._no_tls(error)
                cast(asyncio.Transport, self.transport).close()
                # A handshake that failed ends the connection without a word to what was to run over it.
                self.connection_lost(error)
                return
        try:
            if await self._interferes("starttls" if self._deaf else "connect"):
                return
        except asyncio.CancelledError:
            # The client has gone; once commands are read, aiosmtpd sees to this.
            self._writer.close()
            raise
        await super()._handle_client()

    def _no_tls(self, error: BaseException | None) -> None:
        why = reason(error) if isinstance(error, ssl.SSLError) else "the client broke the connection"
        if self._heard is not None and not self._heard():
            why = WAITED
        self._problem = why
        self._log.remark(f"TLS handshake failed: {why}")

    async def push(self, status: AnyStr) -> None:
        """Say a reply, and note it."""
        said: str | bytes = status
        if isinstance(said, bytes):
            said = said.decode("ascii", "backslashreplace")
        if (more := self._server.plan.behaviour.greeting) and not self._greeted:
            said = f"220-{self.hostname} {more}\r\n{said}"
        first, self._greeted = not self._greeted, True
        # openssl's s_client reads the answer to STARTTLS at once, and a challenge has one line (RFC 4954 section 4).
        whole = said.startswith("334") or (said.startswith("220") and not first)
        if not self._server.plan.behaviour.pieces or whole:
            self._log.server(said)
            await super().push(said)
            return
        if first:
            self._log.remark(IN_PIECES)
        said = in_lines(said)
        self._log.server(said)
        await self._pieces.hand_over(self._writer, said.encode() + b"\r\n")

    async def _interferes(self, moment: Moment) -> bool:
        """Whether the server does something else than usual at this moment; it has then done so."""
        behaviour = self._server.plan.behaviour
        if behaviour.silent == moment:
            self._log.remark("From here on the server says nothing more.")
            await asyncio.Event().wait()
        if behaviour.hangs_up == moment:
            self._log.remark("Here the server hangs up without a word.")
            self._end = "quit"
            cast(asyncio.Transport, self.transport).close()
            await asyncio.Event().wait()
        reply = behaviour.answers.get(moment)
        if reply is None or (behaviour.once and not self._first):
            return False
        await self._refuse(reply)
        return True

    async def _refuse(self, reply: str) -> None:
        await self.push(reply)
        if reply.startswith("421"):
            self._end = "quit"
            cast(asyncio.Transport, self.transport).close()

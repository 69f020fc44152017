"""One session of a submission server, as the server lives it.

aiosmtpd speaks the protocol. Here are TLS from the first byte, the ways in which a server may differ from the good one,
and the record of every session: its lines, and what was done in it.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from typing import TYPE_CHECKING, Any, AnyStr, cast

from aiosmtpd.smtp import AuthResult, LoginPassword, TLSSetupException
from msgspec.structs import replace

from grader.model.submission_server import Authentication, Conversation, Moment, Transaction
from grader.model.traffic import Arrival, Session
from grader.world.submission_server.pieces import Pieces, in_lines
from grader.world.submission_server.session_log import SessionLog
from grader.world.submission_server.sink import MailSink
from grader.world.texts import NULL_PATH, Text, spelt
from grader.world.turns import Turns, TurnTaker
from grader.world.wire import reason

if TYPE_CHECKING:
    from grader.world.submission_server.servers import SubmissionServer

AUTH_PARAMETER = re.compile(r"\s+AUTH=\S*", re.IGNORECASE)
NO_BRACKETS = "501 5.5.4 Syntax: the address stands in angle brackets"
NO_TLS = "502 5.5.1 Command not implemented"
TLS_ALREADY = "554 5.5.1 TLS is active already"
CREDENTIALS_INVALID = "535 5.7.8 Authentication credentials invalid"
NO_COMMAND = "221 2.7.0 Error: I can break rules, too. Goodbye."
"""Postfix says so to what begins like no command (smtpd_forbidden_commands)."""
TLS_RECORD = b"\x16\x03"
"""How a handshake begins in every version of TLS (RFC 8446 section 5.1). No command does."""
IN_PIECES = "This server's replies have several lines each and arrive in pieces."
TLS_TOO_EARLY = "the program began TLS by itself, where the server expected a command"


class SubmissionSession(MailSink):
    """One connection to a submission server."""

    always_kept = 16 * 1024

    AuthLoginUsernameChallenge = "Username:"
    AuthLoginPasswordChallenge = "Password:"

    def __init__(self, server: SubmissionServer, *, first: bool) -> None:
        plan, behaviour = server.plan, server.plan.behaviour
        # An attacker on the way may refuse STARTTLS as well as take it out; either way a login is welcome.
        encrypted = behaviour.tls != "stripped" and "starttls" not in behaviour.answers
        self._log = SessionLog(server.servers.clock, plan.user, plan.password, server.servers.room)
        super().__init__(
            server.servers.peers,
            plan.name,
            ident="ESMTP ready",
            data_size_limit=behaviour.size,
            tls_context=server.context,
            require_starttls=encrypted,
            auth_require_tls=encrypted,
            auth_required=behaviour.honest and encrypted,
            auth_exclude_mechanism={"PLAIN", "LOGIN"} - {*behaviour.mechanisms},
            authenticator=self._check,
        )
        self._server = server
        self._first = first
        self._logged_in = False
        self._transaction: int | None = None
        self._client = ""
        self._lost = False
        self._greeted = False
        self._pieces = Pieces(pauses=first)
        self._tls = ""
        self._problem: str | None = None
        self._end = "closed"
        self._authentications: list[Authentication] = []
        self._transactions: list[Transaction] = []

    def _line_reader(self, turns: Turns) -> TurnTaker:
        return self._log.reader(turns, self.line_length_limit)

    # The record

    def on_record(self) -> Session:
        """The session's lines; numbers and names that only the grader knows are left to it."""
        plan = self._server.plan
        return Session(
            id=0,
            source="",
            address=self._client,
            server=plan.address,
            listener=str(plan.behaviour.port),
            end=self._end,
            lines=self._log.lines,
        )

    def conversation(self) -> Conversation:
        """What was done in the session."""
        return Conversation(
            session=0,
            tls=self._tls or None,
            problem=self._problem,
            in_the_clear=self._log.in_the_clear,
            bare=self._log.bare,
            credentials=self._log.credentials,
            replies=self._log.replies,
            hung_up=self._log.hung_up,
            unfinished=self._log.unfinished,
            lone_dot=self._log.lone_dot,
            authentications=self._authentications,
            transactions=self._transactions,
        )

    # The connection

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
        from asyncio import sslproto

        assert self.tls_context is not None
        waiter: asyncio.Future[None] = self.loop.create_future()
        self._tls_protocol = sslproto.SSLProtocol(self.loop, self, self.tls_context, waiter, server_side=True)
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

    # Commands

    async def smtp_EHLO(self, hostname: str) -> None:
        """EHLO (RFC 5321 section 4.1.1.1), with the extensions that are usual on submission ports."""
        if not hostname:
            await self.push("501 Syntax: EHLO hostname")
            return
        if await self._interferes("ehlo"):
            return
        self._set_rset_state()  # type: ignore[no-untyped-call]
        assert self.session is not None
        self.session.extended_smtp = True
        self.session.host_name = hostname
        words = [self.hostname, "PIPELINING", f"SIZE {self.data_size_limit}"]
        if self.tls_context and not self._tls_protocol:
            words.append("STARTTLS")
        if self._tls_protocol or not self._auth_require_tls:
            words.append("AUTH " + " ".join(self._server.plan.behaviour.mechanisms))
        words += ["8BITMIME", "SMTPUTF8"]
        lines = [f"250-{word}" for word in words[:-1]] + [f"250 {words[-1]}"]
        await self.push("\r\n".join(lines))

    async def smtp_STARTTLS(self, arg: str) -> None:
        """STARTTLS (RFC 3207)."""
        if self._tls_protocol:
            await self.push(TLS_ALREADY)
        elif self.tls_context is None:
            await self.push(NO_TLS)
        elif not await self._interferes("starttls"):
            try:
                await super().smtp_STARTTLS(arg)
            except TLSSetupException as error:
                self._no_tls(error.__cause__)
                raise

    async def smtp_AUTH(self, arg: str | None) -> None:
        """AUTH (RFC 4954); mechanisms are named in any mixture of capitals."""
        mechanism, _, response = (arg or "").partition(" ")
        line, encrypted = self._log.last, self._tls_protocol is not None
        behaviour = self._server.plan.behaviour
        if "auth" in (behaviour.silent, behaviour.hangs_up) and await self._interferes("auth"):
            return
        await super().smtp_AUTH(f"{mechanism.upper()} {response}".strip() or None)
        self._authentications.append(
            Authentication(spelt(mechanism.upper()[:20]), encrypted, bool(self._logged_in), line)
        )

    def _check(self, *arguments: Any) -> AuthResult:
        """What becomes of credentials: of arguments, the last holds them. A server of an attacker's takes any."""
        plan, given = self._server.plan, arguments[-1]
        if (reply := plan.behaviour.answers.get("auth")) and (self._first or not plan.behaviour.once):
            return AuthResult(success=False, handled=False, message=reply)
        expected = LoginPassword(plan.user.encode(), plan.password.encode())
        if plan.behaviour.honest and given != expected:
            return AuthResult(success=False, handled=False, message=CREDENTIALS_INVALID)
        self._logged_in = True
        return AuthResult(success=True)

    async def smtp_QUIT(self, arg: str) -> None:
        """QUIT (RFC 5321 section 4.1.1.10)."""
        self._end = "closed" if arg else "quit"
        await super().smtp_QUIT(arg)

    async def smtp_MAIL(self, arg: str | None) -> None:
        """MAIL (RFC 5321 section 4.1.1.2), with AUTH=, which whoever offers AUTH must take (RFC 4954 section 5)."""
        line = self._log.last
        if not await self._in_brackets(arg) or await self._interferes("mail"):
            return
        had = self._transaction
        await super().smtp_MAIL(AUTH_PARAMETER.sub("", arg or ""))
        sender = self.envelope.mail_from if self.envelope else None
        if sender is not None and had is None:
            path = "" if sender == NULL_PATH else sender
            parameters = spelt((arg or "").rpartition(">")[2].strip())
            self._transactions.append(Transaction(line, self._log.last, path, parameters))
            self._transaction = len(self._transactions) - 1

    async def smtp_RCPT(self, arg: str | None) -> None:
        """RCPT (RFC 5321 section 4.1.1.3)."""
        if not await self._in_brackets(arg):
            return
        path = self._getaddr((arg or "").partition(":")[2])[0] or ""
        before = self._so_far
        chosen = self._server.plan.refused
        taken = False
        if before is None or (chosen and not _same(chosen, path)) or not await self._interferes("rcpt"):
            await super().smtp_RCPT(arg)
            taken = self.envelope is not None and len(self.envelope.rcpt_tos) > len(
                before.recipients if before else ()
            )
        if before is not None and taken:
            self._note(recipients=[*before.recipients, path])
        elif before is not None:
            self._note(refused=[*before.refused, path])

    async def smtp_DATA(self, arg: str | None) -> None:
        """DATA (RFC 5321 section 4.1.1.4)."""
        if not await self._interferes("data"):
            await super().smtp_DATA(arg)
            self._note()

    def _broken_off(self, last: bytes) -> None:
        self._log.text_broken_off(last)

    async def _took(self, text: Text) -> str:
        self._log.message(bytes(text.kept))
        behaviour = self._server.plan.behaviour
        if "text" in (behaviour.silent, behaviour.hangs_up):
            await self._interferes("text")
        if (reply := behaviour.answers.get("text")) and (self._first or not behaviour.once):
            return reply
        return await super()._took(text)

    def _keep(self, arrival: Arrival) -> str:
        # What is judged is judged whole.
        number = None if arrival.octets else self._server.servers.keep(arrival, self._server)
        if number is None:
            return "452 4.3.1 no room for more messages"
        self._note(taken=True, arrival=number)
        return "250 2.0.0 taken"

    def _set_post_data_state(self) -> None:
        """aiosmtpd calls this wherever a transaction ends: after DATA, RSET, EHLO and STARTTLS."""
        super()._set_post_data_state()  # type: ignore[no-untyped-call]
        self._transaction = None

    async def _in_brackets(self, arg: str | None) -> bool:
        """Whether an address stands as it must (RFC 5321 section 4.1.2); otherwise that has been answered."""
        if arg is None or "<" in arg:
            return True
        await self.push(NO_BRACKETS)
        return False

    @property
    def _so_far(self) -> Transaction | None:
        """The transaction that is under way."""
        return None if self._transaction is None else self._transactions[self._transaction]

    def _note(self, **facts: Any) -> None:
        """Put on record what happened in the transaction that is under way."""
        if self._transaction is not None:
            current = self._transactions[self._transaction]
            self._transactions[self._transaction] = replace(current, last_line=self._log.last, **facts)


def _same(one: str, other: str) -> bool:
    """Whether two addresses are one mailbox's, as far as anybody but its own server can tell (RFC 5321 section 2.4)."""
    (local, _, domain), (said, _, place) = one.rpartition("@"), other.rpartition("@")
    return (local, domain.lower()) == (said, place.lower())

"""One session of a submission server, as the server lives it: its commands, and the record of what was done in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from aiosmtpd.smtp import AuthResult, LoginPassword, TLSSetupException
from msgspec.structs import replace

from grader.model.submission_server import Authentication, Conversation, Transaction
from grader.model.traffic import Arrival, Session
from grader.world.submission_server.connection import SubmissionConnection
from grader.world.texts import NULL_PATH, Text, spelt

if TYPE_CHECKING:
    from grader.world.submission_server.servers import SubmissionServer

AUTH_PARAMETER = re.compile(r"\s+AUTH=\S*", re.IGNORECASE)
NO_BRACKETS = "501 5.5.4 Syntax: the address stands in angle brackets"
NO_TLS = "502 5.5.1 Command not implemented"
TLS_ALREADY = "554 5.5.1 TLS is active already"
CREDENTIALS_INVALID = "535 5.7.8 Authentication credentials invalid"


class SubmissionSession(SubmissionConnection):
    """One connection to a submission server."""

    always_kept = 16 * 1024

    AuthLoginUsernameChallenge = "Username:"
    AuthLoginPasswordChallenge = "Password:"

    def __init__(self, server: SubmissionServer, *, first: bool) -> None:
        behaviour = server.plan.behaviour
        # An attacker on the way may refuse STARTTLS as well as take it out; either way a login is welcome.
        encrypted = behaviour.tls != "stripped" and "starttls" not in behaviour.answers
        super().__init__(
            server,
            first=first,
            ident="ESMTP ready",
            data_size_limit=behaviour.size,
            tls_context=server.context,
            require_starttls=encrypted,
            auth_require_tls=encrypted,
            auth_required=behaviour.honest and encrypted,
            auth_exclude_mechanism={"PLAIN", "LOGIN"} - {*behaviour.mechanisms},
            authenticator=self._check,
        )
        self._logged_in = False
        self._authentications: list[Authentication] = []
        self._transactions: list[Transaction] = []

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
            encrypted=self._log.secured,
        )

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

"""One probing session: a client that says what it is told to, also where no honest client would."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from grader.model.attempt import Attempt, Login
from grader.model.deadline import Deadline
from grader.model.traffic import Certificate, Outcome, Reply, Session
from grader.world.auth import authenticate, secrets
from grader.world.exchange import Exchange, Progress, ServerRefused, Stage
from grader.world.handshake import keep_session, shake_hands
from grader.world.listener import Listener
from grader.world.timeouts import Timeouts
from grader.world.tls import Contexts
from grader.world.transcript import CREDENTIALS, MOST_UNASKED, Clock, Room, redacted
from grader.world.wire import HungUp, connect

GOODBYE = 221


class Client(Exchange):
    """A session for attempts that share everything up to MAIL, save the name that the client gives itself.

    ``outcomes`` holds what became of each attempt. One that is missing there was not finished: the server ended the
    session, and ``progress`` is how far it came.
    """

    def __init__(
        self,
        attempts: Sequence[Attempt],
        listener: Listener,
        contexts: Contexts,
        clock: Clock,
        deadline: Deadline,
        patience: Timeouts,
        on_delay: Callable[[], None],
        room: Room,
    ) -> None:
        super().__init__(listener, clock, room, deadline, patience)
        self.attempts = list(attempts)
        self.outcomes: dict[str, Outcome] = {}
        self.end = "closed"
        self.extensions: set[str] = set()
        self.laborious = False
        """Whether the server took long over the answers to one batch of commands."""
        self.opened = False
        """Whether it came as far as to the first of its attempts."""
        self.ponders = False
        """Whether it took so long over each message of the batch that it must do so on purpose."""
        self.authenticated = False
        self.helo = self.attempts[0].helo
        """The name by which the server knows this client."""
        self._certificate: Certificate | None = None
        self._first = self.attempts[0]
        self._contexts = contexts
        self._on_delay = on_delay
        self._hello_reply: Reply | None = None

    def session(self, number: int) -> Session:
        """The session as evidence."""
        return Session(
            id=number,
            source=self._first.source,
            address=self._first.address,
            server=self._first.server,
            listener=self._first.listener,
            end=self.end,
            lines=self.transcript.lines,
            tls=self._certificate,
        )

    def outcome(self, attempt: Attempt) -> Outcome:
        """What became of an attempt, by the progress made."""
        return Outcome(
            attempt=attempt.id,
            stage=self.progress.stage,
            replies=self.progress.replies,
            authenticated=self.authenticated,
            first_line=self.progress.first_line,
            last_line=max(self.progress.first_line, len(self.transcript.lines) - 1),
        )

    def begin(self, stage: Stage) -> None:
        """A new attempt begins."""
        self.progress = Progress(stage, [], len(self.transcript.lines))

    def settle(self, attempt: Attempt) -> None:
        """The attempt is finished; its progress is its outcome."""
        self.outcomes[attempt.id] = self.outcome(attempt)

    async def open(self) -> None:
        """Everything before MAIL. Raises ``ServerRefused``, ``Untrusted`` or ``HungUp``."""
        first = self._first
        self._wire = await connect(
            first.address,
            first.server,
            first.port,
            self._at_most(self.patience.connect),
            self._clock,
            self._on_delay,
        )
        self.progress.stage = "greeting"
        began = self._clock()
        try:
            await self._greeting()
        except HungUp as hung:
            self._listener.alive = self._listener.alive or self._wire.speaking
            # Whoever was turned away after a long wait has waited in vain too: Postfix itself waits five seconds for a
            # PROXY header that nobody sends.
            waited = hung.end == "timeout" or self._clock() - began > self.patience.penalty * 1000
            mute = waited and not self._deadline.over and not self._listener.alive
            self._listener.silent += mute and self.patience.full
            raise
        self.progress.stage = "preface"
        await self._hello()
        if first.tls == "starttls":
            await self._expect(220, "STARTTLS")
            await self._handshake(self.patience.command)
            await self._hello()
        if first.login is not None:
            self.progress.stage = "auth"
            await self._log_in(first.login)
            self.progress.stage = "preface"
        await self._before(first.before)
        self.opened = True

    async def open_again(self) -> None:
        """A new connection of the same client, on the same record. Raises as ``open`` does."""
        self.hang_up()
        self.transcript.remark("the client connects again")
        await self.open()

    async def introduce(self, name: str) -> None:
        """EHLO under another name, as a client may at any time (RFC 5321 section 4.1.4). Raises ``ServerRefused``."""
        self.helo = name
        await self._hello()

    async def quit(self) -> None:
        """Say goodbye and wait for it to be answered; what else the server still says is noted.

        A server that punishes by waiting is not waited for.
        """
        assert self._wire is not None
        if self.progress.replies and self.progress.replies[-1].code == GOODBYE:
            self.end = "quit"
            return
        if self._wire.ended is not None:
            raise self._wire.ended
        self.send("QUIT")
        if self._listener.impatient or self.punished:
            self.end = "quit"
            return
        reply = await self.answer(seconds=self.patience.goodbye)
        for _ in range(MOST_UNASKED):
            if reply.code == GOODBYE:
                self.end = "quit"
                return
            reply = await self.listen("QUIT", self.patience.goodbye)
        raise HungUp("reset", "the server talked on after QUIT, and the client hung up")

    def hang_up(self, hung: HungUp | None = None) -> None:
        """Close the connection; ``hung`` says that the server, or its silence, was first."""
        for sent, command in self._unanswered:
            self.transcript.client(redacted(command), sent)
        self._unanswered.clear()
        if hung is not None:
            self.end = hung.end
            if hung.remark:
                self.transcript.remark(hung.remark)
        if self._wire is not None:
            keep_session(self._wire, self._first, self._listener, self._certificate)
            self._wire.close()

    async def _greeting(self) -> None:
        """The server's first words. Less time is given where others waited for them in vain, and none of them heard
        one octet; a server that has begun to speak gets the patience of RFC 5321 section 4.5.3.2.1, as far as it goes.
        """
        seconds = self.patience.greeting / (2 if self._listener.silent else 1)
        if self._listener.alive:
            seconds = max(seconds, self.patience.begun_greeting)
        if self._first.preamble is not None:
            for line in self._first.preamble.split("\n"):
                self._send_line(line)
        if self._first.tls == "implicit":
            await self._handshake(seconds)
        reply = await self.listen("", seconds)
        if self._first.preamble is not None and reply.text.startswith("HTTP/"):
            reply = await self._behind_proxy(seconds)
        self._listener.silent = 0
        if reply.code != 220:
            self.progress.replies.append(reply)
            raise ServerRefused

    async def _behind_proxy(self, seconds: float) -> Reply:
        """The greeting of the server to which a web proxy leads, behind its own header (RFC 9110 section 9.3.6)."""
        reply = await self.listen("", seconds)
        for _ in range(MOST_UNASKED):
            if reply.code:
                break
            reply = await self.listen("", seconds)
        return reply

    async def _hello(self) -> None:
        """EHLO, or HELO where that is not known (RFC 5321 section 3.2)."""
        if not self.helo:
            return
        reply = await self.ask(f"EHLO {self.helo}")
        if reply.code != 250 and self._first.preamble is not None:
            reply = await self._second_reply(reply)
        self.extensions = {line[4:].split(" ")[0].upper() for line in reply.text.split("\n")[1:]}
        if reply.code != 250:
            self.extensions = set()
            reply = await self.ask(f"HELO {self.helo}")
        self._hello_reply = reply
        if reply.code != 250:
            self.progress.replies.append(reply)
            raise ServerRefused

    async def _second_reply(self, reply: Reply) -> Reply:
        """A server that takes the preamble for a command answers it, and only then EHLO."""
        try:
            return await self.listen(reply.command, self.patience.second_reply)
        except HungUp as hung:
            if hung.end != "timeout":
                raise
            return reply

    async def _expect(self, code: int, command: str) -> Reply:
        reply = await self.ask(command)
        if reply.code != code:
            self.progress.replies.append(reply)
            raise ServerRefused
        return reply

    async def _handshake(self, seconds: float) -> None:
        assert self._wire is not None
        shown = self._certificate = await shake_hands(
            self._wire, self._first, self._listener, self._contexts, self._at_most(seconds), self._deadline
        )
        assert self._wire.encryption is not None
        resumed = ", resumed" if self._wire.encryption.tls.session_reused else ""
        self.transcript.remark(
            f"{shown.version} {shown.cipher}{resumed}{'' if shown.trusted else f', {shown.problem}'}"
        )

    async def _log_in(self, login: Login) -> None:
        """AUTH (RFC 4954), offered or not: what is not offered may still be taken."""
        self.transcript.keep_secret(secrets(login))
        reply = await authenticate(login, self.ask)
        self.authenticated = reply.code == 235
        if self.authenticated:
            return
        if "AUTH" not in self.extensions and self._hello_reply is not None:
            reply = self._hello_reply
        self.progress.replies.append(reply)
        raise ServerRefused

    async def _before(self, commands: list[str]) -> None:
        """The attempt's own commands, whatever is answered, and EHLO again, as XCLIENT asks for."""
        challenged = False
        for command in commands:
            reply = await self.ask(command, shown=CREDENTIALS if challenged else None)
            challenged = reply.code == 334
            self.progress.replies.append(reply)
        if commands:
            await self._hello()

"""One probing session: a client that says what it is told to, also where no honest client would."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Literal

from msgspec import Struct

from grader.formats.reply import Heard
from grader.model.attempt import Attempt, Login
from grader.model.deadline import Deadline
from grader.model.traffic import Certificate, Outcome, Reply, Session
from grader.world.auth import authenticate, secrets
from grader.world.handshake import keep_session, shake_hands
from grader.world.listener import Listener
from grader.world.pauses import Pauses
from grader.world.timeouts import Timeouts
from grader.world.tls import Contexts
from grader.world.transcript import CREDENTIALS, MOST_UNASKED, Clock, Room, Transcript, redacted
from grader.world.wire import HungUp, Wire, connect

MOST_AT_ONCE = 3
"""So many commands may be unanswered at once where one message is sent alone: MAIL, and two RCPT."""
GOODBYE = 221
LEAVING = 421

Stage = Literal[
    "connect", "greeting", "preface", "auth", "mail", "rcpt", "data", "accepted", "said", "untried"
]


class ServerRefused(Exception):
    """The server said no, and what was planned for the session is pointless now."""


class Progress(Struct):
    """How far the attempt at hand came."""

    stage: Stage = "connect"
    replies: list[Reply] = []
    first_line: int = 0


class Client:
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
        self.attempts = list(attempts)
        self.outcomes: dict[str, Outcome] = {}
        self.progress = Progress()
        self.transcript = Transcript(clock, room)
        self.end = "closed"
        self.extensions: set[str] = set()
        self.errors = 0
        """Replies that said no, as Postfix counts them against ``smtpd_soft_error_limit``."""
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
        self._listener = listener
        self._contexts = contexts
        self._clock = clock
        self._deadline = deadline
        self.patience = patience
        self._on_delay = on_delay
        self._wire: Wire | None = None
        self._unanswered: deque[tuple[float, str]] = deque()
        self._hello_reply: Reply | None = None
        self._last_word_at = 0.0
        self._pauses = Pauses(patience.penalty)

    @property
    def drowned(self) -> bool:
        """Whether the server talked without end."""
        return self._wire is not None and self._wire.endless

    @property
    def punished(self) -> bool:
        """Whether the server lets this client wait on purpose."""
        return self._pauses.regular

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

    def send(self, *commands: str) -> None:
        """Send commands in one write; ``answer`` reads their replies one by one."""
        assert self._wire is not None
        self._note_early_words()
        now = self._clock()
        self._last_word_at = now
        self._unanswered.extend([(now, command) for command in commands])
        self._wire.send(("\r\n".join(commands) + "\r\n").encode("utf-8", "surrogateescape"))

    async def answer(self, *, seconds: float | None = None, shown: str | None = None) -> Reply:
        """The reply to the next command sent, both on record; ``shown`` is put there instead of the command.

        Raises ``HungUp`` where none comes, and after 421, which announces the end (RFC 5321 section 3.8).
        """
        sent, command = self._unanswered.popleft()
        command = redacted(command) if shown is None else shown
        self.transcript.client(command, sent)
        return await self.listen(command, self.patience.command if seconds is None else seconds)

    async def listen(self, command: str, seconds: float) -> Reply:
        """The next reply, taken to answer ``command``. Raises as ``answer`` does."""
        assert self._wire is not None
        verb = command[:4].upper()
        at, heard = self._wire.next() or await self._reply(verb, seconds)
        self._listener.note_answer(verb)
        self._note_pause(at, verb)
        reply = self.transcript.server(command, heard, at)
        if reply.code >= 400:
            self.errors += 1
        if reply.code == LEAVING:
            self.progress.replies.append(reply)
            raise HungUp("closed")
        return reply

    async def _reply(self, command: str, seconds: float) -> tuple[float, Heard]:
        """A reply that is not here yet. What a server never answers costs the full wait a few times only."""
        assert self._wire is not None
        if command and self._listener.hopeless(command):
            seconds = min(seconds, self.patience.unanswered)
        try:
            return await self._wire.reply(self._at_most(seconds))
        except HungUp as hung:
            # Postfix keeps back its answers to many commands until it has worked through the last of them.
            alone = len(self._unanswered) < MOST_AT_ONCE
            if hung.end == "timeout" and alone and not self._deadline.over:
                self._listener.note_silence(command)
            raise

    async def ask(self, command: str, *, shown: str | None = None) -> Reply:
        """One command and its reply."""
        self.send(command)
        return await self.answer(shown=shown)

    async def gather(self, count: int) -> None:
        """Wait until this many replies are there to be read, or the server pauses."""
        assert self._wire is not None
        await self._wire.replies(count, self._at_most(self.patience.penalty))

    def send_text(self, data: bytes) -> None:
        """Send a message as it is."""
        assert self._wire is not None
        self.transcript.message(data)
        self._wire.send(data)

    def send_chunk(self, data: bytes) -> None:
        """Send a message behind its BDAT (RFC 3030 section 2), which says how long it is."""
        assert self._wire is not None
        self._wire.send(data)

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

    def _at_most(self, seconds: float) -> float:
        return min(seconds, self._deadline.left)

    def _note_pause(self, at: float, command: str) -> None:
        self._pauses.note((at - self._last_word_at) / 1000, command)
        self._last_word_at = at

    def _send_line(self, line: str) -> None:
        assert self._wire is not None
        self.transcript.client(redacted(line))
        self._wire.send(line.encode("utf-8", "surrogateescape") + b"\r\n")

    def _note_early_words(self) -> None:
        """A reply that nobody asked for must not pass for the answer to what is asked next."""
        assert self._wire is not None
        if self._wire.unread and not self._unanswered:
            self.transcript.unasked(self._wire.unasked())

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

"""Commands and replies between a probing client and a server: what is said, what is waited for, what goes on record."""

from __future__ import annotations

from collections import deque
from typing import Literal

from msgspec import Struct

from grader.formats.reply import Heard
from grader.model.deadline import Deadline
from grader.model.traffic import Reply
from grader.world.listener import Listener
from grader.world.pauses import Pauses
from grader.world.timeouts import Timeouts
from grader.world.transcript import Clock, Room, Transcript, redacted
from grader.world.wire import HungUp, Wire

MOST_AT_ONCE = 3
"""So many commands may be unanswered at once where one message is sent alone: MAIL, and two RCPT."""
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


class Exchange:
    """What a client says to one listener and hears from it, for whatever purpose, over one connection or several.

    ``progress`` is how far the attempt at hand came, ``errors`` the number of replies that said no, as Postfix counts
    them against ``smtpd_soft_error_limit``.
    """

    def __init__(
        self, listener: Listener, clock: Clock, room: Room, deadline: Deadline, patience: Timeouts
    ) -> None:
        self.transcript = Transcript(clock, room)
        self.progress = Progress()
        self.errors = 0
        self.patience = patience
        self._listener = listener
        self._clock = clock
        self._deadline = deadline
        self._wire: Wire | None = None
        self._unanswered: deque[tuple[float, str]] = deque()
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

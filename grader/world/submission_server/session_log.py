"""What a server hears and says in one session, as it goes on record: without the client's password."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from grader.formats import disguise
from grader.formats.base64text import octets_of
from grader.formats.reply import ReplyReader, readable
from grader.model.traffic import Line, Reply
from grader.world.transcript import (
    AUTH,
    CREDENTIALS,
    LINE_OVERHEAD,
    LONGEST_CUT_LINE,
    Clock,
    Room,
    Transcript,
    redacted,
)
from grader.world.turns import Turns, TurnTaker

MOST_LINES, FEW_LINES = 2_000, 100
"""Of a session, that are put on record: while there is room, and afterwards."""
LONGEST_ON_RECORD = 2_000
"""Characters of a line. RFC 5321 section 4.5.3.1 allows 512 octets for a command, and 1,000 for a line of a text."""
CANCELLED = b"*"
EMPTY_RESPONSE = "="


class SessionLog:
    """The lines of a session, and where the client gave its password away."""

    def __init__(self, clock: Clock, user: str, password: str, room: Room) -> None:
        """``room`` is what all sessions of a run share."""
        self.secured: int | None = None
        self.in_the_clear: int | None = None
        self.bare: list[int] = []
        self.credentials: list[int] = []
        self.hung_up: int | None = None
        self.unfinished: int | None = None
        self.lone_dot = False
        self._transcript = Transcript(clock)
        self._shared = room
        self._full = False
        self._user = user
        self._forms = disguise.spellings(user, password)
        self._secure = False
        self._command = ""
        self._replies: list[Reply] = []

    @property
    def replies(self) -> list[Reply]:
        """Every reply so far, with the command that it answers; what answers a challenge belongs to its AUTH."""
        return [
            replace(
                reply,
                command=self._without_password(reply.command),
                text=self._without_password(reply.text),
            )
            for reply in self._replies
        ]

    @property
    def lines(self) -> list[Line]:
        """Everything so far."""
        return [replace(line, text=self._without_password(line.text)) for line in self._transcript.lines]

    @property
    def last(self) -> int:
        """The index of the last line."""
        return len(self._transcript.lines) - 1

    def reader(self, turns: Turns, limit: int) -> TurnTaker:
        """A reader for aiosmtpd that has everything noted which is read as a command or as credentials."""
        return _Reader(self, turns, limit)

    def encrypted(self, remark: str) -> None:
        """Note that the session is encrypted from here on."""
        self._secure = True
        self.remark(remark)
        self.secured = self.last

    def remark(self, text: str) -> None:
        """Note something that was not said."""
        if self._room():
            self._transcript.remark(text)

    def server(self, reply: str) -> None:
        """Note a reply."""
        if self._room():
            self._shared.left -= len(reply) + LINE_OVERHEAD
            [heard] = ReplyReader().feed(reply.encode() + b"\r\n")
            self._replies.append(self._transcript.server(self._command, heard, self._transcript.now()))

    def client_gone(self) -> None:
        """Note that the client broke the connection off."""
        if self._room():
            self._transcript.remark("The client hung up.")
            self.hung_up = self.last

    def text_broken_off(self, last: bytes) -> None:
        """Note that the client went away before its text had ended; ``last`` are the last octets of what came."""
        self.lone_dot = last.endswith(b"\n.\r\n")
        if self._room():
            self._transcript.remark("The text had not ended: no line held a dot alone, between two CR LF.")
            self.unfinished = self.last

    def client(self, line: bytes, *, credentials: bool) -> None:
        """Note a line of the client's, its end included."""
        if not self._room():
            return
        text = readable(line.rstrip(b"\r\n"))
        if not line.endswith(b"\r\n"):
            self.bare.append(self.last + 1)
        if not self._secure and self.in_the_clear is None and self._gives_away(text, credentials=credentials):
            self.in_the_clear = self.last + 1
        told = credentials and text.encode() != CANCELLED
        if told:
            self.credentials.append(self.last + 1)
        else:
            self._command = self._cut(redacted(text))
        self._transcript.client(CREDENTIALS if told else self._command)

    def message(self, text: bytes) -> None:
        """Note a message, its dots taken off, and the dot that ended it."""
        if self._room():
            self._transcript.message(text, self._cut)
            self._transcript.client(".")
            self._command = "."

    def _room(self) -> bool:
        if not self._full and self.last < (MOST_LINES if self._shared.left > 0 else FEW_LINES):
            return True
        if not self._full:
            self._transcript.remark("What followed was not put on record.")
            self._full = True
        return False

    def _cut(self, line: str) -> str:
        """A line as far as there is room for it: the whole of what any client means to say.

        The password is taken out before, since a part of it would not be found afterwards.
        """
        line = self._without_password(line)
        longest = LONGEST_ON_RECORD if self._shared.left > 0 else LONGEST_CUT_LINE
        self._shared.left -= min(len(line), longest) + LINE_OVERHEAD
        return line if len(line) <= longest else f"{line[:longest]} ({len(line) - longest} more characters)"

    def _gives_away(self, text: str, *, credentials: bool) -> bool:
        if credentials:
            return text.encode() not in (b"", CANCELLED) and not self._is_user(text)
        if any(form in text for form in self._forms):
            return True
        found = AUTH.fullmatch(text)
        response = text[len(found[1]) :] if found else ""
        return bool(response) and response != EMPTY_RESPONSE and not self._is_user(response)

    def _is_user(self, response: str) -> bool:
        """Whether a response is the user's name alone, which AUTH LOGIN sends before the password."""
        try:
            return octets_of(response) == self._user.encode()
        except ValueError:
            return False

    def _without_password(self, text: str) -> str:
        for form in self._forms:
            text = text.replace(form, CREDENTIALS)
        return text


class _Reader(TurnTaker):
    """aiosmtpd reads commands by ``readuntil``, credentials by ``readline``, and messages up to CR LF."""

    def __init__(self, log: SessionLog, turns: Turns, limit: int) -> None:
        super().__init__(turns, limit)
        self._log = log
        self._credentials = False

    async def readline(self) -> bytes:
        self._credentials = True
        try:
            return await super().readline()
        finally:
            self._credentials = False

    async def readuntil(self, separator: Any = b"\n") -> bytes:
        line = await super().readuntil(separator)
        if separator == b"\n":
            self._log.client(line, credentials=self._credentials)
        return line

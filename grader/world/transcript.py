"""A session on record, line by line, without the credentials that were spoken in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from grader.formats.reply import Heard
from grader.model.traffic import Line, Reply

Clock = Callable[[], float]
"""Milliseconds since the run began."""

CREDENTIALS = "<credentials>"
AUTH = re.compile(r"(\s*AUTH\s+\S+\s+)\S.*", re.IGNORECASE | re.DOTALL)
LONGEST_MESSAGE = 400
"""Lines of a message that are put on record."""
MOST_OF_A_SESSION = 200_000
"""Characters of a server's that one session's record holds whole. Honest ones have some thousands."""
MOST_OF_ALL = 4_000_000
"""The same of all sessions of a run together, so that nobody talks the record beyond what can be sent and shown."""
LONGEST_REPLY = 16_000
"""Characters of a reply that go with what became of an attempt. RFC 5321 section 4.5.3.1.5 allows 512 a line."""
LINE_OVERHEAD = 60
"""What a line weighs beside its text."""
LONGEST_CUT_LINE = 200
MOST_CUT_LINES = 2
"""What is kept of a reply where there is no more room: its end, which has the code."""
MOST_UNASKED = 20
"""Replies in a row that nobody asked for, on record."""


def redacted(command: str) -> str:
    """The command without the initial response of AUTH (RFC 4954 section 4)."""
    found = AUTH.fullmatch(command)
    return f"{found[1]}{CREDENTIALS}" if found else command


def _without_middle(text: str) -> str:
    """A long reply: each attempt of a refused session holds it, the lines once."""
    half = LONGEST_REPLY // 2
    return f"{text[:half]} … {text[-half:]}"


class Room:
    """What the records of a run may still hold of what servers say, all together."""

    def __init__(self) -> None:
        self.left = MOST_OF_ALL


class Transcript:
    """Lines in the order in which they belong together: each command, then its reply, pipelined or not.

    ``room`` is shared by the sessions of a run.
    """

    def __init__(self, clock: Clock, room: Room | None = None) -> None:
        self.lines: list[Line] = []
        self._clock = clock
        self._room = room or Room()
        self._left = MOST_OF_A_SESSION
        self._cut = False
        self._secrets: tuple[str, ...] = ()

    def keep_secret(self, secrets: Iterable[str]) -> None:
        """Leave these out of everything that the server repeats."""
        self._secrets = tuple(secret for secret in secrets if secret)

    def now(self) -> float:
        """Milliseconds since the run began."""
        return self._clock()

    def client(self, text: str, at: float | None = None) -> None:
        """Note a line that was sent."""
        self.lines.append(Line(self._clock() if at is None else at, "C", text))

    def remark(self, text: str) -> None:
        """Note something that happened and was not said."""
        self.lines.append(Line(self._clock(), "*", text))

    def server(self, command: str, heard: Heard, at: float) -> Reply:
        """Note a reply to ``command``."""
        if self._secrets:
            heard = Heard(heard.code, [self._without_secrets(line) for line in heard.lines])
        text = heard.text
        weight = len(text) + LINE_OVERHEAD * len(heard.lines)
        if weight <= self._left and weight <= self._room.left:
            self._left -= weight
            self._room.left -= weight
        else:
            heard = self._end_of(heard)
            text = heard.text
        for line in heard.lines:
            self.lines.append(Line(at, "S", line))
        if len(text) > LONGEST_REPLY:
            text = _without_middle(text)
        return Reply(command, heard.code, text, len(self.lines) - 1, heard.enhanced)

    def unasked(self, replies: Sequence[tuple[float, Heard]]) -> None:
        """Note replies that nobody asked for."""
        self.remark("the server speaks out of turn")
        for at, heard in replies[:MOST_UNASKED]:
            self.server("", heard, at)
        if len(replies) > MOST_UNASKED:
            self.remark(f"{len(replies) - MOST_UNASKED} more replies that nobody asked for")

    def _end_of(self, heard: Heard) -> Heard:
        """What is kept of a reply for which there is no room."""
        if not self._cut:
            self.remark("the server says more than is put on record: from here on the ends of its replies")
            self._cut = True
        return Heard(heard.code, [line[:LONGEST_CUT_LINE] for line in heard.lines[-MOST_CUT_LINES:]])

    def message(self, data: bytes, cut: Callable[[str], str] = str) -> None:
        """Note a message as it was sent, bare line feeds made visible, and of each line what ``cut`` gives of it."""
        at = self._clock()
        lines = data.removesuffix(b"\r\n").decode("utf-8", "backslashreplace").split("\r\n")
        self.lines += [Line(at, "C", cut(line.replace("\n", "\\n"))) for line in lines[:LONGEST_MESSAGE]]
        if len(lines) > LONGEST_MESSAGE:
            self.remark(f"{len(lines) - LONGEST_MESSAGE} more lines of the message")

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, CREDENTIALS)
        return text

"""A session on record, line by line, without the credentials that were spoken in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from grader.formats.reply import Heard
from grader.model.traffic import Line, Reply

Clock = Callable[[], float]
"""Milliseconds since the run began."""

CREDENTIALS = "<credentials>"
AUTH = re.compile(r"(\s*AUTH\s+\S+\s+)\S.*", re.IGNORECASE | re.DOTALL)
LONGEST_MESSAGE = 400
"""Lines of a message that are put on record."""


def redacted(command: str) -> str:
    """The command without the initial response of AUTH (RFC 4954 section 4)."""
    found = AUTH.fullmatch(command)
    return f"{found[1]}{CREDENTIALS}" if found else command


class Transcript:
    """Lines in the order in which they belong together: each command, then its reply, pipelined or not."""

    def __init__(self, clock: Clock) -> None:
        self.lines: list[Line] = []
        self._clock = clock
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
        for text in heard.lines:
            self.lines.append(Line(at, "S", text))
        return Reply(command, heard.code, heard.text, len(self.lines) - 1, heard.enhanced)

    def message(self, data: bytes) -> None:
        """Note a message as it was sent, bare line feeds made visible."""
        lines = data.removesuffix(b"\r\n").split(b"\r\n")
        for line in lines[:LONGEST_MESSAGE]:
            self.client(line.replace(b"\n", b"\\n").decode("utf-8", "backslashreplace"))
        if len(lines) > LONGEST_MESSAGE:
            self.remark(f"{len(lines) - LONGEST_MESSAGE} more lines of the message")

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, CREDENTIALS)
        return text

"""What a server says, read as SMTP replies (RFC 5321 section 4.2), however badly it says it."""

from __future__ import annotations

import functools
import re

from msgspec import Struct

LONGEST_LINE = 64 * 1024
"""Octets of one line that are kept. RFC 5321 section 4.5.3.1.5 allows 512."""

MOST_LINES = 1000
"""Lines of one reply."""

REPLY_LINE = re.compile(r"([2-5][0-9]{2})(?:([- ])|$)")
LONGEST_CODE = 4
"""Characters that ``REPLY_LINE`` looks at."""
ENHANCED = re.compile(r"[2-5][0-9]{2}[- ]([245]\.[0-9]{1,3}\.[0-9]{1,3})(?![0-9.])")
LONGEST_STATUS = 14
"""Characters that ``ENHANCED`` looks at."""


class Heard(Struct, frozen=True):
    """One reply: its code, or 0 where the server's words are no reply, and its lines."""

    code: int
    lines: list[str]

    @property
    def text(self) -> str:
        """The reply as spoken, codes included."""
        return "\n".join(self.lines)

    @property
    def enhanced(self) -> str | None:
        """The enhanced status code (RFC 2034) of the last line that has one of the reply's own class."""
        for line in reversed(self.lines):
            if found := _status_of(line[:LONGEST_STATUS]):
                return found
        return None


@functools.lru_cache(maxsize=1024)
def _code_of(beginning: str) -> tuple[int, str]:
    """The code with which a line begins, 0 for none, and what stands behind it: most servers have few of them."""
    found = REPLY_LINE.match(beginning)
    return (int(found[1]), found[2] or "") if found else (0, "")


@functools.lru_cache(maxsize=1024)
def _status_of(beginning: str) -> str | None:
    found = ENHANCED.match(beginning)
    return found[1] if found and found[1][0] == beginning[0] else None


def readable(line: bytes) -> str:
    """A line as text. Octets that are not UTF-8 become ``\\xNN``; nothing else is changed."""
    return line.decode("utf-8", "backslashreplace")


class ReplyReader:
    """Cuts a stream of octets into replies, holding on to no more than one line and one reply."""

    def __init__(self) -> None:
        self._rest = b""
        self._lines: list[str] = []
        self._overlong = 0

    def feed(self, data: bytes) -> list[Heard]:
        """Every reply that ``data`` completes. A line without a reply code is a reply of its own, with code 0."""
        octets = self._rest + data
        end = octets.rfind(b"\n") + 1
        self._rest = octets[end:]
        found: list[Heard] = []
        for text in self._texts(octets[:end]):
            code, joint = _code_of(text[:LONGEST_CODE])
            if code and joint != "-" and not self._lines:
                found.append(Heard(code, [text]))
            elif (heard := self._several(text, code, joint)) is not None:
                found.append(heard)
        if len(self._rest) > LONGEST_LINE:
            self._overlong += len(self._rest) - LONGEST_LINE
            self._rest = self._rest[:LONGEST_LINE]
        return found

    def forget(self) -> int:
        """Drop what is not yet a whole reply (RFC 3207 section 4.2); the number of octets and lines dropped."""
        dropped = len(self._rest) + len(self._lines)
        self._rest, self._lines, self._overlong = b"", [], 0
        return dropped

    @property
    def begun(self) -> bool:
        """Whether a reply of several lines has begun and not ended (RFC 5321 section 4.2.1)."""
        return bool(self._lines) and REPLY_LINE.match(self._lines[0]) is not None

    def remainder(self) -> Heard | None:
        """What was said of a reply that never ended."""
        if self._rest:
            self._lines.append(readable(self._rest))
        lines, self._lines, self._rest = self._lines, [], b""
        return Heard(0, lines) if lines else None

    def _texts(self, octets: bytes) -> list[str]:
        """The lines of what ends with a line's end, without their ends."""
        if len(octets) <= LONGEST_LINE and not self._overlong:
            return readable(octets).replace("\r\n", "\n").split("\n")[:-1]
        return [self._text(line.removesuffix(b"\r")) for line in octets.split(b"\n")[:-1]]

    def _text(self, line: bytes) -> str:
        """A line that may be too long to be kept."""
        if len(line) <= LONGEST_LINE and not self._overlong:
            return readable(line)
        overlong = self._overlong + max(0, len(line) - LONGEST_LINE)
        self._overlong = 0
        return f"{readable(line[:LONGEST_LINE])} [{overlong} octets more]"

    def _several(self, text: str, code: int, joint: str) -> Heard | None:
        """One more line of a reply of several, or of no reply; all of them, where it is the last."""
        self._lines.append(text)
        if code and joint == "-" and len(self._lines) < MOST_LINES:
            return None
        if not code and 1 < len(self._lines) < MOST_LINES:
            return None
        lines, self._lines = self._lines, []
        return Heard(code, lines)

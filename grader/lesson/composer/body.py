"""Makes bytes of a body's text (RFC 2045 section 6)."""

from __future__ import annotations

import base64
import re

from msgspec import Struct

from grader.lesson.composer.draft import UnusableText

LONGEST_LINE = 998
LONGEST_SHOWN = 78
LONGEST_ENCODED = 76
_PLAIN = re.compile(r"[\t\n -~]*")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_LINE_END = re.compile(r"\r\n|\r|\n")


class Body(Struct, frozen=True):
    """A body as it is sent, and its Content-Transfer-Encoding."""

    data: bytes
    encoding: str


def encode_body(text: str, encoding: str) -> Body:
    """``text`` in UTF-8 and ``encoding``, or for ``automatic`` in the plainest that does. Raises ``UnusableText``."""
    text = _LINE_END.sub("\n", text)
    if text and not text.endswith("\n"):
        text += "\n"
    if encoding == "automatic":
        encoding = _plainest(text)
    if encoding == "7bit":
        _refuse("not-7bit", _not_7bit(text))
    elif encoding == "8bit":
        _refuse("not-8bit", _not_8bit(text))
    elif encoding == "base64":
        return Body(_base64(text), encoding)
    elif encoding == "quoted-printable":
        return Body(_quoted_printable(text), encoding)
    return Body(text.replace("\n", "\r\n").encode(), encoding)


def _plainest(text: str) -> str:
    """7bit where no line is long or could be changed on the way, else what keeps the text readable, or short."""
    lines = text.split("\n")
    if _PLAIN.fullmatch(text) and not any(_at_risk(line) or len(line) > LONGEST_SHOWN for line in lines):
        return "7bit"
    escaped = sum(1 for char in text if len(_quoted_char(char)) > 1 and char != "\n")
    return "quoted-printable" if 3 * escaped <= len(text) else "base64"


def _at_risk(line: str) -> bool:
    """Mailbox files put a > before 'From ', and white space at a line's end gets lost."""
    return line.startswith("From ") or line.endswith((" ", "\t"))


def _refuse(rule: str, what: str) -> None:
    if what:
        raise UnusableText(rule, what=what)


def _not_7bit(text: str) -> str:
    if not text.isascii():
        return "it holds characters beyond ASCII"
    return _not_8bit(text)


def _not_8bit(text: str) -> str:
    if control := _CONTROL.search(text):
        return f"it holds the control character U+{ord(control[0]):04X}"
    longest = max(len(line.encode()) for line in text.split("\n"))
    return f"a line has {longest} bytes, and {LONGEST_LINE} is the most" if longest > LONGEST_LINE else ""


def _base64(text: str) -> bytes:
    data = base64.b64encode(text.replace("\n", "\r\n").encode())
    lines = [data[start : start + LONGEST_ENCODED] for start in range(0, len(data), LONGEST_ENCODED)]
    return b"".join(line + b"\r\n" for line in lines)


def _quoted_printable(text: str) -> bytes:
    lines = text.split("\n")[:-1] if text else []
    return "".join(f"{_quoted_line(line)}\r\n" for line in lines).encode()


def _quoted_line(line: str) -> str:
    """A line with soft breaks (RFC 2045 section 6.7 (5)), none of them inside a character."""
    pieces = [_quoted_char(char) for char in line]
    if line.startswith("From ") or line == ".":
        pieces[0] = f"={ord(line[0]):02X}"
    if line.endswith((" ", "\t")):
        pieces[-1] = f"={ord(line[-1]):02X}"
    rows, row = [], ""
    for place, piece in enumerate(pieces):
        # The sign of a soft break needs a place itself, except at the end.
        room = LONGEST_ENCODED if place == len(pieces) - 1 else LONGEST_ENCODED - 1
        if len(row) + len(piece) > room:
            rows.append(row + "=")
            row = ""
        row += piece
    return "\r\n".join([*rows, row])


def _quoted_char(char: str) -> str:
    if char != "=" and (" " <= char <= "~" or char == "\t"):
        return char
    return "".join(f"={byte:02X}" for byte in char.encode())

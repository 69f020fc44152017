"""Messages that a program sent, read as its recipients' programs would."""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from email import message_from_bytes, policy
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import EmailMessage, Message
from typing import Any

from grader.model.traffic import Arrival

UNREADABLE = (LookupError, ValueError, AttributeError, TypeError, ArithmeticError, RecursionError)
"""What the library raises where a field or a part is looked at that is too broken, or too deeply nested, for it."""


LONGEST_FIELD = 3_000
"""Octets of a header field that is looked at: the library's time grows with their number squared."""
SIGNATURE = "-- "
"""The line above a signature, which never goes on (RFC 3676 section 4.3)."""
_LONG = rb"[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*"
_FIELD = re.compile(rb"^[!-9;-~]+[ \t]*:" + _LONG, re.MULTILINE)
_LANGUAGE = re.compile(r"(=\?[^\s?*]+)\*[^\s?]*(?=\?[bBqQ]\?)")
"""A language behind an encoded word's charset, which RFC 2231 section 5 allows and the library knows nothing of."""
_OF_PART = re.compile(rb"^content-[a-z-]+[ \t]*:" + _LONG, re.MULTILINE | re.IGNORECASE)


def parsed(arrival: Arrival) -> EmailMessage:
    """The message. Raises one of ``UNREADABLE``, as everything may do that is asked of it."""
    look_at_fields(head(arrival), _FIELD)
    look_at_fields(arrival.raw, _OF_PART)
    try:
        message = message_from_bytes(arrival.raw, policy=policy.SMTP)
    except RecursionError as error:
        raise ValueError("comments stand in comments in its header, too deeply") from error
    assert isinstance(message, EmailMessage)
    for part in message.walk():
        _without_comments(part)
        _without_trailing_blanks(part)
    return message


def look_at_fields(data: bytes, fields: re.Pattern[bytes] = _FIELD) -> None:
    """Raise ``ValueError`` where a header field is longer than any is that a mail program writes."""
    for found in fields.finditer(data):
        if len(found[0]) > LONGEST_FIELD:
            raise ValueError(f"a field of its header has {len(found[0])} octets")


def _without_comments(part: Message) -> None:
    """Take comments out of the fields that say how a part is to be decoded (RFC 2045 section 3 allows them).

    The library knows the values without them, and decodes by the whole text of the field.
    """
    with suppress(*UNREADABLE):
        encoding: Any = part["Content-Transfer-Encoding"]
        if encoding is not None and "(" in encoding:
            part.replace_header("Content-Transfer-Encoding", encoding.cte)
        kind: Any = part["Content-Type"]
        if kind is not None and "(" in kind:
            plain = "".join(f'; {name}="{value}"' for name, value in kind.params.items())
            part.replace_header("Content-Type", f"{kind.content_type}{plain}")


def _without_trailing_blanks(part: Message) -> None:
    """Take blanks off the ends of quoted-printable lines, as whoever decodes has to (RFC 2045 section 6.7, rule 3).

    The library leaves them.
    """
    with suppress(*UNREADABLE):
        if not part.is_multipart() and str(part["Content-Transfer-Encoding"]).lower() == "quoted-printable":
            lines = str(part.get_payload()).replace("\r\n", "\n").split("\n")
            part.set_payload("\n".join(line.rstrip(" \t") for line in lines))


def head(arrival: Arrival) -> bytes:
    """The header with the empty line that ends it."""
    return re.split(rb"\r?\n\r?\n", arrival.raw, maxsplit=1)[0] + b"\r\n\r\n"


def decoded(text: str) -> str:
    """Text with its encoded words decoded (RFC 2047); as it stands where they cannot be."""
    try:
        return str(make_header(decode_header(_LANGUAGE.sub(r"\1", text))))
    except (*UNREADABLE, HeaderParseError):
        return text


def as_shown(part: EmailMessage) -> str:
    """A part's text as readers see it, its lines ended by line feeds.

    Raises one of ``UNREADABLE``.
    """
    text = str(part.get_content()).replace("\r\n", "\n")
    flowed = str(part.get_param("format", "")).lower() == "flowed"
    return _unflowed(text, joined=str(part.get_param("delsp", "")).lower() == "yes") if flowed else text


def _unflowed(text: str, *, joined: bool) -> str:
    """Text with ``format=flowed``, its paragraphs in one line each (RFC 3676 section 4).

    A blank at a line's end says that the next one goes on with it, and one at its beginning was put there to be taken
    off. ``joined``: the blank at the end goes too (``delsp=yes``).
    """
    lines: list[str] = []
    depth, goes_on = 0, False
    for line in text.split("\n"):
        bare = line.lstrip(">")
        quotes, bare = len(line) - len(bare), bare.removeprefix(" ")
        if goes_on and quotes == depth and bare != SIGNATURE:
            lines[-1] += bare
        else:
            lines.append(">" * quotes + " " * bool(quotes) + bare)
        depth, goes_on = quotes, bare.endswith(" ") and bare != SIGNATURE
        if goes_on and joined:
            lines[-1] = lines[-1][:-1]
    return "\n".join(lines)


def unlike(got: str, wanted: str) -> str:
    """Where two texts differ that look alike, as a sentence with a blank before it; empty where eyes see it."""
    if got == wanted or _visible(got) != _visible(wanted):
        return ""
    at = next(
        (n for n, (a, b) in enumerate(zip(got, wanted, strict=False)) if a != b), min(len(got), len(wanted))
    )
    here, there = _character(got[at : at + 1]), _character(wanted[at : at + 1])
    return f" They look alike: character {at + 1} is {here} and should be {there}."


def _visible(text: str) -> str:
    """What eyes can tell apart: the common form of each character (NFKC), without those that only take room."""
    common = unicodedata.normalize("NFKC", text)
    return "".join(sign for sign in common if sign.isprintable() and not sign.isspace())


def _character(sign: str) -> str:
    """A character by its number and name: ``U+FEFF, zero width no-break space``."""
    if not sign:
        return "none"
    return f"U+{ord(sign):04X}, {unicodedata.name(sign, 'a control character').lower()}"

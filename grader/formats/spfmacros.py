"""The macros of SPF (RFC 7208 section 7): their grammar, and what they expand to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote

from msgspec import Struct

MOST_DIGITS = 6
"""More say the same: all parts are kept."""

_MACRO = re.compile(r"%(?:\{([slodhipvcrt])([0-9]*)(r?)([-.+,/_=]*)\}|[%_-])", re.IGNORECASE)
_LITERAL = re.compile(r"[^%]+")
_ONLY_EXPLAINING = frozenset("crt")
"""Letters that stand in the text of an explanation alone (section 7.2)."""
_PLAIN = {"%%": "%", "%_": " ", "%-": "%20"}


class Piece(Struct, frozen=True):
    """A part of a macro-string. ``letter`` is a macro's, empty for plain text and for ``%%``, ``%_`` and ``%-``.

    ``keep`` is how many of the right-hand parts are kept, 0 for all; ``reverse`` turns them round first.
    """

    text: str
    letter: str = ""
    keep: int = 0
    reverse: bool = False
    delimiters: str = ""


def pieces(text: str) -> Iterator[Piece]:
    """The parts of a macro-string, up to its first fault."""
    at = 0
    while at < len(text):
        if plain := _LITERAL.match(text, at):
            yield Piece(plain[0])
            at = plain.end()
            continue
        found = _MACRO.match(text, at)
        if found is None:
            return
        yield Piece(
            found[0], found[1] or "", int((found[2] or "0")[:MOST_DIGITS]), bool(found[3]), found[4] or ""
        )
        at = found.end()


def macro_fault(text: str, *, explaining: bool = False) -> tuple[int, int] | None:
    """Where the first macro stands that is none, if one does. The text of an explanation may have more of them."""
    at = 0
    while at < len(text):
        if plain := _LITERAL.match(text, at):
            at = plain.end()
            continue
        found = _MACRO.match(text, at)
        if found is None:
            ends = text.find("}", at)
            return at, ends + 1 if text[at : at + 2] == "%{" and ends > 0 else min(at + 2, len(text))
        if found[2] and not found[2].strip("0"):
            return at, found.end()
        if found[1] and not explaining and found[1].lower() in _ONLY_EXPLAINING:
            return at, found.end()
        at = found.end()
    return None


def expand(text: str, values: Mapping[str, str]) -> str:
    """The text with its macros expanded (section 7.3). ``values`` has a value for each letter, in lower case.

    A text with a fault is expanded as far as that.
    """
    return "".join(_expanded(piece, values) for piece in pieces(text))


def _expanded(piece: Piece, values: Mapping[str, str]) -> str:
    if not piece.letter:
        return _PLAIN.get(piece.text, piece.text)
    value = values.get(piece.letter.lower(), "")
    delimiters = piece.delimiters or "."
    parts = re.split(f"[{re.escape(delimiters)}]", value)
    if piece.reverse:
        parts.reverse()
    value = ".".join(parts[-piece.keep :] if piece.keep else parts)
    return quote(value, safe="-._~") if piece.letter.isupper() else value


def shortened(name: str) -> str:
    """A name that macros made longer than 253 characters, without labels on its left (section 7.3)."""
    name = name.removesuffix(".")
    while len(name) > 253 and "." in name:
        name = name.partition(".")[2]
    return name

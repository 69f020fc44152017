"""Characters that word processors and web pages put in place of those that programs read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from msgspec import Struct

BYTE_ORDER_MARK = "\ufeff"
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_PLAIN = {
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033\u300c\u300d\uff02", '"'),
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2039\u203a\u2032\u00b4\uff07", "'"),
    "\u2026": "...",
}
"""Quotation marks and the ellipsis (Unicode, General Punctuation), by what a keyboard has for them."""


class OddCharacter(Struct, frozen=True):
    """A character where plain text has another one: ``plain``, which is empty for one that nobody sees.

    ``column`` counts characters from zero.
    """

    column: int
    character: str
    plain: str

    @property
    def said(self) -> str:
        """What it is and what belongs there, as the end of a sentence that begins with its place."""
        name = _name(self.character)
        if not self.plain:
            return f"a character stands here that nobody sees ({name}), and that belongs nowhere"
        belongs = "a blank" if self.plain == " " else f"`{self.plain}`"
        named, _, number = name.rpartition(", ")
        shown = f"a {named} ({number})" if self.plain == " " else f"`{self.character}` ({name})"
        return f"{shown} stands where {belongs} belongs"


def odd_characters(text: str) -> Iterator[OddCharacter]:
    """The characters of a line that look like a quotation mark, a hyphen, a blank or a sign of ASCII and are none.

    Letters of other languages are no such characters.
    """
    for match in _NOT_ASCII.finditer(text):
        plain = _plain(match[0])
        if plain is not None:
            yield OddCharacter(match.start(), match[0], plain)


def _plain(character: str) -> str | None:
    """What a keyboard has in place of a character; ``None`` for one that stands for itself."""
    if character in _PLAIN:
        return _PLAIN[character]
    category = unicodedata.category(character)
    if category == "Pd" or character == "\N{MINUS SIGN}":
        return "-"
    if category == "Zs":
        return " "
    if category in ("Cf", "Zl", "Zp"):
        return ""
    same = unicodedata.normalize("NFKC", character)
    return same if same.isascii() and same.isprintable() and not same.isalnum() and same.strip() else None


def _name(character: str) -> str:
    if character == BYTE_ORDER_MARK:
        return "byte order mark, U+FEFF"
    name = unicodedata.name(character, "").lower()
    return f"{name}, U+{ord(character):04X}" if name else f"U+{ord(character):04X}"

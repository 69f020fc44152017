"""Where in the evidence something stands: a value between rooms, a text in the result document alone."""

from __future__ import annotations

from msgspec import Struct

MOST_DIGITS = 9
MOST_NUMBERS = 3
WHOLE_LINES = ("log", "zone")
"""Kinds of evidence that are counted in lines, not in pieces."""


class Pointer(Struct, frozen=True):
    """A piece of evidence: ``kind`` is the piece's, ``id`` its number, ``line`` an index within it.

    ``span`` is column and length of some characters, where a line is the piece. Every kind of lab has pieces of its
    own; sessions, messages and lines of a log are shared by several.
    """

    kind: str
    id: int
    line: int | None = None
    span: tuple[int, int] | None = None

    def __str__(self) -> str:
        numbers = [self.id, *([] if self.line is None else [self.line]), *(self.span or ())]
        return ":".join([self.kind, *map(str, numbers)])

    @property
    def anchor(self) -> str:
        """Its place in the HTML report: ``session-12-34``; what is one block there has one place."""
        within = self.line is not None and self.kind == "session"
        return f"{self.kind}-{self.id}" + (f"-{self.line}" if within else "")

    @property
    def name(self) -> str:
        """In words, where lines count from 1 as people's do: ``session 12, line 35``."""
        if self.kind in WHOLE_LINES:
            return f"{self.kind}, line {self.id + 1}"
        return f"{self.kind} {self.id}" + (f", line {self.line + 1}" if self.line is not None else "")


def parse(text: str) -> Pointer | None:
    """A pointer from a result document, ``None`` where it is of no known form.

    ``session:12`` is a piece, ``session:12:34`` a line of it, ``zone:8:19:4`` four characters of a line.
    """
    kind, *rest = text.split(":")
    if not kind.isidentifier() or not 0 < len(rest) <= MOST_NUMBERS:
        return None
    if not all(part.isascii() and part.isdigit() and len(part) <= MOST_DIGITS for part in rest):
        return None
    numbers = [int(part) for part in rest]
    if len(numbers) == MOST_NUMBERS:
        return Pointer(kind, numbers[0], span=(numbers[1], numbers[2]))
    return Pointer(kind, numbers[0], numbers[1] if len(numbers) > 1 else None)

"""Tag lists (RFC 6376 section 3.2), as DKIM's keys and signatures and DMARC's records are written, with positions.

Nothing is refused here and nothing lost: a part that is no tag stays in the list with what is wrong with it, and who
reads a list decides what that means. Offsets count characters of the text, which are octets where it was decoded as
latin-1.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import cached_property
from typing import Literal

from msgspec import Struct

WHITE = " \t\r\n"
"""Folding white space, which may stand around names and values."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")

Fault = Literal["empty", "no-equals", "bad-name"]
"""Why a part is no tag: nothing stands between two semicolons, it has no ``=``, or what stands before it is no name."""


class Tag(Struct, frozen=True):
    """A part of a tag list, from ``start`` to before ``end``, without the white space around it.

    ``value`` begins at ``value_start``; white space inside it is kept. A part without ``=`` is all value.
    """

    name: str
    value: str
    start: int
    value_start: int
    end: int
    fault: Fault | None = None


class TagList(Struct, frozen=True, dict=True):
    """The parts of a tag list, in order."""

    parts: list[Tag]

    @cached_property
    def tags(self) -> dict[str, Tag]:
        """Each name with the first tag of it. Parts that are no tags are left out."""
        found: dict[str, Tag] = {}
        for part in self.parts:
            if part.fault is None:
                found.setdefault(part.name, part)
        return found

    @cached_property
    def values(self) -> dict[str, str]:
        """Each name with the first value that it has."""
        return {name: tag.value for name, tag in self.tags.items()}

    @property
    def malformed(self) -> Tag | None:
        """The first part that is no tag."""
        return next((part for part in self.parts if part.fault), None)

    @property
    def duplicate(self) -> Tag | None:
        """The first tag whose name stands further ahead already, which RFC 6376 forbids."""
        return self.duplicate_of()

    def duplicate_of(self, names: Collection[str] | None = None) -> Tag | None:
        """The first of these tags, or of all, whose name stands further ahead already."""
        seen: set[str] = set()
        for part in self.parts:
            if part.fault is not None or (names is not None and part.name not in names):
                continue
            if part.name in seen:
                return part
            seen.add(part.name)
        return None


def read_tags(text: str, *, any_case: bool = False) -> TagList:
    """The text as a tag list. Names count as written, or in lower case where ``any_case`` says that none matters."""
    return TagList(list(_parts(text, any_case=any_case)))


def _parts(text: str, *, any_case: bool) -> Iterator[Tag]:
    at = 0
    pieces = text.split(";")
    if not pieces[-1].strip(WHITE):
        pieces.pop()  # what a semicolon at the end leaves, which is allowed, or an empty text
    for piece in pieces:
        start = at + len(piece) - len(piece.lstrip(WHITE))
        stripped = piece.strip(WHITE)
        yield _part(stripped, start if stripped else at, any_case=any_case)
        at += len(piece) + 1


def _part(text: str, start: int, *, any_case: bool) -> Tag:
    end = start + len(text)
    name, equals, value = text.partition("=")
    if not equals:
        return Tag("", text, start, start, end, "no-equals" if text else "empty")
    value_start = end - len(value.lstrip(WHITE))
    name = name.rstrip(WHITE)
    fault: Fault | None = None if _NAME.fullmatch(name) else "bad-name"
    return Tag(name.lower() if any_case else name, value.lstrip(WHITE), start, value_start, end, fault)

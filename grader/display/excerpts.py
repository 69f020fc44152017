"""Excerpts of the evidence: the lines that decided a check, and those around them. Terminal and HTML show the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Struct

from grader.model.pointer import Pointer


class ExcerptRow(Struct, frozen=True):
    """A line of an excerpt. ``who`` is ``C``, ``S``, ``*`` or empty; ``number`` counts from 1.

    ``marks`` are where marked characters begin and end, in their order.
    """

    number: int
    who: str
    text: str
    decisive: bool = False
    marks: tuple[tuple[int, int], ...] = ()

    def parts(self) -> Iterator[tuple[str, bool]]:
        """The text in pieces, each marked or not."""
        at = 0
        for start, end in self.marks:
            yield self.text[at:start], False
            yield self.text[max(at, start) : end], True
            at = max(at, end)
        yield self.text[at:], False

    @property
    def said_by(self) -> str:
        """What a transcript writes before the text: ``C:``, ``S:``, ``*`` for a remark, nothing elsewhere."""
        return f"{self.who}:" if self.who in ("C", "S") else self.who


class Excerpt(Struct, frozen=True):
    """Lines around a decisive one, out of ``total`` lines of the same source; between them some may be left out."""

    pointer: Pointer
    title: str
    rows: list[ExcerptRow]
    total: int

    @property
    def name(self) -> str:
        """What the hidden lines are lines of: ``session 12``."""
        names = {"log": "the log", "zone": "the zone", "quote": "what the question shows"}
        return names.get(self.pointer.kind, f"{self.pointer.kind} {self.pointer.id}")

    def with_gaps(self) -> Iterator[ExcerptRow | int]:
        """The rows, and between them how many lines are left out there."""
        next_number = 1
        for row in self.rows:
            if row.number > next_number:
                yield row.number - next_number
            yield row
            next_number = row.number + 1
        if self.total >= next_number:
            yield self.total - next_number + 1


def of_each_kind(
    pointers: Sequence[Pointer], excerpt: Callable[[Pointer], Excerpt | None]
) -> tuple[list[Excerpt], int]:
    """An excerpt for the first pointer of each kind of piece, and how many pointers are left over.

    The first tells the story; the others tell it again for other forms and listeners.
    """
    first: dict[str, Pointer] = {}
    for pointer in pointers:
        first.setdefault(pointer.kind, pointer)
    shown = [made for pointer in first.values() if (made := excerpt(pointer))]
    return shown, len(pointers) - len(shown)


def window(within: range, middle: int, rows: int) -> range:
    """``rows`` indexes around ``middle``, three quarters of them before it: what led there explains it."""
    offset = max(0, min(middle - within.start - rows * 3 // 4, len(within) - rows))
    return within[offset : offset + rows]


def cut(
    pointer: Pointer, title: str, lines: Sequence[tuple[str, str]], shown: Iterable[int], decisive: int | None
) -> Excerpt:
    """An excerpt of the ``lines`` (who, text) at the indexes ``shown``, the one at ``decisive`` marked."""
    wanted = {index for index in shown if index < len(lines)}
    # To say that one line is left out takes a line.
    known = wanted | {-1, len(lines)}
    wanted |= {index for index in range(len(lines)) if {index - 1, index + 1} <= known}
    rows = [ExcerptRow(index + 1, *lines[index], decisive=index == decisive) for index in sorted(wanted)]
    return Excerpt(pointer, title, rows, len(lines))

"""What a screen shows, before it is laid out: texts in styles, rows in columns, quoted lines.

``plain`` lays it out where that is simple, and ``screen`` with the library for terminals, which takes long to load.
Styles are written as that library reads them: ``bold red``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias, TypeVar

from msgspec import Struct

from grader.display.excerpts import Excerpt, ExcerptRow
from grader.display.looks import BAR, LOOKS, QUIET, cells
from grader.display.text import one_line, visible
from grader.model.result import Status

T = TypeVar("T")

LONGEST = 1500
"""Characters of one text that are shown; what is left out is counted."""

VOICES = {"C": "cyan", "*": f"italic {QUIET}"}


class Words:
    """A text in ``pieces``, each with a style of its own on top of that of the whole.

    ``cut`` says that it takes one line, and shows where it goes on.
    """

    def __init__(self, text: str = "", style: str = "", *, cut: bool = False) -> None:
        self.style = style
        self.cut = cut
        self.pieces: list[tuple[str, str]] = [(text, "")] if text else []

    @classmethod
    def of(cls, *parts: Words | str, between: str = "") -> Words:
        """Texts one after the other."""
        made = cls()
        for number, part in enumerate(parts):
            made.add(between if number else "").add(part)
        return made

    def copy(self) -> Words:
        """Another one that says the same."""
        made = Words(style=self.style, cut=self.cut)
        made.pieces = [*self.pieces]
        return made

    @property
    def plain(self) -> str:
        """The text alone."""
        return "".join(text for text, _ in self.pieces)

    def add(self, more: Words | str, style: str = "") -> Words:
        """This text with ``more`` behind it."""
        if isinstance(more, str):
            more = Words(more, style)
        for text, own in more.pieces:
            style = f"{more.style} {own}".strip()
            if not style and self.pieces and not self.pieces[-1][1]:
                text = self.pieces.pop()[0] + text
            self.pieces.append((text, style))
        return self


class Column(Struct, frozen=True):
    """A column: so many cells wide, all that the others leave (``rest``), or as wide as what stands in it, and at
    ``most`` so wide. ``right``: what stands there ends at its right edge."""

    width: int = 0
    rest: bool = False
    most: int = 0
    right: bool = False
    whole: bool = False
    """Whether nothing in it is wrapped."""


class Grid:
    """Rows in columns that stand two blanks apart, across the whole width."""

    def __init__(self, *columns: Column) -> None:
        self.columns = columns
        self.rows: list[tuple[Words | Behind | Stack, ...]] = []

    def row(self, *cells: Words | Behind | Stack | str) -> None:
        """Add a row."""
        self.rows.append(tuple(Words(cell) if isinstance(cell, str) else cell for cell in cells))


class Stack:
    """Parts beneath each other."""

    def __init__(self, *parts: Part) -> None:
        self.parts = parts


class Behind(Struct, frozen=True):
    """A command behind a text: in one piece, so that it can be copied."""

    said: Words
    command: Words

    def joined(self, width: int, measure: Callable[[Words, int], int]) -> Words:
        """Both for so many columns; ``measure`` gives the cells of the last line of a text wrapped at a width."""
        last, more = measure(self.said, width), measure(self.command, len(self.command.plain) * 2 + 1)
        fits = not self.said.plain or last + 1 + more <= width
        blank = " " if self.said.plain and fits else "\n" if self.said.plain else ""
        return Words.of(self.said).add(blank).add(self.command)


class Indented(Struct, frozen=True):
    """A text that stands behind three blanks."""

    words: Words


class Line(Struct, frozen=True):
    """A line across the screen."""


class Quote(Struct, frozen=True):
    """An excerpt: numbered lines behind a bar that goes on where a line is wrapped; an arrow before the decisive one.

    ``around``: say how many lines of the source stand before and after.
    """

    excerpt: Excerpt
    around: bool = True

    @property
    def heading(self) -> Words:
        """What is quoted."""
        name = f"{self.excerpt.name}  " if self.excerpt.pointer.kind in ("session", "message") else ""
        return words(name + self.excerpt.title, QUIET, single=True)


Part: TypeAlias = "Words | Behind | Grid | Stack | Indented | Line | Quote"


class Paper(Struct, frozen=True):
    """What is known of a screen: how many columns it has, and whether it can show more signs than ASCII's."""

    width: int
    fancy: bool

    def glyph(self, fancy: str, plain: str) -> str:
        """``fancy`` where the terminal can show it."""
        return fancy if self.fancy else plain

    def sign(self, status: Status) -> Words:
        """The status's sign in its colour."""
        look = LOOKS[status]
        return Words(self.glyph(look.sign, look.ascii), look.style)

    def bar(self, part: int, whole: int, style: str = "green") -> Words:
        """``part`` of ``whole`` as 16 cells; something fills at least one, and less than all never all."""
        full = cells(part, whole)
        drawn = Words().add(self.glyph("━", "=") * full, style)
        return drawn.add(self.glyph("─", "-") * (BAR - full), QUIET)


def words(text: str, style: str = "", *, single: bool = False, longest: int = LONGEST) -> Words:
    """Anybody's text, ready to be laid out. Beyond ``longest`` characters it says how many more there are."""
    return Words(bounded(text, single=single, longest=longest), style)


def bounded(text: str, *, single: bool, longest: int = LONGEST) -> str:
    """Anybody's text as it can be shown, ``single`` on one line."""
    shown = one_line(text) if single else visible(text).replace("\t", "    ")
    if (more := len(shown) - longest) > 0:
        shown = f"{shown[:longest]} … {more:,} more characters"
    return shown


def quoted(
    quote: Quote,
    columns: int,
    glyph: Callable[[str, str], str],
    wrap: Callable[[Words, int], list[T]],
    marked: Callable[[ExcerptRow, int], Iterator[T]],
) -> Iterator[tuple[Words, T]]:
    """The lines of a quote, without its heading: what stands before each of them, and the line.

    ``wrap`` gives the lines of a text, ``marked`` those of a row with marks, of at most so many columns.
    """
    excerpt = quote.excerpt
    rows = list(excerpt.with_gaps())
    if not quote.around:
        ends = [n for n, row in enumerate(rows) if isinstance(row, ExcerptRow)]
        rows = rows[ends[0] : ends[-1] + 1] if ends else []
    digits = max((len(str(row.number)) for row in excerpt.rows), default=1)
    bar, arrow = glyph("│", "|"), glyph("▶", ">")
    width = max(10, columns - digits - 3)
    for row in rows:
        mark, style, number = bar, QUIET, ""
        if isinstance(row, ExcerptRow) and (row.marks or excerpt.pointer.kind == "zone"):
            mark, style = (arrow, "bold red") if row.decisive else (bar, QUIET)
            number = str(row.number)
            for line in marked(row, width):
                yield _margin(mark, style, number, digits), line
                mark, style, number = bar, QUIET, ""
            continue
        if isinstance(row, int):
            said = Words(f"… {row:,} more line{'s' * (row != 1)} of {excerpt.name}", f"italic {QUIET}")
        else:
            number = "" if excerpt.pointer.kind == "case" else str(row.number)
            # A tab here is how a header is folded, and its width is nobody's news.
            spoken = f"{row.said_by} {row.text}" if row.who else row.text
            said = words(spoken.replace("\t", "    "), VOICES.get(row.who, ""), single=True)
            if row.decisive:
                mark, style = arrow, "bold red"
                said = Words(said.plain, f"{said.style} {style}".strip())
        for line in wrap(said, width):
            yield _margin(mark, style, number, digits), line
            mark, number = bar if mark == bar else " ", ""


def _margin(mark: str, style: str, number: str, digits: int) -> Words:
    return Words().add(mark, style).add(f" {number:>{digits}} ", QUIET)

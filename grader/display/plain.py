"""Lays out what is simple to lay out: as the library for terminals does, without the time that loading it takes.

Whatever holds characters that may take more cells than one, or is to be guessed about the terminal, is left to it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import IO

from grader.display.excerpts import ExcerptRow
from grader.display.layout import (
    Behind,
    Column,
    Grid,
    Indented,
    Line,
    Paper,
    Part,
    Quote,
    Stack,
    Words,
    quoted,
)
from grader.display.looks import QUIET, WIDEST, finished, is_fancy

GAP = 2
INDENT = "   "
ONE_CELL = frozenset("·…✓✗↷▲◆│▶─━—→“”\N{EN DASH}")
"""Characters beyond ASCII that take one cell on every terminal."""
ATTRIBUTES = {"bold": "1", "dim": "2", "italic": "3"}
COLOURS = {"red": "31", "green": "32", "yellow": "33", "magenta": "35", "cyan": "36"}
"""Styles as terminals know them (ECMA-48, SGR)."""
DECIDING = (
    "FORCE_COLOR",
    "NO_COLOR",
    "TTY_COMPATIBLE",
    "TTY_INTERACTIVE",
    "JUPYTER_COLUMNS",
    "JUPYTER_LINES",
)
"""What people say in their environment about how their terminal is to be taken."""

_WORD = re.compile(r"\s*\S+\s*")


class NotSimpleError(Exception):
    """It takes the library to lay this out."""


class Printer:
    """Writes to ``file``. ``width`` (columns) and ``color`` are the terminal's unless given.

    Raises ``NotSimpleError`` where the library has to find out what the terminal can do.
    """

    def __init__(self, file: IO[str], *, width: int | None = None, color: bool | None = None) -> None:
        if color is None:
            if any(name in os.environ for name in DECIDING):
                raise NotSimpleError
            color = file.isatty()
            if color and os.environ.get("TERM", "").lower() in ("", "dumb", "unknown"):
                raise NotSimpleError
        self._file = file
        self._encoding = getattr(file, "encoding", None) or "utf-8"
        self._color = color
        self.paper = Paper(min(width or _columns(), WIDEST), is_fancy(self._encoding))

    def show(self, *parts: Part) -> None:
        """Print all of it, or raise ``NotSimpleError``."""
        lines = [line for part in parts for line in self._laid_out(part, self.paper.width, padded=False)]
        self._file.write(finished("".join(f"{line}\n" for line in lines), self._encoding))
        self._file.flush()

    def _laid_out(self, part: Part, width: int, *, padded: bool = True) -> Iterator[str]:
        """The lines of a part; ``padded`` with blanks, as in a column."""
        match part:
            case Words():
                yield from map(self._painted, wrapped(part, width, padded=padded))
            case Behind():
                yield from self._laid_out(part.joined(width, _last), width)
            case Grid():
                yield from self._rows(part, width)
            case Stack():
                for inner in part.parts:
                    yield from self._laid_out(inner, width)
            case Indented():
                for text in self._laid_out(part.words, width - len(INDENT), padded=False):
                    yield INDENT + text
            case Line():
                yield self._painted(Words(self.paper.glyph("─", "-") * width, QUIET))
            case Quote():
                yield from self._laid_out(part.heading, width)
                for margin, line in quoted(part, width, self.paper.glyph, wrapped, _marked):
                    yield self._painted(margin) + self._painted(line)

    def _rows(self, grid: Grid, width: int) -> Iterator[str]:
        widths = _widths(grid, width)
        for row in grid.rows:
            cells = [
                self._cell(cell, column, columns)
                for cell, column, columns in zip(row, grid.columns, widths, strict=True)
            ]
            for number in range(max(map(len, cells))):
                yield (" " * GAP).join(
                    cell[number] if number < len(cell) else " " * columns
                    for cell, columns in zip(cells, widths, strict=True)
                )

    def _cell(self, cell: Words | Behind | Stack, column: Column, width: int) -> list[str]:
        if not (isinstance(cell, Words) and column.right):
            return list(self._laid_out(cell, width))
        room = " " * (width - len(cell.plain))
        return [self._painted(Words(room + cell.plain, cell.style))]

    def _painted(self, words: Words) -> str:
        return "".join(self._coloured(text, f"{words.style} {style}") for text, style in words.pieces)

    def _coloured(self, text: str, style: str) -> str:
        code = _code(style) if self._color else ""
        return f"\x1b[{code}m{text}\x1b[0m" if code else text


@lru_cache(maxsize=64)
def _code(style: str) -> str:
    """The numbers of SGR for a style, in which the last colour counts."""
    said = style.split()
    codes = [code for name, code in ATTRIBUTES.items() if name in said]
    codes += [COLOURS[name] for name in said if name in COLOURS][-1:]
    return ";".join(codes)


def wrapped(words: Words, width: int, *, padded: bool = False) -> list[Words]:
    """The lines of a text; each ``padded`` with blanks. Raises ``NotSimpleError`` where a sign may be a wide one."""
    lines = []
    for line in _paragraphs(words):
        text, begin = line.plain, 0
        others = "" if text.isascii() else {sign for sign in text if not sign.isascii()}
        if not (text.isprintable() and ONE_CELL.issuperset(others)):
            raise NotSimpleError
        if len(text) <= width:
            lines.append(_padded(line.copy(), width - len(text)) if padded else line)
            continue
        for end in (*(() if words.cut else _breaks(text, width)), len(text)):
            lines.append(_fitted(line, begin, end, width, padded=padded))
            begin = end
    return lines


def _paragraphs(words: Words) -> Iterator[Words]:
    """What stands between line feeds."""
    if "\n" not in words.plain:
        yield words
        return
    made = Words(style=words.style)
    for text, style in words.pieces:
        first, *others = text.split("\n")
        made.pieces += [(first, style)] if first else []
        for other in others:
            yield made
            made = Words(style=words.style)
            made.pieces += [(other, style)] if other else []
    yield made


def _fitted(words: Words, begin: int, end: int, width: int, *, padded: bool) -> Words:
    """A line of a text: what is too long of it are blanks, or it is cut."""
    shown = words.plain[begin:end]
    if not words.cut:
        shown = shown[: max(width, len(shown.rstrip()))]
    elif len(shown) > width:
        shown = shown[: width - 1] + "…"
    made, at = Words(style=words.style), 0
    for text, style in words.pieces:
        piece = shown[max(at - begin, 0) : max(at + len(text) - begin, 0)]
        at += len(text)
        if piece:
            made.pieces.append((piece, style))
    return _padded(made, width - len(shown)) if padded else made


def _padded(words: Words, blanks: int) -> Words:
    return words.add(" " * blanks) if blanks > 0 else words


def _breaks(text: str, width: int) -> Iterator[int]:
    """Where a line is broken: between words, and inside those that are longer than a line."""
    used = 0
    for found in _WORD.finditer(text):
        start, word = found.start(), found[0]
        long = len(word.rstrip())
        if width - used >= long:
            used += len(word)
        elif long > width:
            for at in range(0, len(word), width):
                if start + at:
                    yield start + at
            used = len(word) - at
        elif used and start:
            yield start
            used = len(word)


def _widths(grid: Grid, width: int) -> list[int]:
    """The cells of each column. Raises ``NotSimpleError`` where there is no room."""
    found = [
        column.width or min(column.most or width, max(len(_text(row[n])) for row in grid.rows))
        for n, column in enumerate(grid.columns)
    ]
    rest = width - GAP * (len(found) - 1)
    rest -= sum(cells for cells, column in zip(found, grid.columns, strict=True) if not column.rest)
    if rest < 1:
        raise NotSimpleError
    return [rest if column.rest else cells for cells, column in zip(found, grid.columns, strict=True)]


def _text(cell: Words | Behind | Stack) -> str:
    return cell.plain if isinstance(cell, Words) else ""


def _last(words: Words, width: int) -> int:
    return len(wrapped(words, width)[-1].plain)


def _marked(row: ExcerptRow, width: int) -> Iterator[Words]:
    raise NotSimpleError


def _columns() -> int:
    """The terminal's width: of whichever standard stream is one, unless the environment says another."""
    found = 0
    for descriptor in (0, 1, 2):
        try:
            found = os.get_terminal_size(descriptor).columns
            break
        except (OSError, ValueError):
            continue
    told = os.environ.get("COLUMNS", "")
    return (int(told) if told.isdigit() else found) or 80

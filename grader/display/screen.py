"""The screen that results are shown on: widths, colours, signs, and the last step of escaping.

rich lays everything out as plain ``Text``, never as markup.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import IO

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from grader.display.excerpts import ExcerptRow
from grader.display.layout import (
    LONGEST,
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
    bounded,
    quoted,
)
from grader.display.looks import QUIET, WIDEST, finished, is_fancy
from grader.model.result import Status


class Screen:
    """Where a result is shown: rich's console, and what the terminal's encoding can show."""

    def __init__(
        self, file: IO[str] | None = None, *, width: int | None = None, color: bool | None = None
    ) -> None:
        self.file = file or sys.stdout
        self.encoding = getattr(self.file, "encoding", None) or "utf-8"
        self.fancy = is_fancy(self.encoding)
        self.console = Console(
            file=self.file,
            width=width,
            no_color=None if color is None else not color,
            force_terminal=color or None,
            highlight=False,
            markup=False,
            emoji=False,
            safe_box=True,
        )
        self.console.width = min(self.console.width, WIDEST)
        self.paper = Paper(self.console.width, self.fancy)

    def sign(self, status: Status) -> Text:
        """The status's sign in its colour."""
        return rich_text(self.paper.sign(status))

    def glyph(self, fancy: str, plain: str) -> str:
        """``fancy`` where the terminal can show it."""
        return self.paper.glyph(fancy, plain)

    def show(self, *parts: RenderableType) -> None:
        """Print, as lines that no CI server obeys and the terminal's encoding can carry."""
        with self.console.capture() as captured:
            for part in parts:
                self.console.print(part)
        self.file.write(finished(captured.get(), self.encoding))
        self.file.flush()


def words(text: str, style: str = "", *, single: bool = False, longest: int = LONGEST) -> Text:
    """Anybody's text, ready to be laid out. Beyond ``longest`` characters it says how many more there are."""
    return Text(bounded(text, single=single, longest=longest), style=style, overflow="fold")


def grid(*columns: dict[str, object]) -> Table:
    """A table without lines whose columns stand two blanks apart."""
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    for column in columns:
        table.add_column(**{"overflow": "fold", **column})  # type: ignore[arg-type]
    return table


class ExcerptLines:
    """A ``Quote`` on a screen."""

    def __init__(self, screen: Screen, quote: Quote) -> None:
        self.screen = screen
        self.quote = quote

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        def wrap(said: Words, width: int) -> list[Text]:
            return [*rich_text(said).wrap(console, width, overflow="fold")] or [Text()]

        def marked(row: ExcerptRow, width: int) -> Iterator[Text]:
            from grader.display.carets import marked as with_carets

            return with_carets(row, width)

        yield rich_text(self.quote.heading)
        for margin, line in quoted(self.quote, options.max_width, self.screen.glyph, wrap, marked):
            yield Text().append_text(rich_text(margin)).append_text(line)


class _Joined:
    """A command behind a text on a screen."""

    def __init__(self, both: Behind) -> None:
        self._both = both

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        def last(words: Words, width: int) -> int:
            return sum(line.cell_len for line in rich_text(words).wrap(console, width, overflow="fold")[-1:])

        yield rich_text(self._both.joined(options.max_width, last))


def rich_text(words: Words) -> Text:
    """A text as the library has it."""
    text = Text(style=words.style, overflow="ellipsis" if words.cut else "fold", no_wrap=words.cut or None)
    for piece, style in words.pieces:
        text.append(piece, style or None)
    return text


def laid_out(part: Part, screen: Screen) -> RenderableType:
    """A part as the library lays it out."""
    match part:
        case Words():
            return rich_text(part)
        case Behind():
            return _Joined(part)
        case Grid():
            table = grid(*map(_column, part.columns))
            for row in part.rows:
                table.add_row(*(laid_out(cell, screen) for cell in row))
            return table
        case Stack():
            return Group(*(laid_out(inner, screen) for inner in part.parts))
        case Indented():
            return Padding(rich_text(part.words), (0, 0, 0, 3))
        case Line():
            return Rule(style=QUIET, characters=screen.glyph("─", "-"))
        case Quote():
            return ExcerptLines(screen, part)


def _column(column: Column) -> dict[str, object]:
    known: dict[str, object] = {"ratio": 1} if column.rest else {}
    known |= {"width": column.width} if column.width else {}
    known |= {"max_width": column.most} if column.most else {}
    known |= {"justify": "right"} if column.right else {}
    return known | ({"no_wrap": True} if column.whole else {})


def bar(screen: Screen, part: int, whole: int, style: str = "green") -> Text:
    """``part`` of ``whole`` as 16 cells; something fills at least one of them, and less than all never all."""
    return rich_text(screen.paper.bar(part, whole, style))

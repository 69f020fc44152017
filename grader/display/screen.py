"""The screen that results are shown on: widths, colours, signs, and the last step of escaping.

rich lays everything out as plain ``Text``, never as markup.
"""

from __future__ import annotations

import sys
from typing import IO

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from grader.display.excerpts import Excerpt, ExcerptRow
from grader.display.looks import BAR, LOOKS, QUIET, WIDEST, cells, finished, is_fancy
from grader.display.text import one_line, visible
from grader.model.result import Status

LONGEST = 1500
"""Characters of one text that are shown; what is left out is counted."""


VOICES = {"C": "cyan", "*": f"italic {QUIET}"}


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

    def sign(self, status: Status) -> Text:
        """The status's sign in its colour."""
        look = LOOKS[status]
        return Text(look.sign if self.fancy else look.ascii, style=look.style)

    def glyph(self, fancy: str, plain: str) -> str:
        """``fancy`` where the terminal can show it."""
        return fancy if self.fancy else plain

    def show(self, *parts: RenderableType) -> None:
        """Print, as lines that no CI server obeys and the terminal's encoding can carry."""
        with self.console.capture() as captured:
            for part in parts:
                self.console.print(part)
        self.file.write(finished(captured.get(), self.encoding))
        self.file.flush()


def words(text: str, style: str = "", *, single: bool = False, longest: int = LONGEST) -> Text:
    """Anybody's text, ready to be laid out. Beyond ``longest`` characters it says how many more there are."""
    shown = one_line(text) if single else visible(text).replace("\t", "    ")
    if (more := len(shown) - longest) > 0:
        shown = f"{shown[:longest]} … {more:,} more characters"
    return Text(shown, style=style, overflow="fold")


def grid(*columns: dict[str, object]) -> Table:
    """A table without lines whose columns stand two blanks apart."""
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    for column in columns:
        table.add_column(**{"overflow": "fold", **column})  # type: ignore[arg-type]
    return table


class ExcerptLines:
    """Numbered lines behind a bar that goes on where a line is wrapped; an arrow before the decisive one."""

    def __init__(self, screen: Screen, excerpt: Excerpt, *, around: bool = True) -> None:
        """``around``: say how many lines of the source stand before and after."""
        self.screen = screen
        self.excerpt = excerpt
        self._rows = list(excerpt.with_gaps())
        if not around:
            ends = [n for n, row in enumerate(self._rows) if isinstance(row, ExcerptRow)]
            self._rows = self._rows[ends[0] : ends[-1] + 1] if ends else []

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        name = f"{self.excerpt.name}  " if self.excerpt.pointer.kind in ("session", "message") else ""
        yield words(name + self.excerpt.title, QUIET, single=True)
        digits = max((len(str(row.number)) for row in self.excerpt.rows), default=1)
        bar, arrow = self.screen.glyph("│", "|"), self.screen.glyph("▶", ">")
        width = max(10, options.max_width - digits - 3)
        for row in self._rows:
            mark, style, number = bar, QUIET, ""
            if isinstance(row, ExcerptRow) and (row.marks or self.excerpt.pointer.kind == "zone"):
                from grader.display.carets import marked

                mark, style = (arrow, "bold red") if row.decisive else (bar, QUIET)
                number = str(row.number)
                for line in marked(row, width):
                    yield Text.assemble((mark, style), (f" {number:>{digits}} ", QUIET), line)
                    mark, style, number = bar, QUIET, ""
                continue
            if isinstance(row, int):
                said = Text(
                    f"… {row:,} more line{'s' * (row != 1)} of {self.excerpt.name}", f"italic {QUIET}"
                )
            else:
                number = "" if self.excerpt.pointer.kind == "case" else str(row.number)
                # A tab here is how a header is folded, and its width is nobody's news.
                said = words(_spoken(row).replace("\t", "    "), VOICES.get(row.who, ""), single=True)
                if row.decisive:
                    mark, style = arrow, "bold red"
                    said.stylize(style)
            for line in said.wrap(console, width, overflow="fold") or [Text()]:
                yield Text.assemble((mark, style), (f" {number:>{digits}} ", QUIET), line)
                mark, number = bar if mark == bar else " ", ""


def _spoken(row: ExcerptRow) -> str:
    return f"{row.said_by} {row.text}" if row.who else row.text


def bar(screen: Screen, part: int, whole: int, style: str = "green") -> Text:
    """``part`` of ``whole`` as 16 cells; something fills at least one of them, and less than all never all."""
    full = cells(part, whole)
    return Text.assemble(
        (screen.glyph("━", "=") * full, style), (screen.glyph("─", "-") * (BAR - full), QUIET)
    )

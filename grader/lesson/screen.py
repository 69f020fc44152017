"""Reference entries on the terminal: ``smtplab explain RCPT``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from rich.console import RenderableType
from rich.text import Text

from grader.lesson.entries import Entry, Said
from grader.lesson.library import Library
from grader.outputs.screen import QUIET, Screen, grid, words

LABELS = {"syntax": "Syntax", "when": "When", "example": "Example", "postfix": "Postfix"}
"""Keys that only some kinds of entries have, in the order in which they are shown."""


def show(
    entry: Entry,
    library: Library,
    *,
    file: IO[str] | None = None,
    width: int | None = None,
    color: bool | None = None,
) -> None:
    """Print an entry: what it is, how it is written, what Postfix says, and where to read more."""
    screen = Screen(file, width=width, color=color)
    table = grid({"width": 8}, {"ratio": 1})
    for label, text in _rows(entry, library):
        table.add_row(Text(label, "bold"), words(text))
    parts: list[RenderableType] = [
        words(entry.title, "bold"),
        words(entry.summary, QUIET),
        Text(),
        words(entry.text),
        Text(),
        table,
    ]
    screen.show(*parts)


def _rows(entry: Entry, library: Library) -> Iterator[tuple[str, str]]:
    for key, label in LABELS.items():
        value = getattr(entry, key, None)
        if isinstance(value, list) and value:
            yield label, "\n".join(_line(item) for item in value)
        elif isinstance(value, str) and value:
            yield label, value
    if entry.remark:
        yield "Remark", entry.remark
    yield "See", "; ".join([*entry.references, *(library.entries[other].title for other in entry.see)])


def _line(item: object) -> str:
    return f"{item.line}\n  ({item.when})" if isinstance(item, Said) else str(item)

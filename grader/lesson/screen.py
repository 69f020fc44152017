"""The reference on the terminal: an entry (``smtplab explain RCPT``), or a sheet (``smtplab explain commands``)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from rich.console import RenderableType
from rich.text import Text

from grader.display.looks import QUIET
from grader.display.screen import Screen, grid, words
from grader.formats.message.rules import RULES
from grader.lesson.entries import LessonEntry
from grader.lesson.facts import LABELS, lines
from grader.lesson.library import Library
from grader.lesson.sheets import Sheet

Row = tuple[str, str, str]


def show(
    entry: LessonEntry,
    library: Library,
    *,
    file: IO[str] | None = None,
    width: int | None = None,
    color: bool | None = None,
) -> None:
    """Print an entry: what it is, how it is written, what Postfix says, and where to read more."""
    screen = Screen(file, width=width, color=color)
    table = grid({"width": 11}, {"ratio": 1})
    for label, text in _facts(entry, library):
        table.add_row(Text(label, "bold"), words(text, longest=10_000))
    parts: list[RenderableType] = [
        words(entry.title, "bold"),
        words(entry.summary, QUIET),
        Text(),
        words(entry.text),
        Text(),
        table,
    ]
    screen.show(*parts)


def _facts(entry: LessonEntry, library: Library) -> Iterator[tuple[str, str]]:
    for key, label in LABELS.items():
        if told := lines(entry, key, library):
            yield label, "\n".join(told)
    if entry.remark:
        yield "Remark", entry.remark
    yield "See", "; ".join([*entry.references, *(library.entries[other].title for other in entry.see)])


def show_sheet(
    sheet: Sheet,
    library: Library,
    *,
    file: IO[str] | None = None,
    width: int | None = None,
    color: bool | None = None,
) -> None:
    """Print a reference sheet: a line or two for each of its entries, with the section to read."""
    screen = Screen(file, width=width, color=color)
    rows = list(_rows(sheet, library))
    table = grid({"width": min(27, max(len(row[0]) for row in rows))}, {"ratio": 1}, {"width": 14})
    for name, text, reference in rows:
        table.add_row(words(name, "bold"), words(text), words(reference, QUIET))
    parts: list[RenderableType] = [
        words(sheet.title, "bold"),
        words(sheet.summary, QUIET),
        Text(),
        table,
        Text(),
        words(f"{sheet.selection} {sheet.rest}".rstrip(), QUIET),
    ]
    if sheet.kinds:
        parts += [Text(), words("One of them in full: smtplab explain NAME", QUIET)]
    screen.show(*parts)


def _rows(sheet: Sheet, library: Library) -> Iterator[Row]:
    for kind in sheet.kinds:
        for entry in library.of(kind):
            yield entry.title.partition(",")[0], entry.summary, _short(entry.references[0])
    if sheet.name == "header-rules":
        for rule in library.rules.values():
            yield RULES[rule.id].severity, rule.title, _short(RULES[rule.id].reference)
    if sheet.name == "standards":
        for document in library.documents.values():
            newer = " and ".join(map(str, library.today(document.number)))
            last = f"see {newer}" if document.obsoleted else str(document.year)
            yield f"RFC {document.number}", document.title, last


def _short(reference: str) -> str:
    return reference.removeprefix("RFC ").replace(" section ", " §").replace(" appendix ", " app. ")

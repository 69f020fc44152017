"""What ``smtplab explain`` shows beside entries: what was found for some words, a standard, a lab, and the shelf."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import IO

from rich.console import RenderableType
from rich.text import Text

from grader.display.looks import QUIET
from grader.display.screen import Screen, grid, words
from grader.display.sentences import count
from grader.lesson.entries import Document
from grader.lesson.finding import Found
from grader.lesson.fulltext import Sought
from grader.lesson.library import Library
from grader.lesson.sheets import SHEETS
from grader.model.lab import Lab

NAME = "smtplab"
MOST = 8
MOST_USED = 12
_STANDARD = re.compile(r"rfc ?([0-9]{3,5})\Z", re.IGNORECASE)


def standard(term: str, library: Library) -> Document | None:
    """The document that is named by its number, ``RFC 5321`` or ``rfc5321``; ``None`` for anything else."""
    found = _STANDARD.match(term.strip())
    return library.documents.get(int(found[1])) if found else None


def show_standard(document: Document, library: Library, *, file: IO[str] | None = None) -> None:
    """Print what a standard is, whether it is in force, and which entries refer to it."""
    screen = Screen(file)
    name = f"RFC {document.number}"
    newer = " and ".join(f"RFC {number}" for number in document.obsoleted)
    last = " and ".join(f"RFC {number}" for number in library.today(document.number))
    standing = f"obsoleted by {newer}" if newer else document.status
    if document.obsoleted not in ([], library.today(document.number)):
        standing += f"; today {last}"
    used = [
        entry.title.partition(",")[0]
        for entry in library.entries.values()
        if any(re.match(rf"{name}(?!\d)", reference) for reference in entry.references)
    ]
    more = f" and {len(used) - MOST_USED} more" if len(used) > MOST_USED else ""
    table = grid({"width": 10}, {"ratio": 1})
    for label, text in (
        ("Standing", standing),
        ("Updated by", ", ".join(f"RFC {number}" for number in document.updated)),
        ("Year", str(document.year)),
        ("Note", document.note),
        ("Used for", f"{'; '.join(used[:MOST_USED])}{more}"),
        ("Text", f"https://www.rfc-editor.org/rfc/rfc{document.number}"),
    ):
        if text:
            table.add_row(Text(label, "bold"), words(text))
    screen.show(words(f"{name}, {document.title}", "bold"), Text(), table)


def show_lab(
    lab: Lab, titles: Iterable[str], *, entry: str = "", program: str = NAME, file: IO[str] | None = None
) -> None:
    """Print what a lab asks for: ``titles`` are those of its checks. ``entry`` is one of the sheets with its name."""
    screen = Screen(file)
    table = grid({"ratio": 1}, {"width": 4, "justify": "right"})
    for check, title in zip(lab.all_checks, titles, strict=True):
        row = words(title)
        row.append_text(words(f"  {lab.id}/{check.code}", QUIET, single=True))
        table.add_row(row, str(check.points))
    parts: list[RenderableType] = [
        words(lab.title, "bold"),
        words(f"{lab.id}, {count(lab.max_score, 'point')}, about {lab.minutes} minutes", QUIET),
        Text(),
        words(lab.summary),
        Text(),
        table,
        Text(),
        words(f"Begin with: {program} start {lab.id}", QUIET),
    ]
    if entry:
        parts.append(words(f"The lesson's entry of this name: {program} explain sheet {entry}", QUIET))
    screen.show(*parts)


def show_found(
    found: Found, sought: Iterable[Sought], *, program: str = NAME, file: IO[str] | None = None
) -> None:
    """Print the best of what was found, each with the line that holds the words and the command that shows it whole."""
    screen = Screen(file)
    known = {one.id: one for one in sought}
    parts: list[RenderableType] = [words(said, QUIET) for said in _taken_for(found)]
    for hit in found.hits[:MOST]:
        one = known[hit.id]
        parts += [Text(), words(one.title, "bold"), words(hit.line or one.about or one.title)]
        parts.append(words(f"{program} explain {command_word(one.id)}", QUIET))
    if (more := len(found.hits) - MOST) > 0:
        parts += [
            Text(),
            words(f"and {more} more: another word finds fewer", QUIET),
        ]
    screen.show(*parts[1:] if not parts[0] else parts)


def command_word(id_: str) -> str:
    """What to give ``smtplab explain`` for something that was found."""
    if id_.startswith("rule-"):
        return "header-rules"
    if id_.startswith("lab-"):
        return id_.removeprefix("lab-")
    return id_.replace("-", "", 1) if id_.startswith("rfc-") else f"sheet {id_}"


def _taken_for(found: Found) -> list[str]:
    told = [
        f"“{word}” is nowhere; “{near}” is meant, perhaps." if near else f"“{word}” is nowhere."
        for word, near in found.instead
    ]
    if found.partly:
        told.append("Nothing has all these words; these have most of them.")
    return told


def show_shelf(labs: Iterable[Lab], *, program: str = NAME, file: IO[str] | None = None) -> None:
    """Print all that can be asked for: the sheets, the labs, and what else."""
    screen = Screen(file)
    sheets = grid({"width": 15}, {"ratio": 1})
    for sheet in SHEETS.values():
        sheets.add_row(words(sheet.name, "bold"), words(sheet.summary))
    shelf = grid({"width": max([15, *(len(lab.id) for lab in labs)])}, {"ratio": 1})
    for lab in labs:
        shelf.add_row(words(lab.id, "bold"), words(lab.title))
    asked = grid({"width": min(50, len(f"{program} explain Relay access denied"))}, {"ratio": 1})
    for words_, what in (
        (f"{program} explain RCPT", "a command, a port, a header field, a term"),
        (f"{program} explain 554", "a reply code, or 5.7.1"),
        (f"{program} explain Relay access denied", "whatever a server or its log said"),
        (f"{program} explain RFC 5321", "a standard"),
        (f"{program} explain open-relay/stranger", "a check of a lab"),
    ):
        asked.add_row(words(words_, "cyan", single=True), words(what, QUIET))
    screen.show(
        words("Sheets", "bold"),
        sheets,
        Text(),
        words("Labs", "bold"),
        shelf,
        Text(),
        words("Ask for", "bold"),
        asked,
    )

"""What the gradebooks of learning platforms import: one file a platform.

A grade is given where it holds and nobody has to look: an empty cell leaves a gradebook as it is, where a score
without the points that the grader or a person still owes would stand as the student's. Students who are not named get
none.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field

from grader.display.text import csv_cell, scalars
from grader.model.result import Person, Result


@dataclass
class Entry:
    """A student's grades, by lab; ``None`` where there is none to give yet. ``person`` is who the roster says it is."""

    person: Person = field(default_factory=Person)
    grades: dict[str, int | None] = field(default_factory=dict)
    feedback: dict[str, str] = field(default_factory=dict)


@dataclass
class Book:
    """Labs by id: titles of their columns, what platforms call them. Students in the order of their first results."""

    titles: dict[str, str] = field(default_factory=dict)
    students: dict[str, Entry] = field(default_factory=dict)
    assignments: dict[str, dict[str, str]] = field(default_factory=dict)


def grade(result: Result) -> int | None:
    """The score where it can be given back."""
    return result.score if result.final and not result.waiting_points else None


def book(results: Iterable[Result], *, feedback: bool = False) -> Book:
    """A class's grades; of several results of one student in one lab the last counts."""
    found = Book()
    for result in results:
        if not (result.student or "").strip():
            continue
        found.titles.setdefault(result.lab, column(result))
        found.assignments.setdefault(result.lab, result.assignment)
        entry = found.students.setdefault(result.student or "", Entry())
        entry.person = result.person or entry.person
        entry.grades[result.lab] = grade(result)
        if feedback:
            entry.feedback[result.lab] = words(result)
    return found


def csv_document(rows: Iterable[Iterable[str | int | None]]) -> bytes:
    """Rows as CSV (RFC 4180, UTF-8). ``None`` is an empty cell; texts are safe already, by ``csv_cell``."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return scalars(text.getvalue()).encode()


def column(result: Result) -> str:
    """What the item is called in the gradebook: the lab's title."""
    return csv_cell(result.lab_title).strip() or csv_cell(result.lab)


def words(result: Result) -> str:
    """Feedback in a gradebook: the headline, remarks, and what was not right, as plain text."""
    from grader.outputs.feedback import WORDS, body, points, preface, title

    said = [preface(result)]
    for check in result.checks:
        if check.status != "pass":
            said.append(f"{WORDS[check.status]}: {title(check)} ({points(check)})")
            said.append(body(check))
    return "\n".join(filter(None, said))

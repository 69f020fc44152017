"""A gradebook that Canvas imports ("Grades", "Import").

Canvas takes a student by its own number, then by SIS user id, by login id, and by name. The roster says them; without
one the student's id stands in all three but the number. It takes the assignment by its number, where
course.yaml has it, or its exact title. Columns that it
keeps for itself are ignored, so a lab of such a title is called by its id. The row "Points Possible" would change the
assignment and is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from grader.display.csvtext import Cell, csv_rows
from grader.display.text import csv_cell
from grader.model.result import Result
from grader.outputs.gradebooks import Book, Entry, book

_KEPT = re.compile(
    r"(Current|Final|Override) (Score|Points|Grade|Status)|^(Student|ID|Section)$|\bSIS\b|\(\d+\)$"
)
"""Titles that mean something to Canvas's importer."""
_ROW_OF_POINTS = "Points Possible"


def many(results: Sequence[Result]) -> Iterator[bytes]:
    """A line a student and a column a lab."""
    return csv_rows(_rows(results))


def _rows(results: Sequence[Result]) -> Iterator[list[Cell]]:
    grades = book(results)
    titles = [_title(lab, title, grades) for lab, title in grades.titles.items()]
    yield ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *titles]
    for name, entry in grades.entries():
        yield _row(name, entry, grades)


def _title(lab: str, title: str, grades: Book) -> str:
    name = lab if _KEPT.search(title) else title
    number = grades.assignments[lab].get("canvas", "")
    return f"{name} ({number})" if number.isascii() and number.isdigit() else name


def _row(student: str, entry: Entry, grades: Book) -> list[Cell]:
    who = entry.person
    known = (who.name or student, who.canvas, student, who.login or student, who.section)
    name, *ids = map(csv_cell, known)
    shown = name.replace(_ROW_OF_POINTS, "Points-Possible")
    return [shown, *ids, *(entry.grades.get(lab) for lab in grades.titles)]

"""A gradebook that Brightspace imports ("Grades", "Enter grades", "Import").

The username is the roster's login, or else the student's id, behind ``#``, so that a spreadsheet keeps its leading
zeros; the item is called by what course.yaml says, or the lab's title.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from grader.display.csvtext import Cell, csv_rows
from grader.display.text import csv_cell
from grader.model.result import Result
from grader.outputs.gradebooks import book


def many(results: Sequence[Result]) -> Iterator[bytes]:
    """A line a student and a column a lab."""
    return csv_rows(_rows(results))


def _rows(results: Sequence[Result]) -> Iterator[list[Cell]]:
    grades = book(results)
    items = [
        csv_cell(grades.assignments[lab].get("brightspace", "")) or title
        for lab, title in grades.titles.items()
    ]
    titles = [f"{item} Points Grade" for item in items]
    yield ["Username", *titles, "End-of-Line Indicator"]
    for student, entry in grades.entries():
        yield [
            csv_cell(f"#{entry.person.login or student}"),
            *(entry.grades.get(lab) for lab in grades.titles),
            "#",
        ]

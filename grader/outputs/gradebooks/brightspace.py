"""A gradebook that Brightspace imports ("Grades", "Enter grades", "Import").

The username is the roster's login, or else the student's id, behind ``#``, so that a spreadsheet keeps its leading
zeros; the item is called by what course.yaml says, or the lab's title.
"""

from __future__ import annotations

from collections.abc import Iterable

from grader.display.text import csv_cell
from grader.model.result import Result
from grader.outputs.gradebooks import book, csv_document


def many(results: Iterable[Result]) -> bytes:
    """A line a student and a column a lab."""
    grades = book(results)
    items = [
        csv_cell(grades.assignments[lab].get("brightspace", "")) or title
        for lab, title in grades.titles.items()
    ]
    titles = [f"{item} Points Grade" for item in items]
    rows = [
        [
            csv_cell(f"#{entry.person.login or student}"),
            *(entry.grades.get(lab) for lab in grades.titles),
            "#",
        ]
        for student, entry in grades.students.items()
    ]
    return csv_document([["Username", *titles, "End-of-Line Indicator"], *rows])

"""A gradebook that Brightspace imports ("Grades", "Enter grades", "Import").

The username is the roster's login, or else the student's id, behind ``#``, so that a spreadsheet keeps its leading
zeros; the item is called by the lab's title.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from grader.display.text import csv_cell, scalars
from grader.model.result import Result
from grader.outputs.gradebooks import book


def many(results: Iterable[Result]) -> bytes:
    """A line a student and a column a lab."""
    grades = book(results)
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\r\n")
    table.writerow(
        [
            "Username",
            *(f"{title} Points Grade" for title in grades.titles.values()),
            "End-of-Line Indicator",
        ]
    )
    for student, entry in grades.students.items():
        given = [entry.grades.get(lab) for lab in grades.titles]
        name = csv_cell(f"#{entry.person.login or student}")
        table.writerow([name, *("" if score is None else score for score in given), "#"])
    return scalars(text.getvalue()).encode()

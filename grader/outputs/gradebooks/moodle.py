"""A gradebook with feedback that Moodle imports ("Grades", "Import", "CSV file"); columns are mapped there.

Moodle shows feedback as HTML with line ends of its own, so strangers' markup is escaped for HTML, and the cell for
spreadsheets.
"""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Iterable

from grader.display.text import csv_cell, scalars
from grader.model.result import Result
from grader.outputs.gradebooks import book


def many(results: Iterable[Result]) -> bytes:
    """A line a student; for each lab grade and feedback. Addresses stand there where the roster has them all."""
    grades = book(results, feedback=True)
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\r\n")
    titles = [name for title in grades.titles.values() for name in (title, f"{title} feedback")]
    addresses = bool(grades.students) and all(entry.person.email for entry in grades.students.values())
    table.writerow(["student", *(["email"] if addresses else []), *titles])
    for student, entry in grades.students.items():
        cells = [csv_cell(entry.person.email)] if addresses else []
        for lab in grades.titles:
            score = entry.grades.get(lab)
            cells += ["" if score is None else str(score), _cell(entry.feedback.get(lab, ""))]
        table.writerow([csv_cell(student), *cells])
    return scalars(text.getvalue()).encode()


def _cell(text: str) -> str:
    """Several lines in one cell, each of which could begin one for a program that splits the lines."""
    return "\n".join(csv_cell(html.escape(line, quote=False)) for line in text.split("\n"))

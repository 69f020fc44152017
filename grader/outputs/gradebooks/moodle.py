"""A gradebook with feedback that Moodle imports ("Grades", "Import", "CSV file"); columns are mapped there.

Moodle shows feedback as HTML with line ends of its own, so strangers' markup is escaped for HTML, and the cell for
spreadsheets.
"""

from __future__ import annotations

import html
from collections.abc import Iterable

from grader.display.text import csv_cell
from grader.model.result import Result
from grader.outputs.gradebooks import book, csv_document


def many(results: Iterable[Result]) -> bytes:
    """A line a student; for each lab grade and feedback. Addresses stand there where the roster has them all."""
    grades = book(results, feedback=True)
    addresses = bool(grades.students) and all(entry.person.email for entry in grades.students.values())
    titles = [name for title in grades.titles.values() for name in (title, f"{title} feedback")]
    rows: list[list[str | int | None]] = [["student", *(["email"] if addresses else []), *titles]]
    for student, entry in grades.students.items():
        row: list[str | int | None] = [csv_cell(student)]
        if addresses:
            row.append(csv_cell(entry.person.email))
        for lab in grades.titles:
            row += [entry.grades.get(lab), _cell(entry.feedback.get(lab, ""))]
        rows.append(row)
    return csv_document(rows)


def _cell(text: str) -> str:
    """Several lines in one cell, each of which could begin one for a program that splits the lines."""
    return "\n".join(csv_cell(html.escape(line, quote=False)) for line in text.split("\n"))

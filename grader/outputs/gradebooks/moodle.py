"""A gradebook with feedback that Moodle imports ("Grades", "Import", "CSV file"); columns are mapped there.

Moodle shows feedback as HTML with line ends of its own, so strangers' markup is escaped for HTML, and the cell for
spreadsheets.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence

from grader.display.csvtext import Cell, csv_rows
from grader.display.text import csv_cell
from grader.model.result import Result
from grader.outputs.gradebooks import book


def many(results: Sequence[Result]) -> Iterator[bytes]:
    """A line a student; for each lab grade and feedback. Addresses stand there where the roster has them all."""
    return csv_rows(_rows(results))


def _rows(results: Sequence[Result]) -> Iterator[list[Cell]]:
    grades = book(results)
    addresses = bool(grades.places) and not grades.unreachable
    titles = [name for title in grades.titles.values() for name in (title, f"{title} feedback")]
    yield ["student", *(["email"] if addresses else []), *titles]
    for student, entry in grades.entries(feedback=True):
        row: list[Cell] = [csv_cell(student)]
        if addresses:
            row.append(csv_cell(entry.person.email))
        for lab in grades.titles:
            row += [entry.grades.get(lab), _cell(entry.feedback.get(lab, ""))]
        yield row


def _cell(text: str) -> str:
    """Several lines in one cell, each of which could begin one for a program that splits the lines."""
    return "\n".join(csv_cell(html.escape(line, quote=False)) for line in text.split("\n"))

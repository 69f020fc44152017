"""The documents about a whole class: ``grades.csv`` and ``junit.xml``."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from grader.course.rows import Row

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def grades_csv(rows: Sequence[Row]) -> bytes:
    """One line a student (RFC 4180, UTF-8), points by check. An error of the grader leaves the score empty."""
    codes = list(dict.fromkeys(mark.code for line in rows for mark in line.marks))
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\r\n")
    table.writerow(["student", "status", "score", "max_score", *codes, "first_failure", "note", "variant", "folder"])
    for line in rows:
        points = {mark.code: str(mark.points) for mark in line.marks}
        judged = line.ending != "error"
        table.writerow(
            [
                cell(line.student),
                line.ending,
                line.score if judged else "",
                line.max_score,
                *(points.get(code, "") if judged else "" for code in codes),
                cell(line.first_failure),
                cell(line.note),
                cell(line.variant),
                cell(line.folder),
            ]
        )
    return text.getvalue().encode("utf-8", "backslashreplace")


def cell(text: str) -> str:
    """``text`` for a cell: no spreadsheet program takes it for a formula, and it stays one line."""
    line = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    return "'" + line if text.startswith(_FORMULA) else line


def write_beside(path: Path, data: bytes) -> None:
    """Write a file so that at no moment half of it is there."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)

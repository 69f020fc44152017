"""Rows as CSV (RFC 4180, UTF-8), one at a time."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from grader.display.text import scalars

Cell: TypeAlias = str | int | None


def csv_rows(rows: Iterable[Iterable[Cell]]) -> Iterator[bytes]:
    """Each row's line. ``None`` is an empty cell; texts are safe already, by ``csv_cell``."""
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\r\n")
    for row in rows:
        table.writerow(row)
        yield scalars(text.getvalue()).encode()
        text.seek(0)
        text.truncate()

"""Figures are kept one a line, each with when, where and of which revision it is."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.bench import history


def test_figures_are_added_to_those_before_under_one_header(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    for seconds in (0.41234, 12.0):
        figures = history.Figures()
        figures.note("check, wall", seconds)
        figures.note("smtplab to servers", 1.1, "ratio")
        history.append(figures, path)
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert tuple(header) == history.HEADER
    assert [(row[3], float(row[4]), row[5]) for row in rows] == [
        ("check, wall", 0.4123, "s"),
        ("smtplab to servers", 1.1, "ratio"),
        ("check, wall", 12.0, "s"),
        ("smtplab to servers", 1.1, "ratio"),
    ]
    assert all(row[0] and row[1] and row[2] for row in rows)

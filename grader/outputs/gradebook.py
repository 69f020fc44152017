"""A class as CSV, one line a student."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from grader.display.csvtext import Cell, csv_rows
from grader.display.text import csv_cell, one_line
from grader.model.result import CheckResult, Result
from grader.outputs.feedback import handed_in_at, lateness


def many(results: Sequence[Result], missing: Iterable[str] = ()) -> Iterator[bytes]:
    """See ``grader.outputs.gradebook_csv``; ``missing`` are the students who handed nothing in, a line each at the end.

    An empty cell was not judged: what was handed in was refused, the grader failed, or a person has to look. It must
    not read as no points, nor may nothing handed in: ``reason`` says which of them it was, and who decided what.
    ``handed_in`` and ``late`` are what the platform says, and cost nothing.
    """
    codes = list(dict.fromkeys(check.code for result in results for check in result.checks))
    return csv_rows(_rows(results, missing, codes))


def _rows(results: Iterable[Result], missing: Iterable[str], codes: Sequence[str]) -> Iterator[list[Cell]]:
    yield [
        csv_cell(title)
        for title in ("student", "score", "max_score", "status", "reason", "handed_in", "late", *codes)
    ]
    for result in results:
        judged = result.checks if result.status == "graded" else []
        points = {check.code: _points(check) for check in judged}
        yield [
            csv_cell(result.student or ""),
            result.score if result.final else "",
            result.max_score,
            csv_cell(result.status),
            csv_cell(one_line(_reason(result))),
            csv_cell(handed_in_at(result)),
            "late" if lateness(result) else "",
            *(points.get(code, "") for code in codes),
        ]
    for student in missing:
        yield [csv_cell(student), "", "", "missing", "handed nothing in", "", "", *("" for _ in codes)]


def _points(check: CheckResult) -> str:
    return "" if check.status in ("error", "manual") else str(check.points)


def _reason(result: Result) -> str:
    """Why there is no score, or who decided what."""
    decided = [
        f"{check.code}: decided by {check.decision.by}: {check.decision.why}"
        for check in result.checks
        if check.decision is not None
    ]
    return "; ".join([*([result.error] if result.error else []), *decided])

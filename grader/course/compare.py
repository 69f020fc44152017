"""Two gradings of a class side by side: whose points changed, and by which check. Pure but for ``as_csv``'s bytes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from grader.display.text import csv_cell, scalars
from grader.model.result import CheckResult, Result

MISSING = "missing"
TOTAL = ""
"""The check's code in a change of the whole result."""


class Change(Struct, frozen=True):
    """What a student had and has of one check, or, where ``check`` is empty, in all.

    Points are ``None`` where nothing was judged: no result, a refused hand-in, an error of the grader, a check that a
    person has yet to judge.
    """

    student: str
    check: str
    old_points: int | None
    new_points: int | None
    old_status: str
    new_status: str

    @property
    def difference(self) -> int:
        """Points won; what was not judged counts as none."""
        return (self.new_points or 0) - (self.old_points or 0)


def changes(old: Iterable[Result], new: Iterable[Result]) -> Iterator[Change]:
    """What changed, student by student: the whole first, then the checks that it comes from, in the lab's order."""
    before = {result.student or "": _brief(result) for result in old}
    after = {result.student or "": _brief(result) for result in new}
    for student in sorted({*before, *after}):
        was, now = before.get(student, _NOTHING), after.get(student, _NOTHING)
        parts = [
            Change(student, code, *_pair(was.checks.get(code), now.checks.get(code)))
            for code in dict.fromkeys([*was.checks, *now.checks])
        ]
        changed = [part for part in parts if part.old_points != part.new_points]
        whole = Change(student, TOTAL, was.points, now.points, was.status, now.status)
        if changed or whole.old_points != whole.new_points or whole.old_status != whole.new_status:
            yield whole
            yield from changed


class _Brief(Struct, frozen=True):
    """As much of a result as is compared, so that a large class needs little memory."""

    status: str
    points: int | None
    checks: dict[str, tuple[int | None, str]]


_NOTHING = _Brief(MISSING, None, {})


def _brief(result: Result) -> _Brief:
    graded = result.status == "graded"
    checks: dict[str, tuple[int | None, str]] = {
        check.code: (_points(check) if graded else None, check.status) for check in result.checks
    }
    return _Brief(result.status, result.score if graded else None, checks)


def _points(check: CheckResult) -> int | None:
    return None if check.status in ("error", "manual") else check.points


def _pair(
    was: tuple[int | None, str] | None, now: tuple[int | None, str] | None
) -> tuple[int | None, int | None, str, str]:
    (old_points, old_status), (new_points, new_status) = was or (None, MISSING), now or (None, MISSING)
    return old_points, new_points, old_status, new_status


def as_csv(found: Sequence[Change]) -> bytes:
    """The changes as CSV (RFC 4180, UTF-8); the line with an empty ``check`` is the student's total."""
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\r\n")
    table.writerow(["student", "check", "old_points", "new_points", "difference", "old_status", "new_status"])
    for one in found:
        points = ["" if points is None else points for points in (one.old_points, one.new_points)]
        words = [csv_cell(one.student), csv_cell(one.check)]
        table.writerow([*words, *points, one.difference, one.old_status, one.new_status])
    return scalars(text.getvalue()).encode()

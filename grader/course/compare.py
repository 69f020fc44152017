"""Two gradings of a class side by side: whose points changed, and by which check. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import Any, TypeVar

from msgspec import Struct

from grader.display.csvtext import Cell, csv_rows
from grader.display.text import csv_cell
from grader.model.result import CheckResult, Result

T = TypeVar("T", bound=Hashable)

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
    shared = _Shared()
    before, after = _briefs(old, shared), _briefs(new, shared)
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
    """As much of a result as is compared. What many results have in common is one object, whatever has been read."""

    status: str
    points: int | None
    codes: tuple[str, ...]
    standings: tuple[tuple[int | None, str], ...]

    @property
    def checks(self) -> dict[str, tuple[int | None, str]]:
        """Points and status by the check's code."""
        return dict(zip(self.codes, self.standings, strict=True))


_NOTHING = _Brief(MISSING, None, (), ())


class _Shared:
    """Gives of equal values always the first."""

    def __init__(self) -> None:
        self._known: dict[Hashable, Any] = {}

    def __call__(self, value: T) -> T:
        known: T = self._known.setdefault(value, value)
        return known


def _briefs(results: Iterable[Result], shared: _Shared) -> dict[str, _Brief]:
    found = {}
    for result in results:
        graded = result.status == "graded"
        codes = shared(tuple(check.code for check in result.checks))
        standings = shared(
            tuple((_points(check) if graded else None, check.status) for check in result.checks)
        )
        score = result.score if graded else None
        found[result.student or ""] = shared(_Brief(result.status, score, codes, standings))
    return found


def _points(check: CheckResult) -> int | None:
    return None if check.status in ("error", "manual") else check.points


def _pair(
    was: tuple[int | None, str] | None, now: tuple[int | None, str] | None
) -> tuple[int | None, int | None, str, str]:
    (old_points, old_status), (new_points, new_status) = was or (None, MISSING), now or (None, MISSING)
    return old_points, new_points, old_status, new_status


def as_csv(found: Iterable[Change]) -> Iterator[bytes]:
    """The changes as CSV (RFC 4180, UTF-8); the line with an empty ``check`` is the student's total."""
    return csv_rows(_rows(found))


def _rows(found: Iterable[Change]) -> Iterator[list[Cell]]:
    yield ["student", "check", "old_points", "new_points", "difference", "old_status", "new_status"]
    for one in found:
        words = [csv_cell(one.student), csv_cell(one.check)]
        yield [*words, one.old_points, one.new_points, one.difference, one.old_status, one.new_status]

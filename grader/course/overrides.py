"""A person's decisions: points that somebody gives, or takes a check out of the grader's hands, and says why.

They stand in ``overrides.csv`` beside the grades, with the columns ``student``, ``check``, ``points``, ``why`` and
``by``, and are merged whenever results are made, so that judging again never loses one. What the grader itself had
found stays in the result, beside the decision.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Container, Iterable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from grader import outputs
from grader.course.intake.names import OVERRIDES, safe_name
from grader.course.results_folder import RESULT
from grader.formats.handed import without_mark
from grader.model.errors import UsageError
from grader.model.lab import Lab
from grader.model.result import CheckResult, Decision, Result
from grader.model.templates import nearest
from grader.model.variant import composed

COLUMNS = ("student", "check", "points", "why", "by")
MANUAL = "manual"
"""Stands for points where a person has to look first."""
LARGEST = 10_000_000


class Override(Struct, frozen=True):
    """A line of ``overrides.csv``. ``points`` is ``None`` where the check is to be judged by a person later."""

    student: str
    check: str
    points: int | None
    why: str
    by: str


class Worth(Struct, frozen=True):
    """What may be decided of a lab: the points of each check, by its whole code."""

    lab: str
    checks: dict[str, int]


def worth_of(lab: Lab) -> Worth:
    """What may be decided of a lab."""
    return Worth(lab.id, {f"{lab.id}/{check.code}": check.points for check in lab.all_checks})


def worth_in(result: Result) -> Worth:
    """The same, as a result has it."""
    return Worth(result.lab, {check.code: check.max_points for check in result.checks})


def read_overrides(path: Path, worth: Worth) -> list[Override]:
    """The decisions in a file; none where it is not there. Raises ``UsageError`` with the line and what is wrong."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UsageError(f"cannot read {str(path)!r}: {error.strerror}") from error
    if len(data) > LARGEST:
        raise UsageError(f"{str(path)!r} is larger than {LARGEST} bytes: leave the decisions alone in it")
    return decisions(data, str(path), worth)


def overrides_for(out: Path, given: Path | None, worth: Worth) -> list[Override]:
    """The decisions for a folder of grades: those in it or, where a file is ``given``, that file, which is kept in it.

    Raises ``UsageError`` where a line is wrong, ``OutputError`` where the file cannot be kept.
    """
    if given is None:
        return read_overrides(out / OVERRIDES, worth)
    if not given.is_file():
        raise UsageError(f"there is no file of decisions {str(given)!r}: check the path")
    found = read_overrides(given, worth)
    if given.resolve() != (out / OVERRIDES).resolve():
        outputs.write(out / OVERRIDES, given.read_bytes())
    return found


def decisions(data: bytes, where: str, worth: Worth) -> list[Override]:
    """The decisions in a CSV file of these ``data``. Raises ``UsageError``."""
    try:
        text = without_mark(data).decode()
        first = text.partition("\n")[0]
        reader = csv.reader(
            io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True
        )
        table = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{where} is no CSV in UTF-8 ({error}): save it as 'CSV UTF-8'") from error
    if not table:
        return []
    titles = [title.strip().casefold() for title in table[0][1]]
    if missing := [title for title in COLUMNS if title not in titles]:
        raise UsageError(f"{where} lacks the column {missing[0]!r}: its columns are {', '.join(COLUMNS)}")
    places = {title: titles.index(title) for title in COLUMNS}
    found: dict[tuple[str, str], Override] = {}
    for number, cells in table[1:]:
        values = {
            title: cells[place].strip() if place < len(cells) else "" for title, place in places.items()
        }
        made = _override(values, f"{where}, line {number}", worth)
        if (made.student, made.check) in found:
            raise UsageError(
                f"{where}, line {number}: {made.check} of {made.student[:40]!r} is decided twice: remove one"
            )
        found[made.student, made.check] = made
    return list(found.values())


def _override(values: dict[str, str], where: str, worth: Worth) -> Override:
    codes = worth.checks
    code = values["check"] if "/" in values["check"] else f"{worth.lab}/{values['check']}"
    for title in ("student", "why", "by"):
        if not values[title]:
            raise UsageError(
                f"{where} says nothing in {title!r}: a decision has a student, a reason and a name"
            )
    if code not in codes:
        near = nearest("%r", values["check"], [code.rpartition("/")[2] for code in codes])
        raise UsageError(f"{where}: the lab {worth.lab} has no check {values['check'][:40]!r}{near}")
    student = composed(values["student"].removeprefix("'"))
    if values["points"].casefold() == MANUAL:
        return Override(student, code, None, values["why"], values["by"])
    points = values["points"]
    if not (points.isascii() and points.isdigit() and len(points) < 6 and int(points) <= codes[code]):
        raise UsageError(
            f"{where}: points of {code} are a whole number from 0 to {codes[code]}, or {MANUAL!r}, not {points[:20]!r}"
        )
    return Override(student, code, int(points), values["why"], values["by"])


def of_student(overrides: Iterable[Override], student: str | None) -> list[Override]:
    """The decisions about one student."""
    return [override for override in overrides if override.student == student]


def about_nobody(overrides: Iterable[Override], out: Path, students: Container[str] = ()) -> Iterator[str]:
    """Sentences on decisions about whoever is none of these students and has no result in ``out``: slips in names."""
    for student in sorted({one.student for one in overrides}):
        if student in students or (out / safe_name(student) / RESULT).is_file():
            continue
        yield f"{OVERRIDES} decides about {student[:80]!r}, who has no result here: nothing comes of it"


def decided(result: Result, overrides: Sequence[Override]) -> Result:
    """The result with the decisions about its student merged in, each said in its notes.

    What was not graded (refused, or the grader failed) is graded once a person has decided on every check of it; why
    the grader had not stays said.
    """
    mine = {override.check: override for override in of_student(overrides, result.student)}
    if not mine:
        return result
    checks = [_decided(check, mine[check.code]) if check.code in mine else check for check in result.checks]
    notes = [_said(check) for check in checks if check.decision is not None]
    whole = result.status == "graded" or all(
        check.decision is not None and check.decision.points is not None for check in checks
    )
    return replace(
        result,
        status="graded" if whole else result.status,
        score=sum(check.points for check in checks) if whole else 0,
        checks=checks,
        notes=[*notes, *result.notes],
    )


def undecided(result: Result) -> Result:
    """A result as it was before anybody decided: graded, refused, or one that the grader failed at."""
    if all(check.decision is None for check in result.checks):
        return result
    checks = [
        check
        if check.decision is None
        else replace(check, status=check.decision.judged, points=check.decision.judged_points, decision=None)
        for check in result.checks
    ]
    number = sum(check.decision is not None for check in result.checks)
    before = replace(result, checks=checks, notes=result.notes[number:])
    if result.error is None:
        return replace(before, status="graded", score=sum(check.points for check in checks))
    # Of what was refused no check was tried; decisions on all of it had made a grade of either.
    failed = any(check.status == "error" for check in checks)
    return replace(before, status="error" if failed else "refused", score=0)


def _decided(check: CheckResult, override: Override) -> CheckResult:
    decision = Decision(
        points=override.points,
        why=override.why,
        by=override.by,
        judged=check.status,
        judged_points=check.points,
    )
    if override.points is None:
        return replace(check, status="manual", points=0, decision=decision)
    status = "pass" if override.points == check.max_points else "fail"
    return replace(check, status=status, points=override.points, decision=decision)


def _said(check: CheckResult) -> str:
    decision = check.decision
    assert decision is not None
    found = f"The grader had found: {decision.judged}, {decision.judged_points} of {check.max_points} points."
    if decision.points is None:
        return f"A person judges {check.code} ({decision.by}: {decision.why}). {found}"
    return (
        f"{check.code} was decided by a person, {decision.by}: {decision.points} of {check.max_points} points, because "
        f"{decision.why}. {found}"
    )

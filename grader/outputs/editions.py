"""The edition of a result for its student: a check that is not to be seen has its points there, and no name or text.

Where the points of such a check were left out, sums would be wrong, and a failure of the grader's would look like a
grade; so it stays, as "a check that is shown later".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from grader.model.result import CheckResult, Result

if TYPE_CHECKING:
    from grader.model.ondemand import OnDemand

LATER = "A check that is shown after the due date"
NEVER = "A check that is not shown"
NOT_SHOWN = "What was found is not shown."


def hides(result: Result) -> bool:
    """Whether its student may not see all of it."""
    return any(check.visibility != "always" for check in result.checks)


def stand_ins(hidden: Mapping[str, bool]) -> dict[str, str]:
    """What the hidden ones of a lab's checks are called, ``LAB/hidden-NUMBER``; all are given, in their order."""
    return {
        code: f"{code.partition('/')[0]}/hidden-{number}"
        for number, (code, is_hidden) in enumerate(hidden.items(), 1)
        if is_hidden
    }


def for_student(result: Result, *, keep: bool = False) -> Result:
    """The result with nothing in it that names a hidden check or tells what it found.

    ``keep`` leaves the hidden checks themselves as they are, for a platform that hides them by itself.
    """
    hidden = stand_ins({check.code: check.visibility != "always" for check in result.checks})
    if not hidden:
        return result
    checks = [
        (check if keep else _placeholder(check, hidden[check.code]))
        if check.code in hidden
        else _without(check, hidden)
        for check in result.checks
    ]
    notes = [note for note in result.notes if not any(code in note for code in hidden)]
    return replace(result, checks=checks, notes=notes)


def for_students(results: Sequence[Result], *, keep: bool = False) -> OnDemand[Result, Result]:
    """The results of a class, of each what its student may see; ``keep`` as above."""
    # Few commands are about a class.
    from grader.model.ondemand import OnDemand

    return OnDemand(results, partial(for_student, keep=keep))


def _placeholder(check: CheckResult, code: str) -> CheckResult:
    return CheckResult(
        code=code,
        title=LATER if check.visibility == "after-due" else NEVER,
        status=check.status,
        points=check.points,
        max_points=check.max_points,
        observed=NOT_SHOWN if check.status != "pass" else "",
        visibility=check.visibility,
    )


def _without(check: CheckResult, hidden: dict[str, str]) -> CheckResult:
    if check.because not in hidden:
        return check
    return replace(check, because=None, observed="It was not judged, because of a check that is not shown.")

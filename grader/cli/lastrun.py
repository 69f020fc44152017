"""The last result of a student's work and the help given so far, kept beside the work that ``start`` handed out.

It is a convenience that the student may change or delete: whatever is there and cannot be read counts as nothing, and
where nothing can be written, nothing is kept.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from grader import disk
from grader.labs.limits import LAST
from grader.model.hints import Rung
from grader.model.result import CheckResult, Result

LARGEST = 4_000_000
"""Bytes of the file that are read; a result has a few tens of thousands."""


class LastRun(Struct, frozen=True, kw_only=True):
    """What the last check of a work said. ``given`` are the rungs of help that were shown, by the codes of checks."""

    schema: Literal["smtplab/last/1"] = "smtplab/last/1"
    result: Result
    given: dict[str, list[Rung]] = {}


def read(folder: Path, lab: str) -> LastRun | None:
    """What was kept beside a work on ``lab``; ``None`` where that is nothing, damaged, or of another lab."""
    try:
        # A pipe of that name must not be waited for, nor a link followed out of the folder.
        descriptor = os.open(folder / LAST, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            data = file.read(LARGEST)
        found = msgspec.json.decode(data, type=LastRun)
    except (OSError, ValueError, RecursionError):
        return None
    return found if found.result.lab == lab else None


def after(before: LastRun | None, result: Result) -> LastRun:
    """What is kept after a run: its checks, and those of an earlier run that this one did not report.

    Help that was given is remembered while a check fails, and forgotten when it does not any more.
    """
    checks = list(result.checks)
    given = dict(before.given) if before else {}
    if before is not None and _comparable(before.result, result):
        mine = {check.code: check for check in checks}
        theirs = {check.code for check in before.result.checks}
        checks = [mine.get(check.code, check) for check in before.result.checks]
        checks += [check for code, check in mine.items() if code not in theirs]
    failing = {check.code for check in checks if check.status == "fail"}
    whole = replace(
        result,
        checks=checks,
        score=sum(check.points for check in checks),
        max_score=sum(check.max_points for check in checks),
    )
    return LastRun(result=whole, given={code: rungs for code, rungs in given.items() if code in failing})


def _comparable(before: Result, after: Result) -> bool:
    return (before.lab_version, before.variant) == (after.lab_version, after.variant)


def with_given(last: LastRun, check: CheckResult, rungs: Iterable[Rung]) -> LastRun:
    """The same, with these rungs of help given for a check."""
    told = dict.fromkeys([*last.given.get(check.code, []), *rungs])
    return replace(last, given={**last.given, check.code: list(told)})


def shown_in_full(result: Result, *, everything: bool) -> list[CheckResult]:
    """The failures that a report on the terminal shows with their help: the first, or all of them."""
    failures = [check for check in result.checks if check.status == "fail"]
    return failures if everything else failures[:1]


def keep(folder: Path, last: LastRun) -> None:
    """Put it beside the work, where that is possible."""
    with suppress(OSError):
        disk.write_file(folder / LAST, msgspec.json.encode(last))

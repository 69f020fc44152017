"""Which checks of a lab are made, when only some are asked for."""

from __future__ import annotations

from collections.abc import Iterable

from grader.model.errors import UsageError
from grader.model.lab import Lab
from grader.model.templates import nearest


def selected(lab: Lab, only: Iterable[str] | None) -> set[str]:
    """Codes of the checks to make: those of ``only``, with or without the lab's id before them, and their blockers.

    Raises ``UsageError`` for a code that no check has.
    """
    codes = {check.code: check for check in lab.all_checks}
    if only is None:
        return set(codes)
    chosen: set[str] = set()
    pending = [code.removeprefix(f"{lab.id}/") for code in sorted(only)]
    while pending:
        code = pending.pop()
        if code not in codes:
            raise UsageError(f"the lab {lab.id} has no check {code!r}{nearest('%r', code, codes)}")
        if code not in chosen:
            chosen.add(code)
            pending += codes[code].depends_on
    return chosen


def planned(lab: Lab, only: Iterable[str] | None) -> list[str] | None:
    """What a plan says of it: ``None`` where all checks are made, else their codes in the lab's order."""
    if only is None:
        return None
    chosen = selected(lab, only)
    return [check.code for check in lab.all_checks if check.code in chosen]

"""What changed between two results of the same work."""

from __future__ import annotations

from msgspec import Struct

from grader.model.result import CheckResult, Result


class Changes(Struct, frozen=True):
    """What a run brought, against the one before: points, and the checks that pass or fail since."""

    points: int
    passed: tuple[CheckResult, ...]
    failed: tuple[CheckResult, ...]

    @property
    def nothing(self) -> bool:
        """Whether all is as it was."""
        return not (self.points or self.passed or self.failed)


def between(before: Result | None, after: Result) -> Changes | None:
    """What changed, counted over the checks that both results have; ``None`` where they cannot be compared.

    They can where both were graded and are of one lab, version and variant.
    """
    if before is None or not (before.final and after.final):
        return None
    if (before.lab, before.lab_version, before.variant) != (after.lab, after.lab_version, after.variant):
        return None
    known = {check.code: check for check in before.checks}
    both = [(known[check.code], check) for check in after.checks if check.code in known]
    if not both:
        return None
    return Changes(
        sum(new.points - old.points for old, new in both),
        tuple(new for old, new in both if new.status == "pass" != old.status),
        tuple(new for old, new in both if new.status == "fail" != old.status),
    )

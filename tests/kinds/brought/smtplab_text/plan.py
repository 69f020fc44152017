"""Which files are read for which checks."""

from __future__ import annotations

from grader.labs.selection import planned, selected
from grader.model.evidence import Tried
from grader.model.plan import Plan
from grader.model.submission import Submission
from grader.model.variant import Variant
from smtplab_text.declare import TextLab


class TextPlan(Plan, frozen=True, kw_only=True):
    """The files to read."""

    attempts: list[Tried]
    files: dict[str, bytes]


def make(
    lab: TextLab, submission: Submission, variant: Variant, *, student: str | None, only: set[str] | None
) -> TextPlan:
    """See ``grader.kinds.base.Planner``."""
    chosen = selected(lab, only)
    return TextPlan(
        lab=lab.id,
        lab_version=lab.version,
        student=student,
        variant=variant.id,
        checks=planned(lab, only),
        attempts=[
            Tried(id=f"{check.code}/{number}", check=check.code, title=entry.file)
            for check in lab.checks
            if check.code in chosen
            for number, entry in enumerate(check.attempts, 1)
        ],
        files=submission.files,
    )

"""Examines submissions that need no machines: each kind of lab by its own examiner."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol

from grader.model.errors import LabError
from grader.model.evidence import Evidence
from grader.model.lab import Lab
from grader.model.submission import Submission
from grader.model.variant import Variant

ENGINE = "none"
"""What a result names as its engine where there was none."""

EXAMINERS: dict[str, str] = {"quiz": "grader.kinds.quiz.run", "zone": "grader.kinds.zone.run.examine"}
"""For each kind of lab the module whose ``examine`` does it, imported when such a lab is graded."""


class Examiner(Protocol):
    """What a kind's module must give."""

    def __call__(
        self,
        lab: Lab,
        submission: Submission,
        variant: Variant,
        *,
        student: str | None,
        only: set[str] | None,
    ) -> Evidence:
        """See ``examine``."""


def examine(
    lab: Lab, submission: Submission, variant: Variant, *, student: str | None, only: set[str] | None
) -> Evidence:
    """What a submission is and does, recorded without an engine.

    ``only`` names the checks to be judged, all unless given. Raises ``LabError`` for a kind that nothing examines.
    """
    if lab.kind not in EXAMINERS:
        raise LabError(f"the lab {lab.id} is of kind {lab.kind!r}, which cannot be graded without an engine")
    examiner: Examiner = import_module(EXAMINERS[lab.kind]).examine
    return examiner(lab, submission, variant, student=student, only=only)

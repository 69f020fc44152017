"""What marking answers takes: which questions the student got, and what was handed in."""

from __future__ import annotations

from grader.kinds.quiz.declare import QuizLab
from grader.kinds.quiz.draw import posed
from grader.kinds.quiz.facts import Posed
from grader.labs.selection import planned
from grader.model.plan import Plan
from grader.model.submission import Submission
from grader.model.variant import Variant


class QuizPlan(Plan, frozen=True, kw_only=True):
    """The questions as the student got them, and the files handed in."""

    posed: list[Posed]
    submission: Submission


def make(
    lab: QuizLab, submission: Submission, variant: Variant, *, student: str | None, only: set[str] | None
) -> QuizPlan:
    """See ``grader.kinds.base.Planner``."""
    return QuizPlan(
        lab=lab.id,
        lab_version=lab.version,
        student=student,
        variant=variant.id,
        checks=planned(lab, only),
        posed=posed(lab.quiz, variant.id),
        submission=submission,
    )

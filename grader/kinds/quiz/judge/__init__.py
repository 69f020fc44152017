"""Marks answers: each question is a check, with points for what is partly right."""

from __future__ import annotations

from collections.abc import Sequence

from grader.kinds.quiz.declare import READABLE, QuizLab
from grader.kinds.quiz.facts import QuizEvidence
from grader.kinds.quiz.judge.verdicts import AnswerJudge
from grader.model.lab import Check

__all__ = ["EVIDENCE", "checks", "judge", "prepare"]

EVIDENCE = QuizEvidence


def judge(evidence: QuizEvidence, lab: QuizLab, *, hints: str) -> AnswerJudge:
    """See ``grader.kinds.base.Judging``."""
    return AnswerJudge(evidence, lab, hints)


def checks(evidence: QuizEvidence, lab: QuizLab) -> Sequence[Check]:
    """See ``grader.kinds.base.Judging``: of all questions those that this student got, in their order."""
    known = {check.code: check for check in lab.checks}
    posed = [one.question.id for one in evidence.facts.posed]
    return [known[code] for code in (READABLE, *posed) if code in known]


def prepare(lab: QuizLab) -> None:
    """See ``grader.kinds.base.Judging``."""

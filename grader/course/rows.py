"""What is remembered of a graded submission: enough for the summary and for resuming, and small."""

from __future__ import annotations

from typing import Literal, get_args

from msgspec import Struct
from msgspec.structs import replace

from grader.course.intake.handin import HandIn
from grader.course.intake.names import safe_name
from grader.model.result import HandedIn, Result

Ending = Literal["graded", "refused", "error"]


class ClassRow(Struct, frozen=True, kw_only=True):
    """One submission of the class.

    ``ending`` is ``graded``; ``refused`` where the submission itself could not be read, which is the student's to
    fix; ``error`` where the grader failed, which says nothing about the submission.
    """

    student: str
    folder: str
    ending: Ending
    score: int = 0
    max_score: int = 0
    passed: bool = False
    variant: str = ""
    first_failure: str = ""
    note: str = ""
    duration: float = 0.0
    lab: str = ""
    source: str = ""
    handed_in: HandedIn | None = None
    remarks: list[str] = []
    """For the instructor: what the student's own result does not say."""
    notes: list[str] = []
    """For the student: what the result says of the hand-in, and no evidence does."""
    digest: str = ""
    """Of everything that the grade depends on; see ``digests``."""
    evidence: int = 0
    """Bytes of the evidence that was written with the result; 0 where there is none, or nobody noted it."""


class Ended(Struct, frozen=True):
    """What is counted of a class's row, so that a large class needs little memory."""

    student: str
    folder: str
    ending: Ending
    score: int
    passed: bool


def ended(hand_in: HandIn, line: ClassRow) -> Ended:
    """How a hand-in ended. Its texts are those that are known already, not what a worker sent."""
    ending: Ending = next(known for known in get_args(Ending) if known == line.ending)
    return Ended(hand_in.student, hand_in.folder, ending, line.score, line.passed)


def row(hand_in: HandIn, result: Result, *, digest: str, evidence: int) -> ClassRow:
    """The row of a result, with the bytes of its evidence."""
    return replace(
        _of(result),
        folder=hand_in.folder_of(result.student or ""),
        source=hand_in.label,
        remarks=list(hand_in.remarks),
        notes=list(hand_in.notes),
        digest=digest,
        evidence=evidence,
    )


def judged_again(earlier: ClassRow, result: Result) -> ClassRow:
    """The row of a result that was judged again. It has no digest: nothing was run that could be resumed."""
    return replace(
        _of(result),
        folder=earlier.folder,
        source=earlier.source,
        remarks=earlier.remarks,
        notes=earlier.notes,
    )


def _of(result: Result) -> ClassRow:
    failure = result.first_failure()
    return ClassRow(
        student=result.student or "",
        folder=safe_name(result.student or ""),
        ending=result.status,
        score=result.score,
        max_score=result.max_score,
        passed=result.passed,
        variant=result.variant,
        first_failure=failure.title if failure else "",
        note=result.error or "",
        duration=result.duration,
        lab=result.lab,
        handed_in=result.handed_in,
    )

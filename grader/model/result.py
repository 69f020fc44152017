"""A result: the judgement of one run. Everything shown anywhere is rendered from it and from its evidence."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, structs
from msgspec.structs import replace

from grader.model.diagnostic import FilePlace
from grader.model.hints import RUNGS, UNASKED, Rung

SCHEMA = "smtplab/result/1"

Status = Literal["pass", "fail", "skipped", "error", "manual"]

Visibility = Literal["always", "after-due", "never"]
"""When the student sees a check: ``after-due`` means once the work is due, and is ``always`` from then on."""


class EngineFacts(Struct, frozen=True):
    """What ran the submission: the engine's name, the image's digest, the mail server's version."""

    name: str
    image: str
    mta: str


class HintTexts(Struct, frozen=True):
    """Help beside the next step, as far as the instructor allows it; ``None`` where capped."""

    nudge: str | None = None
    pointer: str | None = None
    example: str | None = None


class Decision(Struct, frozen=True, kw_only=True):
    """What a person decided about a check, and what the grader had found.

    ``points`` is ``None`` where a person has yet to look.
    """

    points: int | None
    why: str
    by: str
    judged: Status
    judged_points: int


class CheckResult(Struct, frozen=True, kw_only=True):
    """One check judged.

    ``evidence`` points into the evidence: ``session:12``, ``session:12:34`` (a line of it), ``message:3``, ``log:7``.
    ``place`` is the line of a file handed in that a failure comes of, where one is known and the next step is told.
    """

    code: str
    title: str
    status: Status
    points: int
    max_points: int
    because: str | None = None
    expected: str = ""
    observed: str = ""
    why: str = ""
    next: str = ""
    references: list[str] = []
    evidence: list[str] = []
    tags: list[str] = []
    hints: HintTexts = HintTexts()
    remarks: list[str] = []
    decision: Decision | None = None
    visibility: Visibility = "always"
    place: FilePlace | None = None

    @property
    def ladder(self) -> dict[Rung, str]:
        """The help that there is, from the lowest rung to the highest; ``next`` stands on one of them."""
        texts = {**structs.asdict(self.hints), "next": self.next}
        return {rung: texts[rung] for rung in RUNGS if texts[rung]}

    @property
    def unasked(self) -> dict[Rung, str]:
        """The help that a report gives by itself: the nudge, then the next step."""
        return {rung: text for rung, text in self.ladder.items() if rung in UNASKED}


class HandedIn(Struct, frozen=True, kw_only=True):
    """What a platform says of a hand-in; it is carried through and judged by nobody.

    ``time`` is the platform's own text. ``group`` names all whose hand-in it is, where that is more than one.
    """

    time: str = ""
    late: bool = False
    group: list[str] = []


class Person(Struct, frozen=True, kw_only=True):
    """Who a student is, as the roster of the class says; empty where it does not.

    ``canvas`` is Canvas's number of the student, ``moodle`` Moodle's of the participant.
    """

    name: str = ""
    email: str = ""
    login: str = ""
    canvas: str = ""
    moodle: str = ""
    group: str = ""
    section: str = ""


class Result(Struct, frozen=True, kw_only=True):
    """The result document of ``smtplab check --json``.

    ``status`` is ``graded``; ``refused`` where what was handed in could not be read, which is the student's to mend and
    was not graded; ``error`` where the grader failed, which says nothing about the student. ``error`` has the reason of
    the latter two. ``assignment`` is what platforms call the lab, by their names.
    """

    schema: str = SCHEMA
    lab: str
    lab_title: str = ""
    lab_version: str
    student: str | None
    variant: str
    status: Literal["graded", "refused", "error"]
    score: int
    max_score: int
    started: str
    duration: float
    engine: EngineFacts
    checks: list[CheckResult]
    error: str | None = None
    notes: list[str] = []
    handed_in: HandedIn | None = None
    person: Person | None = None
    assignment: dict[str, str] = {}

    @property
    def passed(self) -> bool:
        """Whether every check that was judged passed."""
        return _passed(self)

    @property
    def final(self) -> bool:
        """Whether the score is a grade. Where the grader failed at a check it is none: that must cost nobody points."""
        return self.status == "graded" and all(check.status != "error" for check in self.checks)

    @property
    def waiting_points(self) -> int:
        """Points on which a person decides, and of the checks that wait for such a decision."""
        waiting = {check.code for check in self.checks if check.status == "manual"}
        return sum(c.max_points for c in self.checks if c.code in waiting or c.because in waiting)

    def first_failure(self) -> CheckResult | None:
        """The failure to fix first: the first that no other failure explains."""
        return next((check for check in self.checks if check.status == "fail"), None)


class CheckLine(Struct, frozen=True):
    """As much of a check as a list of students says of it."""

    code: str
    status: Status


class ResultLine(Struct, frozen=True):
    """As much of a result as a list of students says of it: what a class is shown by is read without the rest."""

    lab: str
    student: str | None
    status: Literal["graded", "refused", "error"]
    score: int
    max_score: int
    checks: list[CheckLine]
    error: str | None = None

    @property
    def passed(self) -> bool:
        """As of the ``Result``."""
        return _passed(self)


def _passed(result: Result | ResultLine) -> bool:
    return result.status == "graded" and all(check.status in ("pass", "manual") for check in result.checks)


def refused(unjudged: Result, reason: str) -> Result:
    """The result of a hand-in that could not be read: no check of it was judged, and no points are a grade."""
    checks = [
        replace(check, status="skipped", points=0, observed="", because=None) for check in unjudged.checks
    ]
    return replace(unjudged, status="refused", error=reason, score=0, checks=checks)


def of_course(result: Result, visibility: Mapping[str, Visibility], assignment: Mapping[str, str]) -> Result:
    """The result with what its course says: when students see checks, by their codes, and what platforms call it."""
    checks = [
        replace(check, visibility=visibility.get(check.code.rpartition("/")[2], "always"))
        for check in result.checks
    ]
    return replace(result, checks=checks, assignment=dict(assignment))


def with_note(result: Result, note: str) -> Result:
    """The result with one more remark, before its others."""
    return replace(result, notes=[note, *result.notes])

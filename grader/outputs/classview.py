"""What a class's page and its text show: a few words of each result, so that a large class needs little memory."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Literal

from grader.model.result import CheckResult, Person, Result
from grader.outputs.editions import hides
from grader.outputs.feedback import handed_in_at, lateness

State = Literal["passed", "failed", "waiting", "refused", "error", "missing"]
NO_RESULT: tuple[State, ...] = ("error", "refused", "missing")
BINS = tuple([f"{low}-{low + 9}" for low in range(0, 100, 10)] + ["100"])
"""Per cent of the points; who has all of them stands apart."""
GAP = "…"
CANONICAL = "canonical"
FEW = 3
"""What fewer variants or students than these share could tell whose it is."""
NOBODY = Person()

_NAMES = re.compile(r"([\w-]+(?:[.@:][\w-]+)+(?:/\d+)?|\w*\d\w*)")
"""What may differ from variant to variant in a lab's sentence: domains, addresses, networks, numbers."""


def without_names(text: str) -> str:
    """A lab's sentence with a gap for whatever may differ from variant to variant."""
    return _NAMES.sub(GAP, text)


@dataclass
class Phrase:
    """A lab's sentence as several students got it, each in their own variant; what differs between them is a gap."""

    parts: list[str]
    variants: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, text: str) -> Phrase:
        """The sentence as the first student got it."""
        return cls(_NAMES.split(text))

    def also(self, text: str, variant: str) -> None:
        """Another student's."""
        if len(self.variants) < FEW:  # More say nothing more.
            self.variants.add(variant)
        pairs = zip_longest(self.parts, _NAMES.split(text), fillvalue="")
        self.parts = [one if one == other else GAP for one, other in pairs]

    @property
    def text(self) -> str:
        """What all of them have in common."""
        return "".join(self.parts)

    @property
    def anybody_s(self) -> bool:
        """Whether it is in nobody's own variant."""
        return self.variants <= {CANONICAL} or len(self.variants) >= FEW


@dataclass(frozen=True, slots=True)
class StudentView:
    """One student. ``score`` is ``None`` where there is no grade; ``reason`` then says why, if the state does not.

    ``failed`` are indices of checks. ``waiting`` are points on which a person decides. ``handed_in`` is the platform's
    time, and ``late`` its word. ``report`` is the address of the report, relative to the page; empty where there is
    none. ``remarks`` are for the instructor alone.
    """

    id: str
    state: State
    person: Person = NOBODY
    score: int | None = None
    max_score: int = 0
    reason: str = ""
    failed: tuple[int, ...] = ()
    waiting: int = 0
    late: bool = False
    handed_in: str = ""
    decided: bool = False
    remarks: tuple[str, ...] = ()
    report: str = ""


@dataclass
class CheckTally:
    """How the class did at a check: how many had each status."""

    code: str
    title: Phrase
    statuses: Counter[str] = field(default_factory=Counter)

    @property
    def short(self) -> str:
        """The code without the lab's."""
        return self.code.rpartition("/")[2]

    @property
    def judged(self) -> int:
        """How many passed or failed."""
        return self.statuses["pass"] + self.statuses["fail"]

    @property
    def unjudged(self) -> int:
        """How many did neither: skipped, the grader failed, or a person has to look."""
        return self.statuses.total() - self.judged

    @property
    def rate(self) -> float | None:
        """The part of those judged that passed; ``None`` where nobody was."""
        return self.statuses["pass"] / self.judged if self.judged else None


@dataclass
class Fault:
    """One fault: a check failed, with the same advice to all ``students``."""

    check: CheckTally
    advice: Phrase
    students: list[StudentView] = field(default_factory=list)

    @property
    def anybody_s(self) -> bool:
        """Whether the advice tells of nobody in particular."""
        return self.advice.anybody_s and len(self.students) >= FEW


@dataclass
class ClassView:
    """A class: students in the order given, then those who handed nothing in; checks in the lab's order."""

    lab: str = ""
    title: str = ""
    version: str = ""
    students: list[StudentView] = field(default_factory=list)
    checks: list[CheckTally] = field(default_factory=list)
    hides: bool = False
    faults: list[Fault] = field(default_factory=list)

    @property
    def states(self) -> Counter[State]:
        """How many students are in each state."""
        return Counter(student.state for student in self.students)

    @property
    def without_result(self) -> list[StudentView]:
        """Those who have no grade."""
        return [student for state in NO_RESULT for student in self.students if student.state == state]

    @property
    def late(self) -> list[StudentView]:
        """Those whose work came late, as the platform says."""
        return [student for student in self.students if student.late]

    @property
    def shares(self) -> list[float]:
        """What part of the points each has who has a grade, the least first."""
        return sorted(
            student.score / student.max_score if student.max_score else 1.0
            for student in self.students
            if student.score is not None
        )

    @property
    def median(self) -> float | None:
        """The middle one of the shares; ``None`` without any."""
        shares = self.shares
        return (shares[(len(shares) - 1) // 2] + shares[len(shares) // 2]) / 2 if shares else None

    @property
    def distribution(self) -> list[tuple[str, int]]:
        """How many students have how much of the points, for each of ``BINS``."""
        found = Counter(min(len(BINS) - 1, max(0, int(share * 10 + 1e-9))) for share in self.shares)
        return [(name, found[number]) for number, name in enumerate(BINS)]


@dataclass(frozen=True)
class Entry:
    """A result on its way into the view: where its report lies, and what only the instructor is told."""

    result: Result
    report: str = ""
    remarks: Sequence[str] = ()


def view(entries: Iterable[Entry], missing: Iterable[tuple[str, Person]] = ()) -> ClassView:
    """The class in few words. Results are looked at one at a time, and nothing of them is kept that is not shown."""
    found = ClassView()
    tallies: dict[str, CheckTally] = {}
    places: dict[str, int] = {}
    faults: dict[tuple[str, str], Fault] = {}
    for entry in entries:
        result = entry.result
        if not found.lab:
            found.lab, found.title, found.version = result.lab, result.lab_title, result.lab_version
        # A code may stand twice in a result that was tampered with; once a student is enough.
        checks = {check.code: check for check in result.checks}
        found.hides = found.hides or hides(result)
        for code, check in checks.items():
            if code not in tallies:
                tallies[code], places[code] = CheckTally(code, Phrase.of(check.title)), len(places)
            tallies[code].title.also(check.title, result.variant)
        judged = list(checks.values()) if result.status == "graded" else []
        for check in judged:
            tallies[check.code].statuses[check.status] += 1
        failed = [check for check in judged if check.status == "fail"]
        student = _student(entry, [places[check.code] for check in failed])
        found.students.append(student)
        for check in failed:
            key = (check.code, without_names(check.next))
            if key not in faults:
                faults[key] = Fault(tallies[check.code], Phrase.of(check.next))
            faults[key].advice.also(check.next, result.variant)
            faults[key].students.append(student)
    found.students += [StudentView(student, "missing", person) for student, person in missing]
    found.checks = list(tallies.values())
    found.faults = sorted(
        faults.values(), key=lambda fault: (-len(fault.students), places[fault.check.code], fault.advice.text)
    )
    return found


def _student(entry: Entry, failed: Sequence[int]) -> StudentView:
    result = entry.result
    return StudentView(
        id=result.student or "",
        state=_state(result),
        person=result.person or NOBODY,
        score=result.score if result.final else None,
        max_score=result.max_score,
        reason=_reason(result),
        failed=tuple(failed),
        waiting=result.waiting_points if result.status == "graded" else 0,
        late=bool(lateness(result)),
        handed_in=handed_in_at(result),
        decided=any(check.decision is not None for check in result.checks),
        remarks=tuple(entry.remarks),
        report=entry.report,
    )


def _state(result: Result) -> State:
    if result.status == "refused":
        return "refused"
    if not result.final:
        return "error"
    statuses = {check.status for check in result.checks}
    if "manual" in statuses and "fail" not in statuses:
        return "waiting"
    return "passed" if result.passed else "failed"


def _reason(result: Result) -> str:
    if result.final:
        return ""
    if result.error:
        return result.error
    return _first_words(check for check in result.checks if check.status == "error")


def _first_words(checks: Iterable[CheckResult]) -> str:
    first = next(iter(checks), None)
    return (first.observed or f"The grader failed at {first.code}.") if first else "No reason was given."

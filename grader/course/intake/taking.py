"""From sources on the command line to the hand-ins of a class."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from msgspec.structs import replace

from grader.course.intake.handin import Found, HandIn
from grader.course.intake.layouts import LAYOUTS, NAMED
from grader.course.intake.listing import Asked
from grader.course.intake.names import printable, student_id
from grader.course.intake.reading import read_sources
from grader.course.intake.roster import Roster, Student
from grader.display.sentences import listed, some
from grader.labs import Part
from grader.model.errors import UsageError
from grader.model.lab import Lab
from grader.model.result import Person
from grader.model.templates import nearest
from grader.model.variant import composed


@dataclass(frozen=True)
class Choices:
    """What the user says of how work is taken in.

    ``layout`` is a name of ``LAYOUTS``, perhaps with ``:ARGUMENT``, ``named``, or ``None`` to recognise it. ``groups``:
    the roster's groups hand in together. ``decisions`` name the student of a source where a person has decided that.
    What a platform says came after ``due`` is late.
    """

    layout: str | None = None
    roster: Roster | None = None
    groups: bool = False
    decisions: Mapping[str, str] = field(default_factory=dict)
    due: datetime | None = None


@dataclass
class Intake:
    """The hand-ins of a class, and what has to be said of them before they are graded."""

    hand_ins: list[HandIn]
    strays: list[str] = field(default_factory=list)
    superseded: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    people: dict[str, Person] = field(default_factory=dict)
    layout: str = NAMED

    def said(self) -> Iterable[str]:
        """Sentences for the instructor."""
        if self.layout != NAMED:
            yield f"read as {LAYOUTS[self.layout].about}: {len(self.hand_ins)} hand-ins"
        if self.strays:
            yield f"passed over, for they are no hand-ins: {some(self.strays, 8)}"
        if self.superseded:
            yield f"handed in more than once, and the last counts; passed over: {some(self.superseded, 8)}"
        if self.unknown:
            yield f"not in the roster: {some(self.unknown, 8)}"
        if self.missing:
            yield f"in the roster, and handed nothing in: {some(self.missing, 8)}"


def take_in(sources: Sequence[Path], lab: Lab, out: Path, choices: Choices | None = None) -> Intake:
    """The hand-ins to grade, in the order given; each student's last.

    Raises ``UsageError`` where a source is missing, where none is a hand-in, where a layout is not understood, or where
    two students' results would get the same folder.
    """
    choices = choices or Choices()
    name, _, argument = (choices.layout or "").partition(":")
    if name and name != NAMED and name not in LAYOUTS:
        known = [NAMED, *LAYOUTS]
        raise UsageError(
            f"there is no layout {name!r}{nearest('%r', name, known)}; there are {', '.join(known)}"
        )
    # A name that is filled in for each student may be any.
    required = [re.sub(r"\{\w+\}", "*", pattern) for pattern in lab.submission.required]
    reading = read_sources(sources, out, name or None, Asked(lab.id, required, argument))
    taken = Intake([], strays=reading.strays, layout=reading.layout)
    owners: dict[str, HandIn] = {}
    passed_over: list[tuple[HandIn, str]] = []
    for found, source in reading.found:
        hand_in = _hand_in(found, source, choices, taken)
        for student in hand_in.students:
            if (earlier := owners.get(student)) is not None:
                passed_over.append((earlier, student))
            owners[student] = hand_in
    taken.hand_ins = list(_owned(owners))
    taken.superseded = _superseded(passed_over, owners)
    if not taken.hand_ins:
        raise UsageError(
            f"none of what was given is a hand-in ({some(taken.strays, 8)}): give folders, or zip or tar archives"
        )
    _refuse_same_folder(taken.hand_ins)
    _compare(taken, choices.roster)
    return taken


def _superseded(passed_over: Iterable[tuple[HandIn, str]], owners: Mapping[str, HandIn]) -> list[str]:
    """The hand-ins that do not count, each with those for whom it does not where it does for others of its group."""
    students: dict[str, list[str]] = {}
    counts: set[str] = set()
    for hand_in, student in passed_over:
        students.setdefault(hand_in.label, []).append(student)
        if any(owners[one] is hand_in for one in hand_in.students):
            counts.add(hand_in.label)
    return [f"{label} (for {listed(who)})" if label in counts else label for label, who in students.items()]


def _hand_in(found: Found, source: Path | tuple[Part, ...], choices: Choices, taken: Intake) -> HandIn:
    students: list[str] = []
    group = ""
    decided = _decided(found, choices.decisions)
    for ids in found.members if decided is None else ({"id": decided},):
        known = choices.roster.find(ids) if choices.roster else None
        if known is None:
            own = student_id(next(iter(ids.values())))
            if choices.roster:
                taken.unknown.append(f"{own} ({found.label})" if own not in found.label else found.label)
            students.append(own)
            continue
        members: list[Student] = [known]
        if choices.groups and choices.roster and known.person.group:
            group = known.person.group
            members = choices.roster.group(group)
        students += [one.id for one in members]
    first, *others = dict.fromkeys(students)
    notes = tuple(map(printable, found.notes))
    return HandIn(
        student=first,
        source=source,
        label=printable(found.label),
        time=printable(found.time),
        late=found.late or _after(found.time, choices.due),
        others=tuple(others),
        group=group,
        raw=next(iter(found.members[0].values())),
        remarks=tuple(f"{first}: {note}" for note in notes),
        notes=notes,
    )


def _after(time: str, due: datetime | None) -> bool:
    """Whether a platform's time is later than a moment; not where it cannot be read, or has no offset."""
    try:
        return due is not None and datetime.fromisoformat(time) > due
    except (ValueError, TypeError):
        return False


def _decided(found: Found, decisions: Mapping[str, str]) -> str | None:
    """The student that a person has named for a source, by its label, its last part or the platform's own id."""
    own = next(iter(found.members[0].values()))
    names = (found.label, Path(found.label).name, own)
    # A table in UTF-8 has other names as documents write them.
    known = [composed(name) for name in (*names, *map(printable, names))]
    return next((decisions[name] for name in known if name in decisions), None)


def _owned(owners: dict[str, HandIn]) -> Iterable[HandIn]:
    """Each hand-in once, with those students alone whose last it is."""
    mine: dict[int, list[str]] = {}
    for student, hand_in in owners.items():
        mine.setdefault(id(hand_in), []).append(student)
    for hand_in in {id(hand_in): hand_in for hand_in in owners.values()}.values():
        left = [student for student in hand_in.students if student in mine[id(hand_in)]]
        yield replace(hand_in, student=left[0], others=tuple(left[1:]))


def _refuse_same_folder(hand_ins: Sequence[HandIn]) -> None:
    taken: dict[str, str] = {}
    for hand_in in hand_ins:
        for student in hand_in.students:
            folder = hand_in.folder_of(student).casefold()
            if (other := taken.get(folder)) is not None:
                raise UsageError(
                    f"the students {other!r} and {student!r} differ in capitals alone, and their results would have "
                    "one folder: rename one"
                )
            taken[folder] = student


def _compare(taken: Intake, roster: Roster | None) -> None:
    if roster is None:
        return
    here = {student for hand_in in taken.hand_ins for student in hand_in.students}
    if not any(student.id in here for student in roster.students):
        raise UsageError(
            f"the roster {roster.where} knows nobody who handed in (such as {some(sorted(here), 3)}): give one with "
            "the ids, addresses or logins that the platform uses"
        )
    taken.people = {student.id: student.person for student in roster.students if student.id in here}
    taken.missing = [student.id for student in roster.students if student.id not in here]

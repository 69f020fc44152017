"""Grades one hand-in of a class: reads it, grades what was read, and writes its folders.

``grade_entry`` does all three in one process. On a cluster, a worker grades, and the machine that has the class reads
and writes: a worker that is taken for lost can then write nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from grader import interruption, labs, outputs, pipeline
from grader.course import digests
from grader.course.intake.handin import HandIn
from grader.course.overrides import Override, decided, of_student
from grader.course.results_folder import (
    EVIDENCE,
    ROW_NAME,
    SIGNATURE,
    documents,
    read_result,
    read_row,
    write_folder,
)
from grader.course.rows import ClassRow, row
from grader.engines.base import Engine
from grader.judge import judge
from grader.labs.limits import HAND_IN
from grader.model.errors import EngineError, OutputError, SmtplabError, SubmissionError
from grader.model.evidence import AnyEvidence
from grader.model.lab import Lab
from grader.model.result import HandedIn, Person, Result, Visibility, of_course, refused, with_note
from grader.model.variant import Variant

if TYPE_CHECKING:  # Few classes are signed, and to load what signs takes a while.
    from grader.course.signing import Signer

ENDED_SOON_SECONDS = 10.0
"""In which a host is gone that is given a second try: one that had its time has had it."""


@dataclass(frozen=True)
class Course:
    """What is the same for all submissions of a class. The course's key is not in it: variants are drawn before.

    ``visibility`` is that of the checks which students do not always see, and ``None`` where no course says it;
    ``assignment`` is what platforms call it.
    """

    lab: Lab
    out: Path
    engine: Engine | None
    hints: str
    resume: bool
    formats: tuple[str, ...]
    digest: str
    people: Mapping[str, Person] = field(default_factory=dict)
    overrides: Sequence[Override] = ()
    signer: Signer | None = None
    visibility: Mapping[str, Visibility] | None = None
    assignment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """A hand-in, and the variant of the lab that it is graded in."""

    hand_in: HandIn
    variant: Variant


@dataclass(frozen=True)
class Read:
    """What was handed in, as it is graded; ``digest`` is of everything that the grade depends on.

    ``note`` is for the student, empty where there is none.
    """

    entry: Entry
    submission: labs.Submission
    digest: str
    note: str = ""


@dataclass(frozen=True)
class Documents:
    """What is kept of one student's hand-in: its row, and the files of its folder by name."""

    row: ClassRow
    files: dict[str, bytes]


def grade_entry(course: Course, entry: Entry) -> ClassRow:
    """Grade one hand-in, write its folders, and give its row. Every failure of this one hand-in is its row's."""
    read = read_entry(course, entry)
    return write(course, grade_read(course, read)) if isinstance(read, Read) else read


def finished(course: Course, entry: Entry) -> ClassRow | None:
    """The row of a hand-in of which nothing is to be graded; what goes wrong is left to ``grade_entry`` to find."""
    try:
        return _finished(course, entry.hand_in, _read(course, entry).digest)
    except Exception:
        return None


def read_entry(course: Course, entry: Entry) -> Read | ClassRow:
    """What was handed in; or the row where there is nothing to grade: it is done already, or cannot be read."""
    try:
        read = _read(course, entry)
        if course.resume and (done := _finished(course, entry.hand_in, read.digest)):
            return done
    except SubmissionError as error:
        return write(course, _refused(course, entry, str(error)))
    except Exception as error:
        return write(course, _failed(course, entry, _reason(error)))
    return read


def _read(course: Course, entry: Entry) -> Read:
    hand_in, variant = entry.hand_in, entry.variant
    source = hand_in.source
    own = labs.own_submission(course.lab, source, variant) if isinstance(source, Path) else None
    handed_in = own[0] if own else labs.read_submission(course.lab, source, variant.names, where=HAND_IN)
    theirs = [one for student in hand_in.students for one in of_student(course.overrides, student)]
    digest = digests.of_submission(course.digest, hand_in, variant, handed_in, theirs)
    return Read(entry, handed_in, digest, own[1] if own else "")


def grade_read(course: Course, read: Read) -> list[Documents]:
    """Grade what was read: what is to be kept of it, for everybody whose hand-in it is. It writes nothing."""
    try:
        run = _graded(course, read)
    except SubmissionError as error:
        return _refused(course, read.entry, str(error))
    except Exception as error:
        # Whatever is wrong with the grader, one submission must not stop the rest of the class.
        return _failed(course, read.entry, _reason(error))
    result = with_note(run.result, read.note) if read.note else run.result
    return _documents(course, read.entry.hand_in, result, run.evidence, read.digest)


def write(course: Course, kept: Sequence[Documents]) -> ClassRow:
    """Write a folder for everybody whose hand-in it is, and give the row of the first. Raises ``OutputError``."""
    interruption.end_if_interrupted()
    for one in kept:
        _write_signed(course, one.row.folder, one.files)
    return kept[0].row


def _write_signed(course: Course, name: str, files: Mapping[str, bytes]) -> None:
    signature = {SIGNATURE: course.signer.sign(name, files)} if course.signer is not None else {}
    write_folder(course.out / name, {**files, **signature})


def write_failed(course: Course, entry: Entry, reason: str) -> ClassRow:
    """Write the folder of a submission that the grader failed at, and give its row. Raises ``OutputError``."""
    return write(course, _failed(course, entry, reason))


def _reason(error: Exception) -> str:
    if isinstance(error, SmtplabError):
        return str(error)
    return f"a fault in smtplab itself, {type(error).__name__}: {error}"


def _encodable(reason: str) -> str:
    """A reason as documents can hold it, for it may quote a name of whatever bytes: telling must not fail."""
    return reason.encode("utf-8", "backslashreplace").decode()


def _graded(course: Course, read: Read) -> pipeline.Graded:
    """Grade it, once more where its host was gone in the middle.

    Nothing that a submission may do ends its host, but a machine that is short of memory does, and so does whoever
    kills the wrong process. A host that ends twice is what the submission comes to.
    """
    for last in (False, True):
        run = pipeline.grade(
            course.lab,
            read.submission,
            engine=course.engine,
            student=read.entry.hand_in.student,
            variant=read.entry.variant,
            hints=course.hints,
        )
        if last or not run.host_ended or run.evidence.duration > ENDED_SOON_SECONDS:
            break
    return run


def _finished(course: Course, hand_in: HandIn, digest: str) -> ClassRow | None:
    """The row of an earlier run that graded just this.

    What a run does not depend on is not in the ``digest``, and nothing is run again for it: what the course says of
    checks and students, what only the instructor is told of the hand-in, formats. Documents that this leaves behind
    are made anew.
    """
    homes = {student: course.out / hand_in.folder_of(student) for student in hand_in.students}
    first = read_row(homes[hand_in.student])
    if first is None or first.digest != digest or first.ending != "graded":
        return None
    if course.signer is not None and not all(map(course.signer.signed, homes.values())):
        return None  # What was signed by nobody may have been changed by anybody.
    rows = []
    for student, home in homes.items():
        known = first if student == hand_in.student else read_row(home)
        try:
            there = read_result(home)
        except OutputError:
            return None  # What cannot be read any more is graded again.
        if known is None or not _has_evidence(home, known):
            return None
        result = _of_student(there, course, student)
        rows.append(row(hand_in, result, digest=digest, evidence=known.evidence))
        try:
            _renew(course, home, there, result, None if rows[-1] == known else rows[-1])
        except OutputError:
            raise
        except SmtplabError:
            return None
    return rows[0]


def _has_evidence(home: Path, line: ClassRow) -> bool:
    """Whether the evidence of a graded hand-in lies there in the size that was written: its bytes are not read.

    Reading them would take longer than all else that resuming does, and nothing but a person changes bytes in place.
    """
    try:
        size = (home / EVIDENCE).stat().st_size
    except OSError:
        return False
    return size == (line.evidence or size) and size > 0


def _renew(course: Course, home: Path, there: Result, result: Result, line: ClassRow | None) -> None:
    """Make what a finished folder lacks, and all of it where another ``result`` lies ``there``, of what lies there.

    ``line`` is the row, where it is another one.
    """
    names, changed = set(os.listdir(home)), result != there  # noqa: PTH208 - a Path each takes longer
    todo = [
        kind
        for kind in outputs.FORMATS.values()
        if kind.one and not kind.of_evidence
        if kind.always or kind.name in course.formats or kind.file in names
        if changed or kind.file not in names
    ]
    if not todo and line is None:
        return
    files = {name: (home / name).read_bytes() for name in names if name != SIGNATURE}
    evidence = pipeline.read_evidence(files[EVIDENCE]) if EVIDENCE in files else None
    files |= {kind.file: kind.one(result, evidence) for kind in todo if kind.one}
    if line is not None:
        files[ROW_NAME] = msgspec.json.encode(line)
    _write_signed(course, home.name, files)


def _of_student(result: Result, course: Course, student: str) -> Result:
    """The result of a hand-in as one of its students has it, with what roster and course say.

    Without them, what an earlier run was told by them counts.
    """
    person = course.people.get(student) if course.people else result.person
    mine = replace(result, student=student, person=person)
    return mine if course.visibility is None else of_course(mine, course.visibility, course.assignment)


def _failed(course: Course, entry: Entry, reason: str) -> list[Documents]:
    """What is kept of a submission that the grader failed at."""
    evidence = _nothing_run(course, entry, reason)
    return _documents(course, entry.hand_in, judge(evidence, hints=course.hints), evidence, "")


def _refused(course: Course, entry: Entry, reason: str) -> list[Documents]:
    """What is kept of a submission that cannot be read: not graded, and the student's to mend."""
    nothing = judge(_nothing_run(course, entry, reason), hints=course.hints)
    result = refused(nothing, _encodable(reason))
    return _documents(course, entry.hand_in, result, None, "")


def _nothing_run(course: Course, entry: Entry, reason: str) -> AnyEvidence:
    return pipeline.failed(
        course.lab,
        EngineError(_encodable(reason)),
        student=entry.hand_in.student,
        variant=entry.variant.id,
        names=entry.variant.names,
    )


def _documents(
    course: Course, hand_in: HandIn, result: Result, evidence: AnyEvidence | None, digest: str
) -> list[Documents]:
    kept = []
    facts = HandedIn(
        time=hand_in.time, late=hand_in.late, group=list(hand_in.students) if hand_in.others else []
    )
    result = replace(
        result, notes=[*hand_in.notes, *result.notes], handed_in=facts if facts != HandedIn() else None
    )
    for student in hand_in.students:
        mine = _of_student(decided(replace(result, student=student), course.overrides), course, student)
        seen = None if evidence is None else replace(evidence, student=student)
        files = documents(mine, seen, course.formats)
        line = row(hand_in, mine, digest=digest, evidence=len(files.get(EVIDENCE, b"")))
        kept.append(Documents(line, files | {ROW_NAME: msgspec.json.encode(line)}))
    return kept

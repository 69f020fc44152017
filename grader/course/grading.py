"""Grades one hand-in of a class and writes its folders; runs in a worker process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from msgspec.structs import replace

from grader import labs, pipeline
from grader.course import digests
from grader.course.intake.handin import HandIn
from grader.course.intake.handouts import variant_of
from grader.course.overrides import Override, decided, of_student
from grader.course.results_folder import ROW_NAME, read_row, write_folder
from grader.course.rows import ClassRow, row
from grader.engines.base import Engine
from grader.judge import judge
from grader.model.errors import EngineError, SmtplabError, SubmissionError
from grader.model.evidence import AnyEvidence
from grader.model.lab import Lab
from grader.model.result import HandedIn, Person, Result, refused, with_note
from grader.model.variant import Variant

ENDED_SOON_SECONDS = 10.0
"""In which a host is gone that is given a second try: one that had its time has had it."""


@dataclass(frozen=True)
class Course:
    """What is the same for all submissions of a class.

    ``draw`` gives every student a variant of their own; otherwise all had the canonical one.
    """

    lab: Lab
    out: Path
    engine: Engine | None
    key: str | None
    draw: bool
    hints: str
    resume: bool
    formats: tuple[str, ...]
    digest: str
    people: Mapping[str, Person] = field(default_factory=dict)
    overrides: Sequence[Override] = ()


def grade_entry(course: Course, hand_in: HandIn) -> ClassRow:
    """Grade one hand-in, write its folders, and give its row. Every failure of this one hand-in is its row's."""
    variant = variant_of(hand_in, course.lab, draw=course.draw, key=course.key)
    digest = ""
    try:
        source = hand_in.source
        own = labs.own_submission(course.lab, source, variant) if isinstance(source, Path) else None
        handed_in = own[0] if own else labs.read_submission(course.lab, source, variant.names)
        theirs = [one for student in hand_in.students for one in of_student(course.overrides, student)]
        digest = digests.of_submission(course.digest, hand_in, variant, handed_in, theirs)
        if course.resume and (done := _finished(course, hand_in, digest)):
            return done
        run = _graded(course, hand_in, handed_in, variant)
    except SubmissionError as error:
        return _write_refused(course, hand_in, variant, str(error))
    except SmtplabError as error:
        return write_failed(course, hand_in, variant, str(error))
    except Exception as error:
        # Whatever is wrong with the grader, one submission must not stop the rest of the class.
        return write_failed(
            course, hand_in, variant, f"a fault in smtplab itself, {type(error).__name__}: {error}"
        )
    result = with_note(run.result, own[1]) if own else run.result
    return _write(course, hand_in, result, run.evidence, digest)


def _graded(course: Course, hand_in: HandIn, handed_in: labs.Submission, variant: Variant) -> pipeline.Graded:
    """Grade it, once more where its host was gone in the middle.

    Nothing that a submission may do ends its host, but a machine that is short of memory does, and so does whoever
    kills the wrong process. A host that ends twice is what the submission comes to.
    """
    for last in (False, True):
        run = pipeline.grade(
            course.lab,
            handed_in,
            engine=course.engine,
            student=hand_in.student,
            variant=variant,
            hints=course.hints,
        )
        if last or not run.host_ended or run.evidence.duration > ENDED_SOON_SECONDS:
            break
    return run


def _finished(course: Course, hand_in: HandIn, digest: str) -> ClassRow | None:
    """The row of an earlier run that graded just this."""
    known = read_row(course.out / hand_in.folder)
    if known is None:
        return None
    whole = all((course.out / hand_in.folder_of(student) / ROW_NAME).is_file() for student in hand_in.others)
    return known if whole and known.digest == digest and known.ending == "graded" else None


def write_failed(course: Course, hand_in: HandIn, variant: Variant, reason: str) -> ClassRow:
    """Write the folder of a submission that the grader failed at, and give its row."""
    evidence = pipeline.failed(
        course.lab, EngineError(reason), student=hand_in.student, variant=variant.id, names=variant.names
    )
    return _write(course, hand_in, judge(evidence, hints=course.hints), evidence, "")


def _write_refused(course: Course, hand_in: HandIn, variant: Variant, reason: str) -> ClassRow:
    """Write the folder of a submission that cannot be read: not graded, and the student's to mend."""
    evidence = pipeline.failed(
        course.lab, EngineError(reason), student=hand_in.student, variant=variant.id, names=variant.names
    )
    result = refused(judge(evidence, hints=course.hints), reason)
    return _write(course, hand_in, result, None, "")


def _write(
    course: Course, hand_in: HandIn, result: Result, evidence: AnyEvidence | None, digest: str
) -> ClassRow:
    """Write a folder for everybody whose hand-in it is; the row of the first."""
    rows = []
    facts = HandedIn(
        time=hand_in.time, late=hand_in.late, group=list(hand_in.students) if hand_in.others else []
    )
    result = replace(
        result, notes=[*hand_in.notes, *result.notes], handed_in=facts if facts != HandedIn() else None
    )
    for student in hand_in.students:
        mine = replace(result, student=student, person=course.people.get(student))
        mine = decided(mine, course.overrides)
        line = row(hand_in, mine, digest=digest)
        seen = None if evidence is None else replace(evidence, student=student)
        write_folder(
            course.out / line.folder, mine, seen, course.formats, {ROW_NAME: msgspec.json.encode(line)}
        )
        rows.append(line)
    return rows[0]

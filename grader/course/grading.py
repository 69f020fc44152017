"""Grades one submission of a class and writes its folder; runs in a worker process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from grader import labs, pipeline
from grader.course import digests
from grader.course.results_folder import write_folder
from grader.course.rows import ClassRow, row
from grader.course.submissions import RosterEntry
from grader.engines.base import Engine
from grader.judge import judge
from grader.model.errors import EngineError, SmtplabError, SubmissionError
from grader.model.evidence import AnyEvidence
from grader.model.lab import Lab
from grader.model.result import Result, refused, with_note
from grader.model.variant import Variant

ROW_NAME = "row.json"
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


def grade_entry(course: Course, entry: RosterEntry) -> ClassRow:
    """Grade one submission, write its folder, and give its row. Every failure of this one submission is its row's."""
    variant = labs.draw_variant(course.lab, entry.student if course.draw else None, course.key)
    digest = ""
    try:
        own = labs.own_submission(course.lab, entry.source, variant)
        handed_in = own[0] if own else labs.read_submission(course.lab, entry.source, variant.names)
        digest = digests.of_submission(course.digest, entry.student, variant, handed_in)
        if course.resume and (done := _finished(course, entry, digest)):
            return done
        run = _graded(course, entry, handed_in, variant)
    except SubmissionError as error:
        return _write_refused(course, entry, variant, str(error))
    except SmtplabError as error:
        return write_failed(course, entry, variant, str(error))
    except Exception as error:
        # Whatever is wrong with the grader, one submission must not stop the rest of the class.
        return write_failed(
            course, entry, variant, f"a fault in smtplab itself, {type(error).__name__}: {error}"
        )
    result = with_note(run.result, own[1]) if own else run.result
    return _write(course, entry, result, run.evidence, digest)


def _graded(
    course: Course, entry: RosterEntry, handed_in: labs.Submission, variant: Variant
) -> pipeline.Graded:
    """Grade it, once more where its host was gone in the middle.

    Nothing that a submission may do ends its host, but a machine that is short of memory does, and so does whoever
    kills the wrong process. A host that ends twice is what the submission comes to.
    """
    for last in (False, True):
        run = pipeline.grade(
            course.lab,
            handed_in,
            engine=course.engine,
            student=entry.student,
            variant=variant,
            hints=course.hints,
        )
        if last or not run.host_ended or run.evidence.duration > ENDED_SOON_SECONDS:
            break
    return run


def _finished(course: Course, entry: RosterEntry, digest: str) -> ClassRow | None:
    """The row of an earlier run that graded just this."""
    try:
        known = msgspec.json.decode((course.out / entry.folder / ROW_NAME).read_bytes(), type=ClassRow)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return known if known.digest == digest and known.ending == "graded" else None


def write_failed(course: Course, entry: RosterEntry, variant: Variant, reason: str) -> ClassRow:
    """Write the folder of a submission that the grader failed at, and give its row."""
    evidence = pipeline.failed(
        course.lab, EngineError(reason), student=entry.student, variant=variant.id, names=variant.names
    )
    return _write(course, entry, judge(evidence, hints=course.hints), evidence, "")


def _write_refused(course: Course, entry: RosterEntry, variant: Variant, reason: str) -> ClassRow:
    """Write the folder of a submission that cannot be read: not graded, and the student's to mend."""
    evidence = pipeline.failed(
        course.lab, EngineError(reason), student=entry.student, variant=variant.id, names=variant.names
    )
    result = refused(judge(evidence, hints=course.hints), reason)
    return _write(course, entry, result, None, "")


def _write(
    course: Course,
    entry: RosterEntry,
    result: Result,
    evidence: AnyEvidence | None,
    digest: str,
) -> ClassRow:
    line = row(entry.student, entry.folder, result, digest=digest)
    write_folder(
        course.out / entry.folder, result, evidence, course.formats, {ROW_NAME: msgspec.json.encode(line)}
    )
    return line

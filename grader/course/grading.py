"""Grades one submission of a class and writes its folder; runs in a worker process."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from grader import labs, outputs, pipeline
from grader.course import digests
from grader.course.rows import Row, row
from grader.course.submissions import Entry
from grader.engines.base import Engine
from grader.judge import judge
from grader.model.errors import EngineError, SubmissionError
from grader.model.evidence import Evidence
from grader.model.lab import Lab
from grader.model.result import Result
from grader.model.variant import Variant

ROW_NAME = "row.json"
PARTIAL = ".partial-"
REPLACED = ".replaced-"


@dataclass(frozen=True)
class Class:
    """What is the same for all submissions of a class.

    ``draw`` gives every student a variant of their own; otherwise all had the canonical one.
    """

    lab: Lab
    out: Path
    engine: Engine
    key: str | None
    draw: bool
    hints: str
    resume: bool
    digest: str


def grade_entry(course: Class, entry: Entry) -> Row:
    """Grade one submission, write its folder, and give its row. Every failure of this one submission is its row's."""
    variant = labs.draw_variant(course.lab, entry.student if course.draw else None, course.key)
    digest = ""
    try:
        handed_in = labs.read_submission(course.lab, entry.source)
        digest = digests.of_submission(course.digest, entry.student, variant, handed_in)
        if course.resume and (done := _finished(course, entry, digest)):
            return done
        run = pipeline.grade(
            course.lab, handed_in, engine=course.engine, student=entry.student, variant=variant, hints=course.hints
        )
    except SubmissionError as error:
        return write_failed(course, entry, variant, str(error), refused=True)
    except EngineError as error:
        return write_failed(course, entry, variant, str(error))
    except OSError as error:
        return write_failed(course, entry, variant, f"{error.filename or 'the grader'}: {error.strerror}")
    return _write(course, entry, run.result, run.evidence, digest)


def _finished(course: Class, entry: Entry, digest: str) -> Row | None:
    """The row of an earlier run that graded just this."""
    try:
        known = msgspec.json.decode((course.out / entry.folder / ROW_NAME).read_bytes(), type=Row)
    except (OSError, msgspec.DecodeError):
        return None
    return known if known.digest == digest and known.ending == "graded" else None


def write_failed(course: Class, entry: Entry, variant: Variant, reason: str, *, refused: bool = False) -> Row:
    """Write the folder of a submission that could not be graded, and give its row.

    ``refused`` where it is the submission that cannot be used; otherwise the fault is the grader's.
    """
    evidence = pipeline.failed(
        course.lab, EngineError(reason), student=entry.student, variant=variant.id, names=variant.names
    )
    return _write(course, entry, judge(evidence, hints=course.hints), evidence, "", refused=refused)


def _write(
    course: Class, entry: Entry, result: Result, evidence: Evidence, digest: str, *, refused: bool = False
) -> Row:
    line = row(entry.student, entry.folder, result, digest=digest, refused=refused)
    with replacing(course.out / entry.folder) as folder:
        for name, document in documents(result, evidence).items():
            (folder / name).write_bytes(document)
        (folder / ROW_NAME).write_bytes(msgspec.json.format(msgspec.json.encode(line)))
    return line


def documents(result: Result, evidence: Evidence) -> dict[str, bytes]:
    """Everything that is written of one submission, by file name."""
    return {
        "result.json": outputs.result_json(result),
        "evidence.json": outputs.evidence_json(evidence),
        "report.html": outputs.html(result, evidence),
        "junit.xml": outputs.junit([result]),
    }


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A new folder that becomes ``target`` when it is complete, and leaves nothing behind when it does not."""
    beside = target.with_name(PARTIAL + target.name)
    aside = target.with_name(REPLACED + target.name)
    for leftover in (beside, aside):
        shutil.rmtree(leftover, ignore_errors=True)
    beside.mkdir()
    try:
        yield beside
        if target.exists():
            target.rename(aside)
        beside.rename(target)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        if aside.exists() and not target.exists():
            aside.rename(target)
        shutil.rmtree(aside, ignore_errors=True)

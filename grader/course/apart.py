"""Grades a class on workers that have nothing of this machine: they are sent what was read, and send documents back.

All files are read and written here. A worker that was taken for lost, and comes to its end after all, changes nothing.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from grader.course.grading import (
    Course,
    Documents,
    Entry,
    Read,
    grade_read,
    read_entry,
    write,
    write_failed,
)
from grader.course.intake.handin import HandIn
from grader.course.overrides import of_student
from grader.course.rows import ClassRow
from grader.engines import select
from grader.schedule import Scheduler, WorkerDied


@dataclass(frozen=True)
class Job:
    """All that a worker is told: of the class, only what concerns this one hand-in; ``engine`` by its name."""

    course: Course
    read: Read
    engine: str | None


def graded_apart(
    course: Course, todo: Sequence[HandIn], drawn: Callable[[HandIn], Entry], scheduler: Scheduler
) -> Generator[tuple[HandIn, ClassRow], None, None]:
    """Each hand-in with its row, as they come. Raises ``OutputError`` where documents cannot be written."""
    known: deque[tuple[HandIn, ClassRow]] = deque()

    def jobs() -> Iterator[Job]:
        for hand_in in todo:
            read = read_entry(course, drawn(hand_in))
            if isinstance(read, Read):
                yield _job(course, read)
            else:
                known.append((hand_in, read))

    by_folder = {hand_in.folder: hand_in for hand_in in todo}
    with closing(scheduler.run(jobs(), grade_job)) as answers:
        for job, answer in answers:
            while known:
                yield known.popleft()
            hand_in = by_folder[job.read.entry.hand_in.folder]
            if isinstance(answer, WorkerDied):
                yield hand_in, write_failed(course, drawn(hand_in), answer.reason)
            else:
                yield hand_in, write(course, answer)
    yield from known


def grade_job(job: Job) -> list[Documents]:
    """Grade one hand-in where the worker is."""
    engine = select(job.engine) if job.engine is not None else None
    return grade_read(dataclasses.replace(job.course, engine=engine), job.read)


def _job(course: Course, read: Read) -> Job:
    hand_in = read.entry.hand_in
    about = dataclasses.replace(
        course,
        out=Path(),
        engine=None,
        signer=None,
        people={name: course.people[name] for name in hand_in.students if name in course.people},
        overrides=[one for name in hand_in.students for one in of_student(course.overrides, name)],
    )
    # Where it lay is this machine's affair, and a seed that draws a variant is of no use to a worker.
    told = dataclasses.replace(read, entry=Entry(_without_source(hand_in), read.entry.variant))
    return Job(about, told, course.engine.name if course.engine else None)


def _without_source(hand_in: HandIn) -> HandIn:
    return replace(hand_in, source=Path(), seed=None)

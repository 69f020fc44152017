"""Grades a class from its first submission to its gradebook."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from grader import disk, kinds, labs, outputs
from grader.course import digests
from grader.course.apart import graded_apart
from grader.course.class_documents import write_documents
from grader.course.classpages import note_missing
from grader.course.grading import Course, Entry, finished, grade_entry, write_failed
from grader.course.intake import Choices, HandIn, take_in
from grader.course.intake.handouts import prepared, variant_of
from grader.course.intake.names import BESIDE_RESULTS, LOCK_NAME, MADE_OF
from grader.course.overrides import about_nobody, overrides_for, worth_of
from grader.course.results_folder import documents_of, refuse_other_lab, result_lines
from grader.course.rows import ClassRow, Ended, ended
from grader.course.shards import Shard, refuse_other_share, write_shard
from grader.course.stale import of_earlier_owners, of_missing
from grader.display.sentences import count
from grader.engines.base import Engine
from grader.model.deadline import Deadline
from grader.model.errors import OutputError, UsageError
from grader.model.result import ResultLine, Visibility
from grader.schedule import LocalScheduler, Scheduler, WorkerDied, processors

if TYPE_CHECKING:
    from grader.course.signing import Signer

Report = Callable[[ClassRow, int, int], None]
"""Told of each row as it comes, with how many are done, of how many."""


MOST_AT_A_TIME = 50
"""Hand-ins that a worker is told of at once, to look whether they are finished."""
PATIENCE = 15.0
"""Seconds to wait for the end of another process that writes to the same folder."""


@dataclass(frozen=True)
class ClassSettings:
    """How a class is graded.

    ``draw`` gives every student the variant drawn from their id and ``key``; ``trust`` takes the word of the hand-outs
    for both. ``choices`` are how work is taken in. ``overrides`` is a file of decisions, which is kept in ``out``.
    ``shard`` is the share of the class that is graded; ``None`` stands for all. ``signer`` signs the results.
    ``visibility`` is what the course says of its checks, and ``None`` where there is no course; ``assignment`` is what
    platforms call the lab.
    """

    lab: str | Path
    out: Path
    engine: Engine | None
    key: str | None = None
    draw: bool = False
    hints: str = "example"
    resume: bool = False
    formats: tuple[str, ...] = outputs.USUAL
    workers: int = 0
    choices: Choices = field(default_factory=Choices)
    trust: bool = False
    overrides: Path | None = None
    shard: Shard | None = None
    signer: Signer | None = None
    visibility: Mapping[str, Visibility] | None = None
    assignment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Summary:
    """A class graded; the rows in the order in which the submissions were given.

    ``folders`` are those of all results that lie there, of earlier runs too.
    """

    rows: list[Ended]
    folders: Sequence[Path]

    def lines(self) -> Iterator[ResultLine]:
        """What a list of students says of the results, each read as it comes. Raises ``OutputError``."""
        return result_lines(self.folders)

    def count(self, ending: str) -> int:
        """How many ended so: ``graded``, ``refused`` or ``error``."""
        return sum(row.ending == ending for row in self.rows)

    @property
    def passed(self) -> bool:
        """Whether everybody passed everything."""
        return all(row.passed for row in self.rows)


def grade_class(
    settings: ClassSettings,
    sources: Sequence[Path],
    *,
    report: Report,
    tell: Callable[[str], object] = bool,
    scheduler: Scheduler | None = None,
) -> Summary:
    """Grade every submission and write ``out``: a folder each, and the documents about all beside them.

    ``tell`` is given sentences for the instructor before the first grade. Raises ``UsageError`` where the lab or the
    list of submissions cannot be used, ``EngineError`` where no engine runs, ``OutputError`` where ``out`` cannot be
    written. Interrupted, it leaves what is finished for a resumed run.
    """
    lab = labs.load(settings.lab)
    taken = take_in(sources, lab, settings.out, settings.choices)
    whole = prepared(
        taken.hand_ins,
        lab,
        draw=settings.draw,
        key=settings.key,
        trust=settings.trust,
        decided=settings.choices.roster is not None or bool(settings.choices.decisions),
    )
    # What is said of hand-ins that are compared with each other takes the whole class.
    todo = settings.shard.of(whole) if settings.shard else whole
    image = settings.engine.image(lambda step: None) if settings.engine else ""
    with locked(settings.out):
        refuse_other_lab(settings.out, lab.id)
        refuse_other_share(settings.out, settings.shard)
        overrides = overrides_for(settings.out, settings.overrides, worth_of(lab))
        for sentence in (*taken.said(), *(remark for hand_in in todo for remark in hand_in.remarks)):
            tell(sentence)
        for sentence in (*of_earlier_owners(settings.out, whole), *of_missing(settings.out, taken.missing)):
            tell(sentence)
        if not settings.shard:
            students = {student for hand_in in todo for student in hand_in.students}
            for sentence in about_nobody(overrides, settings.out, students):
                tell(sentence)
        if settings.shard:
            tell(f"{settings.shard}: {len(todo)} of {count(len(whole), 'hand-in')}")
        course = Course(
            lab=lab,
            out=settings.out,
            engine=settings.engine,
            hints=settings.hints,
            resume=settings.resume,
            formats=settings.formats,
            digest=digests.of_class(lab, image, settings.hints),
            people=taken.people,
            overrides=overrides,
            signer=settings.signer,
            visibility=settings.visibility,
            assignment=settings.assignment,
        )
        workers = min(settings.workers or processors(), len(todo)) or 1
        with _marked(settings, course, image, whole):
            drawn = partial(_drawn, variants=labs.Variants(lab, settings.key), draw=settings.draw)
            rows = _all_rows(course, todo, drawn, scheduler or LocalScheduler(workers), report)
            if (roster := settings.choices.roster) is not None:
                absent = set(taken.missing)
                note_missing(settings.out, (student for student in roster.students if student.id in absent))
            there = write_documents(settings.out, settings.formats, afresh=settings.signer is not None)
    return Summary([rows[hand_in.folder] for hand_in in todo], there)


@contextmanager
def _marked(settings: ClassSettings, course: Course, image: str, whole: Sequence[HandIn]) -> Iterator[None]:
    """Keep in ``out`` of which class its results are a shard, and that it is finished once the body has ended."""
    shard = settings.shard
    if shard is None:
        yield
        return
    graded_with = digests.of_shards(
        course.lab,
        image,
        settings.hints,
        key=settings.key,
        draw=settings.draw,
        trust=settings.trust,
        roster=settings.choices.roster.students if settings.choices.roster else (),
        due=settings.choices.due,
        decided=course.overrides,
    )
    write_shard(settings.out, shard, whole, graded_with, finished=False)
    yield
    write_shard(settings.out, shard, whole, graded_with, finished=True)


Drawn = Callable[[HandIn], Entry]
"""Gives a hand-in the variant that it is graded in."""


def _drawn(hand_in: HandIn, *, variants: labs.Variants, draw: bool) -> Entry:
    return Entry(hand_in, variant_of(hand_in, variants, draw=draw))


def _all_rows(
    course: Course, todo: Sequence[HandIn], drawn: Drawn, scheduler: Scheduler, report: Report
) -> dict[str, Ended]:
    """How every hand-in ended. What the grader itself failed at is tried once more when the rest is done."""
    rows: dict[str, Ended] = {}
    done = 0
    rows_of = _rows if scheduler.shares_files else graded_apart
    if course.resume and scheduler.shares_files:
        with closing(_finished_rows(course, todo, drawn, scheduler)) as known:
            for done, (hand_in, row) in enumerate(known, 1):
                rows[hand_in.folder] = ended(hand_in, row)
                report(row, done, len(todo))
    for last in (False, True):
        left = [hand_in for hand_in in todo if hand_in.folder not in rows]
        if left and scheduler.shares_files:
            _make_ready(course)
        with closing(rows_of(course, left, drawn, scheduler)) as coming:
            for hand_in, row in coming:
                if row.ending == "error" and not last:
                    continue
                rows[hand_in.folder] = ended(hand_in, row)
                done += 1
                report(row, done, len(todo))
    return rows


def _make_ready(course: Course) -> None:
    """Have in memory what grading takes. Workers are forks of this process, and make nothing that they find there."""
    # What is wrong here is told of each hand-in at which it goes wrong.
    with suppress(Exception):
        kinds.make_ready(course.lab)
        for kind in documents_of(course.formats):
            kind.make_ready()
        if course.engine is not None:
            course.engine.make_ready()


def _finished_rows(
    course: Course, todo: Sequence[HandIn], drawn: Drawn, scheduler: Scheduler
) -> Generator[tuple[HandIn, ClassRow], None, None]:
    """The hand-ins of which nothing is to be graded. Workers get many at once: telling takes longer than looking."""
    size = min(MOST_AT_A_TIME, 1 + len(todo) // 16)
    parts = [todo[start : start + size] for start in range(0, len(todo), size)]
    with closing(scheduler.run(parts, partial(_finished, course, drawn))) as answers:
        for part, answer in answers:
            # What a worker dies of is found, and told, when its hand-ins are graded one by one.
            if not isinstance(answer, WorkerDied):
                yield from (
                    (hand_in, row) for hand_in, row in zip(part, answer, strict=True) if row is not None
                )


def _finished(course: Course, drawn: Drawn, part: Sequence[HandIn]) -> list[ClassRow | None]:
    return [finished(course, drawn(hand_in)) for hand_in in part]


def _rows(
    course: Course, todo: Sequence[HandIn], drawn: Drawn, scheduler: Scheduler
) -> Generator[tuple[HandIn, ClassRow], None, None]:
    with closing(scheduler.run(todo, partial(_grade, course, drawn))) as answers:
        for hand_in, answer in answers:
            if isinstance(answer, WorkerDied):
                yield hand_in, write_failed(course, drawn(hand_in), answer.reason)
            else:
                yield hand_in, answer


def _grade(course: Course, drawn: Drawn, hand_in: HandIn) -> ClassRow:
    # Variants are drawn by whoever grades: a class takes a while to draw.
    return grade_entry(course, drawn(hand_in))


@contextmanager
def locked(out: Path, patience: float = PATIENCE) -> Iterator[None]:
    """Make ``out`` this process's alone, and remove what a killed one left half-written in it.

    Waits ``patience`` seconds for another process to end: the workers of a killed one take their machines down first.
    """
    with ExitStack() as held:
        try:
            out.mkdir(parents=True, exist_ok=True)
            if disk.is_full(out):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            held.enter_context(disk.locked(out / LOCK_NAME, deadline=Deadline(patience)))
        except TimeoutError as error:
            raise UsageError(
                f"another 'smtplab grade' is writing to {str(out)!r}: wait for it, or name another folder with --out"
            ) from error
        except OSError as error:
            raise OutputError(
                f"grades cannot be written to {str(out)!r} ({error.strerror}): name another folder with --out"
            ) from error
        disk.recover(out)
        disk.remove_half_written(out, {*BESIDE_RESULTS, MADE_OF})
        yield

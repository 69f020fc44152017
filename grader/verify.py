"""Proves a lab: its solution passes, its starter does not, and each known fault costs exactly what it declares."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from grader import kinds, labs, pipeline
from grader.engines.base import Engine
from grader.model.errors import SmtplabError
from grader.model.lab import Wrong
from grader.model.result import CheckResult, Result
from grader.schedule import LocalScheduler, WorkerDied, processors

WRONG = "wrong/"
CANONICAL = "canonical"
RANDOM_STUDENT = "verify"
"""The student whose drawn variant stands for all that are not canonical."""


@dataclass(frozen=True)
class Trial:
    """One submission of the lab's own, and what it must lose. ``fails`` is ``None`` where any loss will do.

    ``canonical`` marks one that only makes sense on the canonical variant: answers to its questions.
    """

    name: str
    folder: Path
    base: Path | None
    fails: frozenset[str] | None
    skips: frozenset[str] = frozenset()
    removes: tuple[str, ...] = ()
    canonical: bool = False


@dataclass(frozen=True)
class Verified:
    """How one trial ended on one variant. ``problem`` is empty where it did what the lab's author declared.

    ``judged`` are the codes of the checks that a result tells of, ``lost`` those that failed.
    """

    trial: str
    variant: str
    score: int
    problem: str
    judged: tuple[str, ...] = ()
    lost: frozenset[str] = frozenset()


def trials(folder: Path) -> list[Trial]:
    """The submissions that a lab brings: solution, starter, ``correct/*`` and ``wrong/*``.

    Raises ``LabError`` where a wrong one does not declare what it loses.
    """
    solution = folder / "solution"
    found = [Trial("solution", solution, None, frozenset()), Trial("starter", folder / "starter", None, None)]
    # Answers fit the questions that they were written for; solution and starter fit every draw.
    one_variant = kinds.of(labs.load(folder)).answers_fit_one_variant
    found += [
        Trial(f"correct/{path.name}", path, None, frozenset(), canonical=one_variant)
        for path in _folders(folder / "correct")
    ]
    for path in _folders(folder / "wrong"):
        wrong: Wrong = labs.load_wrong(path)
        found.append(
            Trial(
                WRONG + path.name,
                path,
                solution,
                frozenset(wrong.fails),
                frozenset(wrong.skips),
                tuple(wrong.removes),
                canonical=one_variant,
            )
        )
    return found


def _folders(parent: Path) -> list[Path]:
    return sorted(path for path in parent.iterdir() if path.is_dir()) if parent.is_dir() else []


def verify(
    folder: Path, *, engine: Engine | None, jobs: int | None = None
) -> Generator[Verified, None, None]:
    """Run every trial of a lab on the canonical and on a drawn variant, ``jobs`` at a time, as each ends.

    ``engine`` may be ``None`` for a lab that needs none. Raises ``LabError`` where the lab cannot be loaded at all.
    """
    labs.load(folder)
    if engine is not None:
        engine.image(pipeline.quiet)
    work = [
        (trial, student)
        for trial in trials(folder)
        for student in (None, RANDOM_STUDENT)
        if not (student and trial.canonical)
    ]
    scheduler = LocalScheduler(jobs or processors())
    with closing(scheduler.run(work, partial(_try, folder, engine))) as answers:
        for (trial, student), answer in answers:
            if isinstance(answer, WorkerDied):
                answer = Verified(trial.name, _variant(student), 0, f"the grader failed: {answer.reason}")
            yield answer


def unproved(tried: Iterable[Verified]) -> list[str]:
    """The checks that no submission of ``wrong/`` lost, of those that were judged on the canonical variant.

    A quiz reports the questions that were drawn: those of the canonical variant are the ones that answers are
    written for. A check that a person has to judge cannot be lost.
    """
    judged: dict[str, None] = {}
    lost: set[str] = set()
    for one in tried:
        if one.variant == CANONICAL:
            judged.update(dict.fromkeys(one.judged))
        if one.trial.startswith(WRONG):
            lost |= one.lost
    return [code for code in judged if code not in lost]


def _try(folder: Path, engine: Engine | None, work: tuple[Trial, str | None]) -> Verified:
    return try_one(folder, *work, engine)


def _variant(student: str | None) -> str:
    return CANONICAL if student is None else "drawn"


def try_one(folder: Path, trial: Trial, student: str | None, engine: Engine | None) -> Verified:
    """Grade one trial and hold it against its declaration; one for the canonical variant alone on that."""
    student = None if trial.canonical else student
    variant = _variant(student)
    try:
        result = grade_trial(folder, trial, student, engine)
    except SmtplabError as error:
        return Verified(trial.name, variant, 0, str(error))
    judged = tuple(_code(check) for check in result.checks if check.status != "manual")
    return Verified(trial.name, variant, result.score, problem(trial, result), judged, _codes(result, "fail"))


def grade_trial(folder: Path, trial: Trial, student: str | None, engine: Engine | None) -> Result:
    """The result of one of the lab's own submissions, its placeholders filled for the variant."""
    return run_trial(folder, trial, student, engine).result


def run_trial(folder: Path, trial: Trial, student: str | None, engine: Engine | None) -> pipeline.Graded:
    """Evidence and result of one of the lab's own submissions, its placeholders filled for the variant."""
    lab = labs.load(folder)
    variant = labs.draw_variant(lab, student, None)
    handed_in = labs.render_submission(trial.folder, variant, base=trial.base, removes=trial.removes)
    return pipeline.grade(lab, handed_in, engine=engine, student=student)


def problem(trial: Trial, result: Result) -> str:
    """In which way a result is not what the trial's author declared; empty where it is."""
    if result.status == "error":
        return f"the grader failed: {result.error}"
    if trial.fails is None:
        return "" if result.score < result.max_score else "the starter already gets full marks"
    lost = [
        ("fails", trial.fails, _codes(result, "fail")),
        ("skips", trial.skips, _codes(result, "skipped")),
    ]
    complaints: list[str] = []
    for verb, declared, happened in lost:
        complaints += [f"{verb} {code}, which is not declared" for code in sorted(happened - declared)]
        complaints += [
            f"declares that it {verb} {code}, but it does not" for code in sorted(declared - happened)
        ]
    return "; ".join(complaints)


def _codes(result: Result, status: str) -> frozenset[str]:
    return frozenset(_code(check) for check in result.checks if check.status == status)


def _code(check: CheckResult) -> str:
    return check.code.split("/", 1)[1]

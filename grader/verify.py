"""Proves a lab: its solution passes, its starter does not, and each known fault costs exactly what it declares."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from grader import kinds, labs, pipeline
from grader.engines.base import Engine
from grader.model.errors import SmtplabError
from grader.model.lab import Wrong
from grader.model.result import Result

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
    """How one trial ended on one variant. ``problem`` is empty where it did what the lab's author declared."""

    trial: str
    variant: str
    score: int
    problem: str


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
                f"wrong/{path.name}",
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


def verify(folder: Path, *, engine: Engine | None, jobs: int | None = None) -> Iterator[Verified]:
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
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(jobs or os.cpu_count(), mp_context=context) as pool:
        pending = [pool.submit(try_one, folder, trial, student, engine) for trial, student in work]
        try:
            for done in as_completed(pending):
                yield done.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def try_one(folder: Path, trial: Trial, student: str | None, engine: Engine | None) -> Verified:
    """Grade one trial and hold it against its declaration; one for the canonical variant alone on that."""
    student = None if trial.canonical else student
    variant = "canonical" if student is None else "drawn"
    try:
        result = grade_trial(folder, trial, student, engine)
    except SmtplabError as error:
        return Verified(trial.name, variant, 0, str(error))
    return Verified(trial.name, variant, result.score, problem(trial, result))


def grade_trial(folder: Path, trial: Trial, student: str | None, engine: Engine | None) -> Result:
    """The result of one of the lab's own submissions, its placeholders filled for the variant."""
    lab = labs.load(folder)
    variant = labs.draw_variant(lab, student, None)
    handed_in = labs.render_submission(trial.folder, variant, base=trial.base, removes=trial.removes)
    return pipeline.grade(lab, handed_in, engine=engine, student=student).result


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
    return frozenset(check.code.split("/", 1)[1] for check in result.checks if check.status == status)

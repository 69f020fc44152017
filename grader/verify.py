"""Proves a lab: its solution passes, its starter does not, and each known fault costs exactly what it declares."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from grader import kinds, labs, pipeline
from grader.engines.base import Engine
from grader.model.errors import LabError, SmtplabError, SubmissionError
from grader.model.lab import Lab, Wrong
from grader.model.result import CheckResult, Result
from grader.model.templates import nearest
from grader.schedule import LocalScheduler, WorkerDied, processors

WRONG = "wrong/"
CANONICAL = "canonical"
RANDOM_STUDENT = "verify"
"""The student whose drawn variant stands for all that are not canonical."""


@dataclass(frozen=True)
class Trial:
    """One submission of the lab's own, and what it must lose. ``fails`` is ``None`` where any loss will do.

    ``canonical`` marks one that only makes sense on the canonical variant: answers to its questions. ``fault`` says
    what is wrong with its declaration; such a one is not tried.
    """

    name: str
    folder: Path
    base: Path | None
    fails: frozenset[str] | None
    skips: frozenset[str] = frozenset()
    removes: tuple[str, ...] = ()
    canonical: bool = False
    fault: str = ""


@dataclass(frozen=True)
class Verified:
    """How one trial ended on one variant. ``problem`` is empty where it did what the lab's author declared.

    ``judged`` are the codes of the checks that a result tells of, ``lost`` those that failed, ``skipped`` those that
    waited for one that failed.
    """

    trial: str
    variant: str
    score: int
    problem: str
    judged: tuple[str, ...] = ()
    lost: frozenset[str] = frozenset()
    skipped: frozenset[str] = frozenset()


def trials(folder: Path) -> list[Trial]:
    """The submissions that a lab brings: solution, starter, ``correct/*`` and ``wrong/*``.

    Raises ``LabError`` where the lab itself is broken.
    """
    solution = folder / "solution"
    found = [Trial("solution", solution, None, frozenset()), Trial("starter", folder / "starter", None, None)]
    lab = labs.load(folder)
    # Answers fit the questions that they were written for; solution and starter fit every draw.
    one_variant = kinds.of(lab).answers_fit_one_variant
    found += [
        Trial(f"correct/{path.name}", path, None, frozenset(), canonical=one_variant)
        for path in _folders(folder / "correct")
    ]
    found += [_wrong(lab, path, solution, one_variant) for path in _folders(folder / "wrong")]
    return found


def _wrong(lab: Lab, path: Path, solution: Path, one_variant: bool) -> Trial:
    """A submission of ``wrong/`` with what its ``expect.yaml`` declares."""
    name = WRONG + path.name
    declared = path / labs.DECLARATION
    if not declared.exists():
        fault = f"{declared}: it is missing: write there what is wrong ('about') and what it loses ('fails')"
        return Trial(name, path, solution, frozenset(), fault=fault, canonical=one_variant)
    try:
        wrong: Wrong = labs.load_wrong(path)
    except LabError as error:
        return Trial(name, path, solution, frozenset(), fault=str(error), canonical=one_variant)
    codes = [check.code for check in lab.all_checks]
    unknown = [
        f"{key!r} names {code!r}, and no check has that code{nearest('%r', code, codes)}"
        for key, named in (("fails", wrong.fails), ("skips", wrong.skips))
        for code in named
        if code not in codes
    ]
    return Trial(
        name,
        path,
        solution,
        frozenset(wrong.fails),
        frozenset(wrong.skips),
        tuple(wrong.removes),
        canonical=one_variant,
        fault="; ".join(f"{declared}: {sentence}" for sentence in unknown),
    )


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
        if not (student and (trial.canonical or trial.fault))
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


def matrix(tried: Iterable[Verified]) -> tuple[list[str], dict[str, list[str]]]:
    """The checks, and for each submission of ``wrong/`` what it does to each of them on the canonical variant.

    That is ``fails``, ``skipped`` or ``passes``, in the order of the checks; ``-`` where the check was not judged.
    """
    canonical = [one for one in tried if one.variant == CANONICAL]
    codes = list(dict.fromkeys(code for one in canonical for code in one.judged))
    rows = {
        one.trial.removeprefix(WRONG): [_outcome(one, code) for code in codes]
        for one in canonical
        if one.trial.startswith(WRONG)
    }
    return codes, rows


def _outcome(tried: Verified, code: str) -> str:
    if code in tried.lost:
        return "fails"
    if code in tried.skipped:
        return "skipped"
    return "passes" if code in tried.judged else "-"


def _try(folder: Path, engine: Engine | None, work: tuple[Trial, str | None]) -> Verified:
    return try_one(folder, *work, engine)


def _variant(student: str | None) -> str:
    return CANONICAL if student is None else "drawn"


def try_one(folder: Path, trial: Trial, student: str | None, engine: Engine | None) -> Verified:
    """Grade one trial and hold it against its declaration; one for the canonical variant alone on that."""
    student = None if trial.canonical else student
    variant = _variant(student)
    if trial.fault:
        return Verified(trial.name, variant, 0, trial.fault)
    try:
        taken = hand_in(folder, trial, student)
        result = grade_trial(folder, trial, student, engine)
    except SubmissionError as error:
        # A starter may lack what students have to write themselves: they are told so, and have no points yet.
        return Verified(trial.name, variant, 0, "" if trial.fails is None else str(error))
    except SmtplabError as error:
        return Verified(trial.name, variant, 0, str(error))
    judged = tuple(_code(check) for check in result.checks if check.status != "manual")
    faults = [*_left_out(taken), *filter(None, [problem(trial, result)])]
    return Verified(
        trial.name,
        variant,
        result.score,
        "; ".join(faults),
        judged,
        _codes(result, "fail"),
        _codes(result, "skipped"),
    )


def _left_out(taken: labs.Submission) -> Iterator[str]:
    """Files that no student could hand in, because the lab does not ask for them."""
    for name in taken.ignored:
        yield (
            f"{name} is not taken, because neither 'required' nor 'optional' names it: add it there, or remove it"
        )


def hand_in(folder: Path, trial: Trial, student: str | None) -> labs.Submission:
    """One of the lab's own submissions, its placeholders filled for the variant, by the door that students use.

    Raises ``SubmissionError`` where a student would be refused with it, ``LabError`` where it cannot be made.
    """
    lab = labs.load(folder)
    variant = labs.draw_variant(lab, student, None)
    made = labs.render_submission(trial.folder, variant, base=trial.base, removes=trial.removes)
    return labs.take_submission(lab, made, trial.name, variant.names)


def grade_trial(folder: Path, trial: Trial, student: str | None, engine: Engine | None) -> Result:
    """The result of one of the lab's own submissions, its placeholders filled for the variant."""
    return run_trial(folder, trial, student, engine).result


def run_trial(folder: Path, trial: Trial, student: str | None, engine: Engine | None) -> pipeline.Graded:
    """Evidence and result of one of the lab's own submissions, its placeholders filled for the variant."""
    return pipeline.grade(labs.load(folder), hand_in(folder, trial, student), engine=engine, student=student)


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

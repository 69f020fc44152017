"""The spine: lab + submission + variant -> plan -> machines -> evidence -> result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from grader import labs
from grader.engines.base import Engine, Progress
from grader.kinds.examine import examine
from grader.kinds.quiz.facts import QuizFacts
from grader.model.errors import EngineError, UsageError
from grader.model.evidence import SCHEMA, Evidence
from grader.model.lab import Lab
from grader.model.result import Result
from grader.model.variant import Variant


@dataclass(frozen=True)
class Run:
    """One submission graded: what happened, and the judgement."""

    evidence: Evidence
    result: Result


def quiet(step: str) -> None:
    """A ``Progress`` that tells nobody."""


def grade(
    lab: Lab,
    submission: labs.Submission,
    *,
    engine: Engine | None,
    student: str | None = None,
    key: str | None = None,
    variant: Variant | None = None,
    only: set[str] | None = None,
    hints: str = "example",
    progress: Progress = quiet,
    meanwhile: Callable[[], object] = bool,
) -> Run:
    """Grade one submission; ``engine`` may be ``None`` for a lab that needs none.

    ``student`` and ``key`` draw the variant, without a student the canonical one; ``variant`` replaces it. ``only``
    names the checks to report, ``hints`` the highest tier of hints. ``meanwhile`` is called once while the machines
    are busy. Raises ``EngineError`` where nothing could be run.
    """
    variant = variant or labs.draw_variant(lab, student, key)
    if not lab.needs_engine:
        evidence = examine(lab, submission, variant, student=student, only=only)
    elif engine is None:
        raise EngineError(f"the lab {lab.id} runs what is handed in, and no engine was chosen")
    else:
        evidence = _run(lab, submission, variant, student, only, engine, progress, meanwhile)
    from grader.judge import judge  # imported by now, while the machines were busy

    return Run(evidence, judge(evidence, hints=hints, only=only))


def _run(
    lab: Lab,
    submission: labs.Submission,
    variant: Variant,
    student: str | None,
    only: set[str] | None,
    engine: Engine,
    progress: Progress,
    meanwhile: Callable[[], object],
) -> Evidence:
    """What happened on the machines of one submission."""
    plan = labs.make_plan(lab, submission, variant, student=student, only=only)
    image = engine.image(progress)
    progress("starting the server and the network around it")
    if plan.program is not None:
        from grader.kinds.program.run.conduct import conduct_program as act  # what only some labs need
    else:
        from grader.kinds.server.run.conduct import conduct as act
    with engine.machines(plan) as machines:
        return act(plan, lab, variant.names, machines, engine=engine.name, image=image, meanwhile=meanwhile)


def regrade(document: bytes, *, lab: Lab | None = None, hints: str = "example") -> Result:
    """Judge saved evidence again, with no engine: the same evidence gives the same result.

    ``lab`` replaces the declaration that the evidence carries. Raises ``UsageError`` where ``document`` is no evidence.
    """
    from grader.judge import judge

    return judge(read_evidence(document), lab=lab, hints=hints)


def read_evidence(document: bytes) -> Evidence:
    """Evidence from its JSON. Raises ``UsageError`` with what is wrong."""
    try:
        evidence = msgspec.json.decode(document, type=Evidence)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"this is no evidence of smtplab: {error}") from error
    if evidence.schema != SCHEMA:
        raise UsageError(
            f"this evidence follows {evidence.schema!r}, and this version of smtplab reads {SCHEMA!r}"
        )
    return evidence


def failed(
    lab: Lab, error: EngineError, *, student: str | None, variant: str, names: dict[str, str]
) -> Evidence:
    """Evidence of a run that the grader itself could not make: every check is an error and costs no points."""
    return Evidence(
        lab=lab,
        student=student,
        variant=variant,
        names=names,
        started="",
        duration=0.0,
        engine="",
        image="",
        mta="",
        attempts=[],
        outcomes=[],
        sessions=[],
        arrivals=[],
        started_up=False,
        error=str(error),
        quiz=_unanswered(lab, variant),
    )


def _unanswered(lab: Lab, variant: str) -> QuizFacts | None:
    """What a student of a quiz was asked; ``None`` for any other lab."""
    if lab.quiz is None:
        return None
    from grader.kinds.quiz.draw import posed

    return QuizFacts(posed(lab.quiz, variant), {})

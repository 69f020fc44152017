"""The spine: lab + submission + variant -> plan -> machines -> evidence -> result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from grader import labs
from grader.engines.base import Engine, Progress
from grader.judge import judge
from grader.model.errors import EngineError, UsageError
from grader.model.evidence import SCHEMA, Evidence
from grader.model.lab import Lab
from grader.model.plan import Plan
from grader.model.result import Result
from grader.model.variant import Variant
from grader.probes import conduct


@dataclass(frozen=True)
class Run:
    """One submission graded: what was planned, what happened, and the judgement."""

    plan: Plan
    evidence: Evidence
    result: Result


def quiet(step: str) -> None:
    """A ``Progress`` that tells nobody."""


def grade(
    lab: Lab,
    submission: labs.Submitted,
    *,
    engine: Engine,
    student: str | None = None,
    key: str | None = None,
    variant: Variant | None = None,
    only: set[str] | None = None,
    hints: str = "example",
    progress: Progress = quiet,
    meanwhile: Callable[[], object] = bool,
) -> Run:
    """Grade one submission.

    ``student`` and ``key`` draw the variant, without a student the canonical one; ``variant`` replaces it. ``only``
    names the checks to report, ``hints`` the highest tier of hints. ``meanwhile`` is called once while the machines
    are busy. Raises ``EngineError`` where nothing could be run.
    """
    variant = variant or labs.draw_variant(lab, student, key)
    plan = labs.make_plan(lab, submission, variant, student=student, only=only)
    image = engine.image(progress)
    progress("starting the server and the network around it")
    with engine.machines(plan) as machines:
        evidence = conduct(
            plan, lab, variant.names, machines, engine=engine.name, image=image, meanwhile=meanwhile
        )
    return Run(plan, evidence, judge(evidence, hints=hints, only=only))


def regrade(document: bytes, *, lab: Lab | None = None, hints: str = "example") -> Result:
    """Judge saved evidence again, with no engine: the same evidence gives the same result.

    ``lab`` replaces the declaration that the evidence carries. Raises ``UsageError`` where ``document`` is no evidence.
    """
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
    )

"""The spine: lab + submission + variant -> plan -> machines -> evidence -> result."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from grader import interruption, kinds, labs
from grader.engines.base import Engine, Progress
from grader.kinds.base import Recorded
from grader.model.errors import EngineError, LabError, UsageError
from grader.model.evidence import SCHEMA, AnyEvidence, Evidence
from grader.model.lab import Lab
from grader.model.plan import MachinePlan, Plan
from grader.model.redact import redact
from grader.model.result import Result
from grader.model.templates import left_over
from grader.model.variant import Variant

NO_ENGINE = "none"
"""What a result names as its engine where there was none."""

LONGEST_COMPLAINT = 300
"""Characters that are told of what is wrong with evidence, which repeats what stands there."""
LONGEST_SCHEMA = 60


class Graded(Struct, frozen=True):
    """One submission graded: what happened, and the judgement.

    ``host_ended`` says that the student's host was gone before the run was over. ``plan`` is what was carried out.
    """

    evidence: AnyEvidence
    result: Result
    host_ended: bool = False
    plan: Plan | None = None


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
    overlap: Callable[[], object] = bool,
) -> Graded:
    """Grade one submission; ``engine`` may be ``None`` for a lab that needs none.

    ``student`` and ``key`` draw the variant, without a student the canonical one; ``variant`` replaces it. ``only``
    names the checks to report, ``hints`` the highest rung of help. ``overlap`` is called once while the machines
    are busy. Raises ``EngineError`` where nothing could be run.
    """
    variant = variant or labs.draw_variant(lab, student, key)
    plan = kinds.plan(lab.kind).make(lab, submission, variant, student=student, only=only)
    done = _act(plan, lab, engine, progress, overlap)
    evidence: AnyEvidence = Evidence(
        lab=done.recorded.lab or lab,
        student=student,
        variant=variant.id,
        names=variant.names,
        started=done.started.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        duration=round(done.seconds, 3),
        engine=done.engine,
        image=done.image,
        mta=done.recorded.mta,
        files=done.recorded.files,
        notes=[*_found(submission), *left_over(submission.files, variant.names), *done.recorded.notes],
        checks=plan.checks,
        facts=done.recorded.facts,
    )
    from grader.judge import judge  # imported by now, while the machines were busy

    evidence = redact(evidence, plan.secrets)
    result = judge(evidence, hints=hints, only=only)
    interruption.end_if_interrupted()
    return Graded(evidence, result, done.recorded.host_ended, plan)


def _found(submission: labs.Submission) -> list[str]:
    return [f"Graded is what lies in {submission.within}."] if submission.within else []


class _Done(Struct, frozen=True):
    """What a run recorded, when it began, how long it took, and on what."""

    recorded: Recorded
    started: datetime
    seconds: float
    engine: str = NO_ENGINE
    image: str = ""


def _act(
    plan: Plan, lab: Lab, engine: Engine | None, progress: Progress, overlap: Callable[[], object]
) -> _Done:
    """Carry out a plan, on machines of its own where it needs some."""
    runner = kinds.run(lab.kind)
    if not isinstance(plan, MachinePlan):
        began, started = time.monotonic(), datetime.now(UTC)
        recorded = runner.act(plan, lab, None, overlap=overlap)
        return _Done(recorded, started, time.monotonic() - began)
    if engine is None:
        raise EngineError(f"the lab {lab.id} runs what is handed in, and no engine was chosen")
    image = engine.image(progress)
    progress("starting the server and the network around it")
    # What was prepared of them is being built meanwhile.
    kinds.make_run_ready(lab)
    with engine.machines(plan) as machines:
        began, started = time.monotonic(), datetime.now(UTC)
        recorded = runner.act(plan, lab, machines, overlap=overlap)
        return _Done(recorded, started, time.monotonic() - began, engine.name, image)


def regrade(document: bytes, *, lab: Lab | None = None, hints: str = "example") -> Result:
    """Judge saved evidence again, with no engine: the same evidence gives the same result.

    ``lab`` replaces the declaration that the evidence carries. Raises ``UsageError`` where ``document`` is no
    evidence, or is evidence of a lab of another kind than ``lab``.
    """
    from grader.judge import judge

    evidence = read_evidence(document)
    if lab is not None and lab.kind != evidence.lab.kind:
        raise UsageError(
            f"this evidence is of a lab of kind {evidence.lab.kind!r}, and {lab.id} is of kind {lab.kind!r}"
        )
    return judge(evidence, lab=lab, hints=hints)


class _LabHead(Struct):
    kind: str = kinds.DEFAULT


class _Head(Struct):
    """As much of an evidence document as tells how to read the rest."""

    schema: str
    lab: _LabHead


def read_evidence(document: bytes) -> AnyEvidence:
    """Evidence from its JSON, of this version or an older one. Raises ``UsageError`` with what is wrong."""
    try:
        head = msgspec.json.decode(document, type=_Head)
        if head.schema != SCHEMA:
            document = _upgraded(document, head.schema)
        evidence: AnyEvidence = msgspec.json.decode(document, type=kinds.judge(head.lab.kind).EVIDENCE)
    except RecursionError as error:
        raise UsageError("this is no evidence of smtplab: it is nested too deeply") from error
    except (msgspec.DecodeError, LabError, LookupError, ValueError, TypeError, AttributeError) as error:
        raise UsageError(f"this is no evidence of smtplab: {str(error)[:LONGEST_COMPLAINT]}") from error
    return evidence


def _upgraded(document: bytes, schema: str) -> bytes:
    # Nearly every document is of this version.
    from grader.kinds.older import OLDER, current

    if schema not in OLDER:
        named = schema[:LONGEST_SCHEMA]
        raise UsageError(f"this evidence follows {named!r}, and this version of smtplab reads {SCHEMA!r}")
    return msgspec.json.encode(current(msgspec.json.decode(document)))


def failed(
    lab: Lab, error: EngineError, *, student: str | None, variant: str, names: dict[str, str]
) -> AnyEvidence:
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
        error=str(error),
        facts=kinds.run(lab.kind).nothing(lab, variant),
    )

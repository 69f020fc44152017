"""Mutants of the lab dkim: what receivers find, held against the verdict."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

from grader import labs, pipeline
from grader.engines.base import Engine
from grader.model.submission import Submission
from tests.oracle.bases import draw_base
from tests.oracle.faults import Disagreement
from tests.oracle.holding import compared
from tests.oracle.signatures.mutations import mutate
from tests.oracle.signatures.run import observe
from tests.oracle.signatures.work import Work

CHECKS: dict[str, frozenset[str]] = {
    "starts": frozenset({"starts", "mail-flows", "receives"}),
    "runs": frozenset({"opendkim-runs"}),
    "flows": frozenset({"mail-flows", "office", "users", "verifies", "headers", "whole-text", "strength"}),
    "receives": frozenset({"receives", "strangers"}),
    # Of a table that knows some authors, the letters that are drawn decide at which of the two it shows.
    "office": frozenset({"office", "users", "mail-flows"}),
    "users": frozenset({"users", "office", "mail-flows"}),
    "record": frozenset({"record"}),
    "verifies": frozenset({"verifies", "record"}),
    "strangers": frozenset({"strangers"}),
    "headers": frozenset({"headers"}),
    "text": frozenset({"whole-text"}),
    "strength": frozenset({"strength", "record", "verifies"}),
    "lost": frozenset({"milter-stops"}),
}
"""The checks of the lab at which a fault may show; one of them must be lost."""


def mutant(folder: Path, seed: str, number: int) -> tuple[Submission, list[str], Random]:
    """The submission of that number, what was changed, and the randomness that its run goes on with."""
    random = Random(f"{seed}/{number}")
    base, rendered, variant = draw_base(random, folder)
    work = Work.read(rendered.files)
    said = [f"from {base}", *mutate(random, work, variant.names)]
    return Submission(work.written(), rendered.executable), said, random


def hunt(folder: Path, seed: str, number: int, engine: Engine) -> Iterator[str | Disagreement]:
    """Try one mutant: first lines about it, then what the oracle and the verdict disagree about."""
    submission, said, random = mutant(folder, seed, number)
    lab = labs.load(folder)
    variant = labs.draw_variant(lab, None, None)
    yield "; ".join(said)
    seen = observe(lab, submission, variant, engine, random)
    result = pipeline.grade(lab, submission, engine=engine, variant=variant).result
    yield from compared(seen.faults, result, CHECKS, f"{seen.sent} letters")

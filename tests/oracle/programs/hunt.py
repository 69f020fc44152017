"""Mutants of the lab authenticated-message: what their runs promise and do not keep, held against the verdict."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

from grader import labs, pipeline
from grader.engines.base import Engine
from grader.model.lab import Lab
from grader.model.result import Result
from grader.model.submission import Submission
from grader.model.variant import Variant
from tests.oracle.bases import draw_base
from tests.oracle.faults import Disagreement, Doubt, Fault
from tests.oracle.holding import compared
from tests.oracle.programs.mutations import mutate
from tests.oracle.programs.run import observe
from tests.oracle.programs.verdict import faults_of

MORE_BASES = Path(__file__).with_name("bases")
READS = frozenset({"header", "characters", "values", "lines", "dots"})
"""Checks that look at what a letter says; which one depends on what is odd in it."""
CHECKS: dict[str, frozenset[str]] = {
    "starts": frozenset({"runs"}),
    "delivers": frozenset({"delivers", "runs"}),
    "implicit": frozenset({"implicit-tls", "delivers"}),
    "mechanism": frozenset({"mechanism", "delivers"}),
    "pieces": frozenset({"replies", "delivers"}),
    "letter": READS | {"delivers", "implicit-tls", "envelope", "bcc"},
    "clear": frozenset({"encrypts"}),
    "impostor": frozenset({"certificate"}),
    # Whoever is named twice is asked for again where a recipient is refused.
    "envelope": frozenset({"envelope", "values", "permanent", "temporary"}),
    "bcc": frozenset({"bcc"}),
    "header": READS,
    "text": READS,
    "lines": READS | {"delivers", "implicit-tls"},
    "status": frozenset({"exit-status", "delivers", "implicit-tls", "temporary", "in-time", "values"}),
    "later": frozenset({"temporary"}),
    "no": frozenset({"permanent"}),
    "password": frozenset({"password"}),
    "ends": frozenset({"in-time", "exit-status", "temporary"}),
}
"""The checks of the lab at which a fault may show; one of them must be lost."""


def mutant(folder: Path, seed: str, number: int) -> tuple[Submission, list[str], Random]:
    """The submission of that number, what was changed, and the randomness that its runs go on with."""
    random = Random(f"{seed}/{number}")
    base, rendered, _ = draw_base(random, folder, MORE_BASES)
    files, said = mutate(random, rendered.files)
    return Submission(files, rendered.executable), [f"from {base}", *said], random


def hunt(folder: Path, seed: str, number: int, engine: Engine) -> Iterator[str | Disagreement]:
    """Try one mutant: first lines about it, then what the oracle and the verdict disagree about."""
    submission, said, random = mutant(folder, seed, number)
    lab = labs.load(folder)
    variant = labs.draw_variant(lab, None, None)
    yield "; ".join(said)
    runs = observe(lab, submission, variant, engine, random)
    told = list(faults_of(runs))
    faults = [one for one in told if isinstance(one, Fault)]
    doubts = [one for one in told if isinstance(one, Doubt)]
    result = _graded(lab, submission, engine, variant)
    yield from compared(faults, result, CHECKS, f"{len(runs)} runs", doubts=doubts)


def _graded(lab: Lab, submission: Submission, engine: Engine, variant: Variant) -> Result:
    """The verdict; asked for once more where the machine was too busy to let a program show what it does."""
    result = pipeline.grade(lab, submission, engine=engine, variant=variant).result
    if any(check.status == "error" for check in result.checks):
        result = pipeline.grade(lab, submission, engine=engine, variant=variant).result
    return result

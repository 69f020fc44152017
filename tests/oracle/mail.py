"""Mutants of the lab open-relay: what arrived, held against the verdict."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

from grader import labs, pipeline
from grader.engines.base import Engine
from grader.model.submission import Submission
from tests.oracle.arrivals import observe
from tests.oracle.bases import draw_base
from tests.oracle.faults import Disagreement
from tests.oracle.holding import compared
from tests.oracle.mutations import mutate
from tests.oracle.postfix import Configuration

CHECKS: dict[str, frozenset[str]] = {
    "starts": frozenset({"starts", "local-mail", "office", "auth"}),
    "relay": frozenset({"stranger", "disguise", "neighbour", "allow-lists", "xclient-proxy"}),
    "vanished": frozenset({"stranger", "disguise", "neighbour", "allow-lists", "xclient-proxy"}),
    "backscatter": frozenset(
        {"unknown-user", "disguise", "stranger", "neighbour", "allow-lists", "xclient-proxy"}
    ),
    "unknown": frozenset({"unknown-user"}),
    "local": frozenset({"local-mail", "starts"}),
    "postmaster": frozenset({"postmaster", "local-mail"}),
    "office": frozenset({"office"}),
    "user": frozenset({"auth"}),
    "large": frozenset({"local-mail", "office", "auth"}),
    "inside": frozenset({"auth", "local-mail"}),
    "borrowed": frozenset({"own-sender", "neighbour"}),
    "clear": frozenset({"auth-needs-tls"}),
    "tells": frozenset({"disclosure"}),
    "smuggled": frozenset({"smuggling"}),
}
"""The checks of the lab at which a fault may show; one of them must be lost."""


def mutant(folder: Path, seed: str, number: int) -> tuple[Submission, list[str], Random]:
    """The submission of that number, what was changed, and the randomness that its run goes on with."""
    random = Random(f"{seed}/{number}")
    base, rendered, variant = draw_base(random, folder)
    config = Configuration.read(rendered.files)
    said = [f"from {base}"]
    said += mutate(random, config, variant.names)
    return Submission(config.files(), rendered.executable), said, random


def hunt(folder: Path, seed: str, number: int, engine: Engine) -> Iterator[str | Disagreement]:
    """Try one mutant: first lines about it, then what the oracle and the verdict disagree about."""
    submission, said, random = mutant(folder, seed, number)
    lab = labs.load(folder)
    variant = labs.draw_variant(lab, None, None)
    yield "; ".join(said)
    seen = observe(lab, submission, variant, engine, random)
    result = pipeline.grade(lab, submission, engine=engine, variant=variant).result
    sent = f"{seen.sent} letters" + (f" ({seen.unsent} more had no time)" if seen.unsent else "")
    yield from compared(seen.faults, result, CHECKS, sent, all_sent=not seen.unsent)

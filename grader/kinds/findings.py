"""What an expectation found about one attempt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from grader.kinds.server.judge.index import Case, EvidenceIndex
from grader.model.lab import Check


class Verdict(Enum):
    """Whether an attempt met the expectation; ``UNPROVEN`` where an absence may have another cause."""

    MET = "met"
    BROKEN = "broken"
    UNPROVEN = "unproven"


@dataclass(frozen=True)
class Finding:
    """One attempt measured against one expectation, with a sentence and pointers into the evidence."""

    verdict: Verdict
    case: Case | None
    observed: str = ""
    evidence: list[str] = field(default_factory=list)


Judgement = Callable[[Check, list[Case], EvidenceIndex], list[Finding]]


def met(case: Case | None, observed: str = "") -> Finding:
    """The attempt met the expectation."""
    return Finding(Verdict.MET, case, observed)


def broken(case: Case | None, observed: str, evidence: list[str] | None = None) -> Finding:
    """The attempt did not meet the expectation; ``observed`` says what happened instead, as a sentence."""
    if evidence is None:
        evidence = case.pointers() if case is not None else []
    return Finding(Verdict.BROKEN, case, observed, evidence)


def unproven(case: Case, observed: str) -> Finding:
    """Nothing speaks against the expectation, and nothing shows that it was met."""
    return Finding(Verdict.UNPROVEN, case, observed, case.pointers())

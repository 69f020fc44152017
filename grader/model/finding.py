"""What judging found: of one attempt, and of a check as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Literal, Protocol

from msgspec import Struct

from grader.model.diagnostic import FilePlace
from grader.model.evidence import Tried
from grader.model.pointer import Pointer
from grader.model.sources import source_called, without_article

MOST_REMARKS = 40
OUT_OF_TIME = (
    "The server was so slow, or silent for so long, that the time was over before this could be tried."
)
ON_ITS_WAY = (
    "The server took the mail, and the time was over while that was on its way: the server or the machine had far too "
    "much to do. Grade again when the machine has less to do."
)
JUDGES_NOTHING = (
    "Nothing was found out for this check, neither for it nor against it: the lab has to be corrected."
)


class Verdict(Enum):
    """Whether an attempt met the expectation; ``UNPROVEN`` where an absence may have another cause."""

    MET = "met"
    BROKEN = "broken"
    UNPROVEN = "unproven"


class Case(Protocol):
    """One thing that was tried, with all that belongs to it."""

    @property
    def facts(self) -> Tried:
        """What was to be tried."""

    def pointers(self) -> list[Pointer]:
        """Where in the evidence to look."""


class Finding(Struct, frozen=True):
    """One attempt measured against one expectation, with a sentence and pointers into the evidence.

    ``next`` is the next step where this outcome has one of its own; otherwise it is the one that the lab gives.
    ``because`` is the code of another check that tells of the cause, where this one could not be looked at for it.
    """

    verdict: Verdict
    case: Case | None
    observed: str = ""
    evidence: list[Pointer] = []
    next: str | None = None
    because: str | None = None


def met(case: Case | None, observed: str = "") -> Finding:
    """The attempt met the expectation."""
    return Finding(Verdict.MET, case, observed)


def broken(
    case: Case | None, observed: str, evidence: list[Pointer] | None = None, *, next: str | None = None
) -> Finding:
    """The attempt did not meet the expectation; ``observed`` says what happened instead, as a sentence."""
    if evidence is None:
        evidence = case.pointers() if case is not None else []
    return Finding(Verdict.BROKEN, case, observed, evidence, next)


def unproven(case: Case, observed: str, *, because: str | None = None) -> Finding:
    """Nothing speaks against the expectation, and nothing shows that it was met."""
    return Finding(Verdict.UNPROVEN, case, observed, case.pointers(), because=because)


class Judged(Struct, frozen=True):
    """A check judged. ``None`` among the texts stands for what the lab's author wrote.

    ``points`` is given where a failure still earns some. ``because`` is the code of a check of whose failure this one
    comes: where that has failed, this one is skipped. ``place`` is the line handed in that a failure comes of.
    """

    status: Literal["pass", "fail", "manual", "error"]
    observed: str = ""
    pointers: Sequence[Pointer] = ()
    remarks: Sequence[str] = ()
    points: int | None = None
    expected: str | None = None
    why: str | None = None
    next: str | None = None
    references: Sequence[str] | None = None
    because: str | None = None
    place: FilePlace | None = None


def broken_ones(findings: Sequence[Finding]) -> list[Finding]:
    """The findings that break an expectation."""
    return [finding for finding in findings if finding.verdict is Verdict.BROKEN]


def failure(bad: Sequence[Finding], attempts: int) -> Judged:
    """A check that failed by these findings, of so many attempts: the first tells, the others are counted."""
    broke = list(dict.fromkeys(f.case.facts.id for f in bad if f.case is not None))
    observed = bad[0].observed
    if len(broke) > 1:
        observed += f" The same or the like happened in {len(broke)} of {attempts} attempts."
    pointers = list(dict.fromkeys(pointer for finding in bad for pointer in finding.evidence))
    remarks = _forms(bad) if len(broke) > 1 else [f.observed for f in bad[1:] if f.case is None]
    if len(broke) == 1 < attempts and not _told(bad, observed):
        remarks = [*_forms(bad), *remarks]
    return Judged("fail", observed, pointers, remarks, next=bad[0].next)


def _told(bad: Sequence[Finding], observed: str) -> bool:
    """Whether a sentence says in which form the only failed attempt was made."""
    titles = [finding.case.facts.title for finding in bad if finding.case is not None]
    return all(title.casefold() in observed.casefold() for title in titles)


def _forms(bad: Sequence[Finding]) -> list[str]:
    """Which forms broke the expectation, each with the ways it did."""
    ways: dict[str, list[str]] = {}
    for finding in bad:
        if finding.case is not None:
            facts = finding.case.facts
            way = (
                f"{without_article(source_called(facts.source))} on {facts.listener}"
                if facts.listener
                else ""
            )
            known = ways.setdefault(facts.title or source_called(facts.source), [])
            if way and way not in known:
                known.append(way)
    lines = [f"{title}: {', '.join(where)}" if where else title for title, where in ways.items()]
    if len(lines) > MOST_REMARKS:
        lines = [*lines[:MOST_REMARKS], f"and {len(lines) - MOST_REMARKS} more forms"]
    return lines

"""Looks for the words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grader.model.evidence import Tried
from grader.model.finding import JUDGES_NOTHING, Finding, Judged, broken, broken_ones, failure, met
from grader.model.pointer import Pointer
from grader.model.result import CheckResult
from smtplab_text.declare import TextCheck, TextLab
from smtplab_text.facts import TextEvidence, TextFacts

EVIDENCE = TextEvidence


@dataclass(frozen=True)
class Case:
    """One file that a check is about."""

    facts: Tried

    def pointers(self) -> list[Pointer]:
        """Nothing is known of where to look."""
        return []


class TextJudge:
    """Judges one evidence document."""

    def __init__(self, facts: TextFacts) -> None:
        self._facts = facts
        self._numbers = {read.name: number for number, read in enumerate(facts.read)}

    def judge(self, check: TextCheck) -> Judged:
        """See ``grader.kinds.base.Judge``."""
        tried = [tried for tried in self._facts.attempts if tried.check == check.code]
        findings = [finding for one in tried for finding in self._findings(check, one)]
        if bad := broken_ones(findings):
            return failure(bad, len(tried))
        return Judged("pass", "All as expected.") if findings else Judged("error", JUDGES_NOTHING)

    def way_open(self, check: TextCheck) -> bool:
        """See ``grader.kinds.base.Judge``."""
        return self.judge(check).status == "pass"

    def notes(self, results: Sequence[CheckResult]) -> list[str]:
        """See ``grader.kinds.base.Judge``."""
        return []

    def _findings(self, check: TextCheck, tried: Tried) -> Iterator[Finding]:
        number = self._numbers[tried.title]
        lines = self._facts.read[number].lines
        for word in check.expect.holds:
            held = any(word in line for line in lines)
            yield met(Case(tried)) if held else broken(Case(tried), f"{tried.title} does not say {word!r}.")
        for word in check.expect.lacks:
            at = next((place for place, line in enumerate(lines) if word in line), None)
            where = [] if at is None else [Pointer("text", number, at)]
            yield (
                met(Case(tried))
                if at is None
                else broken(Case(tried), f"{tried.title} says {word!r}.", where)
            )


def judge(evidence: TextEvidence, lab: TextLab, *, hints: str) -> TextJudge:
    """See ``grader.kinds.base.Judging``."""
    return TextJudge(evidence.facts)


def checks(evidence: TextEvidence, lab: TextLab) -> Sequence[TextCheck]:
    """See ``grader.kinds.base.Judging``."""
    return lab.checks


def prepare(lab: TextLab) -> None:
    """See ``grader.kinds.base.Judging``."""

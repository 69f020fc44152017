"""What judging has in common wherever mail was sent: findings of all attempts, and a check's result from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from grader.kinds.traffic.index import EvidenceIndex, TrafficCase
from grader.model.finding import (
    JUDGES_NOTHING,
    ON_ITS_WAY,
    OUT_OF_TIME,
    Finding,
    Judged,
    Verdict,
    broken,
    broken_ones,
    failure,
)
from grader.model.lab import Check
from grader.model.result import CheckResult

C = TypeVar("C", bound=Check)
Index = TypeVar("Index", bound=EvidenceIndex[Any])


class TrafficJudge(Generic[C, Index]):
    """Judges one evidence document. A kind says which judgements a check's ``expect`` names."""

    untried_fails = True
    """Whether what nobody had the time to try breaks the expectation, or is an error: nothing is known of it."""

    too_slow = ON_ITS_WAY
    """What is said of a check of which an attempt is undecided."""

    def __init__(self, index: Index) -> None:
        self.index = index

    def judgements(self, check: C) -> Sequence[Callable[[C, list[TrafficCase], Index], list[Finding]]]:
        """The functions that a check's expectations name, in the order in which their findings matter."""
        raise NotImplementedError

    def passed(self, check: C, cases: list[TrafficCase], findings: list[Finding]) -> Judged:
        """The result of a check of which everything is as it should be."""
        return Judged("pass", f"{attempts(cases)}, all as expected.")

    def failed(self, check: C, cases: list[TrafficCase], bad: list[Finding]) -> Judged:
        """The result of a check that these findings break."""
        return failure(bad, len(cases))

    def judge(self, check: C) -> Judged:
        """See ``grader.kinds.base.Judge``."""
        cases = list(self.index.cases(check.code))
        findings = self._findings(check, cases)
        if bad := broken_ones(findings):
            return self.failed(check, cases, bad)
        if left := next((finding for finding in findings if finding.because), None):
            return Judged("fail", left.observed, left.evidence, because=left.because)
        if not all(case.tried for case in cases):
            return Judged("error", OUT_OF_TIME)
        if any(self.undecided(check, case) for case in cases):
            return Judged("error", self.too_slow)
        if not findings:
            return Judged("error", JUDGES_NOTHING)
        return self.passed(check, cases, findings)

    def undecided(self, check: C, case: TrafficCase) -> bool:
        """Whether the time was over before it could be known what becomes of an attempt."""
        return not case.tried

    def way_open(self, check: C) -> bool:
        """See ``grader.kinds.base.Judge``.

        A server that lets nobody through shows nothing about whom it would let through; one that serves some of
        those whom it should does, and what it does wrong with the others is that other check's affair.
        """
        for case in self.index.cases(check.code):
            if not self.proves(check, case):
                continue
            findings = self._findings(check, [case])
            if findings and all(finding.verdict is Verdict.MET for finding in findings):
                return True
        return False

    def proves(self, check: C, case: TrafficCase) -> bool:
        """Whether success of a control's attempt shows that the way is open for those whom the control is for."""
        return True

    def notes(self, results: Sequence[CheckResult]) -> list[str]:
        """See ``grader.kinds.base.Judge``."""
        return []

    def _findings(self, check: C, cases: list[TrafficCase]) -> list[Finding]:
        decided = [case for case in cases if not self.undecided(check, case)]
        findings = [
            finding
            for judgement in self.judgements(check)
            for finding in judgement(check, decided, self.index)
        ]
        if not self.untried_fails:
            return findings
        # A program that takes too long must not pass for what nobody had the time to try.
        return findings + [broken(case, OUT_OF_TIME) for case in cases if not case.tried]


def attempts(cases: list[TrafficCase]) -> str:
    """``1 attempt``, ``12 attempts``: how many were really made."""
    tried = [case for case in cases if case.outcome.stage != "untried"]
    return "1 attempt" if len(tried) == 1 else f"{len(tried)} attempts"

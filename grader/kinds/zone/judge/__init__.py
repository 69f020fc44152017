"""Judges a zone by what receivers concluded from it: facts -> findings."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from grader.kinds.zone.declare import ZoneCheck, ZoneLab
from grader.kinds.zone.facts import ZoneEvidence
from grader.kinds.zone.judge.expectations import judgements
from grader.kinds.zone.judge.index import ZoneCase, ZoneIndex
from grader.kinds.zone.judge.remarks import attached, left_over
from grader.model.finding import JUDGES_NOTHING, Finding, Judged, Verdict, broken_ones, failure
from grader.model.result import CheckResult

__all__ = ["EVIDENCE", "ZoneJudge", "checks", "judge", "prepare"]

EVIDENCE = ZoneEvidence


class ZoneJudge:
    """Judges one evidence document of a zone."""

    def __init__(self, index: ZoneIndex, lab: ZoneLab) -> None:
        self._index = index
        self._lab = lab

    def judge(self, check: ZoneCheck) -> Judged:
        """See ``grader.kinds.base.Judge``."""
        cases = self._index.cases(check.code)
        findings = self._findings(check, cases)
        if bad := broken_ones(findings):
            return self._failed(check, bad, len(cases))
        judged = {finding.case.facts.id for finding in findings if finding.case is not None}
        if not cases or any(case.facts.id not in judged for case in cases):
            return Judged("error", JUDGES_NOTHING)
        return Judged("pass", f"{len(cases)} attempt{'s' * (len(cases) != 1)}, all as expected.")

    def way_open(self, check: ZoneCheck) -> bool:
        """See ``grader.kinds.base.Judge``."""
        each = (self._findings(check, [case]) for case in self._index.cases(check.code))
        return any(found and all(f.verdict is Verdict.MET for f in found) for found in each)

    def notes(self, results: Sequence[CheckResult]) -> list[str]:
        """See ``grader.kinds.base.Judge``: remarks that no failing check has told."""
        return left_over(self._index.facts, results)

    def _findings(self, check: ZoneCheck, cases: list[ZoneCase]) -> list[Finding]:
        return [
            finding
            for judgement in judgements(check.expect)
            for finding in judgement(check, cases, self._index)
        ]

    def _failed(self, check: ZoneCheck, bad: list[Finding], attempts: int) -> Judged:
        found = failure(bad, attempts)
        remarks = attached(self._lab, check, self._index.remarks, found.pointers)
        return replace(
            found,
            pointers=list(dict.fromkeys([*found.pointers, *(place for place, _ in remarks)])),
            remarks=[*found.remarks, *(sentence for _, sentence in remarks)],
        )


def judge(evidence: ZoneEvidence, lab: ZoneLab, *, hints: str) -> ZoneJudge:
    """See ``grader.kinds.base.Judging``."""
    return ZoneJudge(ZoneIndex(evidence.facts, evidence.names), lab)


def checks(evidence: ZoneEvidence, lab: ZoneLab) -> Sequence[ZoneCheck]:
    """See ``grader.kinds.base.Judging``."""
    return lab.checks


def prepare(lab: ZoneLab) -> None:
    """See ``grader.kinds.base.Judging``."""

"""Holding what a hunt saw against the verdict. ``checks`` are those at which a fault of each rule may show."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from grader.model.result import Result
from tests.oracle.faults import Disagreement, Doubt, Fault


def compared(
    faults: list[Fault],
    result: Result,
    checks: Mapping[str, frozenset[str]],
    sent: str,
    *,
    all_sent: bool = True,
    doubts: Collection[Doubt] = (),
) -> Iterator[str | Disagreement]:
    """A line on a run, and everything that its oracle and its verdict disagree about; ``sent`` says what was tried.

    Where not ``all_sent`` could be, a check that was lost may be so for what the oracle has not tried; nothing is said
    against a loss of which it has ``doubts``.
    """
    lost = {check.code.split("/", 1)[1]: check.status for check in result.checks if check.status != "pass"}
    failed = {code for code, status in lost.items() if status == "fail"}
    rules = sorted({fault.rule for fault in faults})
    unclear = f"; in doubt: {', '.join(sorted({doubt.rule for doubt in doubts}))}" if doubts else ""
    yield f"{sent}; broken: {', '.join(rules) or 'nothing'}{unclear}; {result.score} points, lost {sorted(failed)}"
    # A server that lets its clients wait by design may outlast the run: what was not tried is told, and no verdict.
    in_time = not any("time for this run was over" in note for note in result.notes)
    if in_time and (errors := [code for code, status in lost.items() if status == "error"]):
        yield Disagreement("error", f"the grader's own error at {errors}")
    yield from wrong_passes(faults, lost, checks)
    if all_sent:
        doubted = {code for doubt in doubts for code in checks[doubt.rule]}
        yield from wrong_fails(faults, failed - doubted, checks)


def wrong_passes(
    faults: list[Fault], lost: Mapping[str, str], checks: Mapping[str, frozenset[str]]
) -> Iterator[Disagreement]:
    """Rules that were broken, although no check at which that can show was lost (or skipped)."""
    told: set[str] = set()
    for fault in faults:
        if fault.rule not in told and not checks[fault.rule] & lost.keys():
            told.add(fault.rule)
            yield Disagreement("pass", f"{fault.rule}: {fault.what}")


def wrong_fails(
    faults: list[Fault], failed: set[str], checks: Mapping[str, frozenset[str]]
) -> Iterator[Disagreement]:
    """Checks that were lost although the oracle saw no rule broken to which they belong."""
    excused = {code for fault in faults for code in checks[fault.rule]}
    for code in sorted(failed - excused):
        yield Disagreement("fail", f"{code} was lost, and the oracle saw nothing of it")

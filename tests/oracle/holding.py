"""Holding what a hunt saw against the verdict. ``checks`` are those at which a fault of each rule may show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.oracle.faults import Disagreement, Fault


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

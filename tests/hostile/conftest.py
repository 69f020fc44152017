"""Sums up what was tried: the table that docs/security.md quotes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pytest
from _pytest.terminal import TerminalReporter

PROPERTY = "attack"


@dataclass(frozen=True)
class Tried:
    """One attack that was tried: on which engine, of what kind, whether it was held, how long it held a worker."""

    engine: str
    kind: str
    name: str
    held: bool
    seconds: float


@pytest.hookimpl
def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Print the table, should any attack have been tried."""
    if lines := table(tried(terminalreporter)):
        terminalreporter.section("attacks")
        for line in lines:
            terminalreporter.write_line(line)


def tried(reporter: TerminalReporter) -> list[Tried]:
    """What the reports of attacks say; one that came to no end took no time."""
    found = []
    for outcome in ("passed", "failed", "xfailed"):
        for report in reporter.stats.get(outcome, []):
            told = dict(getattr(report, "user_properties", []))
            if PROPERTY in told:
                engine, kind, name, seconds = told[PROPERTY]
                found.append(Tried(engine, kind, name, outcome == "passed", seconds))
    return found


def table(attacks: Iterable[Tried]) -> list[str]:
    """A line for each engine and kind: how many were tried and held, and the longest that one took."""
    groups: dict[tuple[str, str], list[Tried]] = {}
    for attack in attacks:
        groups.setdefault((attack.engine, attack.kind), []).append(attack)
    rows = [("engine", "kind", "tried", "held", "longest")]
    for (engine, kind), group in sorted(groups.items()):
        longest = max(group, key=lambda attack: attack.seconds)
        held = sum(attack.held for attack in group)
        rows.append((engine, kind, str(len(group)), str(held), f"{longest.seconds:.1f} s, {longest.name}"))
    return ["  ".join(cell.ljust(8) for cell in row).rstrip() for row in rows] if groups else []

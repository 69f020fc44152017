"""Which hints a cap lets through."""

from __future__ import annotations

import pytest

from grader.model.hints import TIERS, allows


@pytest.mark.parametrize(
    ("highest", "shown"),
    [
        ("none", []),
        ("nudge", ["nudge"]),
        ("pointer", ["nudge", "pointer"]),
        ("next", ["nudge", "pointer", "next"]),
        ("example", ["nudge", "pointer", "next", "example"]),
    ],
)
def test_a_cap_shows_its_own_tier_and_those_below(highest: str, shown: list[str]) -> None:
    assert [tier for tier in TIERS[1:] if allows(highest, tier)] == shown

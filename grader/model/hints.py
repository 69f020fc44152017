"""Help as a ladder: each rung tells more than the one before. An instructor caps the highest that students see."""

from __future__ import annotations

from typing import Literal

Rung = Literal["nudge", "pointer", "next", "example"]

RUNGS: tuple[Rung, ...] = ("nudge", "pointer", "next", "example")
"""A question that leads there; where to read; the next step, which names the fix; a worked example."""

TIERS = ("none", *RUNGS)
"""What the cap may be: no help at all, or a rung and those below it."""

UNASKED: tuple[Rung, ...] = ("nudge", "next")
"""The rungs that a report shows by itself, as far as the cap lets it; the others are given to those who ask."""


def allows(highest: str, tier: str) -> bool:
    """Whether help of ``tier`` is shown where ``highest`` is the cap. Raises ``ValueError`` for an unknown tier."""
    return TIERS.index(highest) >= TIERS.index(tier)


def lower(one: str, other: str) -> str:
    """The cap that two caps make together. Raises ``ValueError`` for an unknown tier."""
    return min(one, other, key=TIERS.index)

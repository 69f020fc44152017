"""The tiers of hints, each telling more than the one before; an instructor caps the highest that is shown."""

from __future__ import annotations

TIERS = ("none", "nudge", "pointer", "example")


def allows(highest: str, tier: str) -> bool:
    """Whether a hint of ``tier`` is shown where ``highest`` is the cap. Raises ``ValueError`` for an unknown tier."""
    return TIERS.index(highest) >= TIERS.index(tier)

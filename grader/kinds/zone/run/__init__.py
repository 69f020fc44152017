"""Serves the zone that was handed in and lets receivers judge by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from grader.kinds.base import Recorded
from grader.kinds.zone.declare import ZoneLab
from grader.kinds.zone.facts import ZoneFacts
from grader.kinds.zone.plan import ZonePlan
from grader.kinds.zone.run.examine import examine

if TYPE_CHECKING:
    from grader.engines.base import Machines

__all__ = ["act", "nothing"]


def act(
    plan: ZonePlan, lab: ZoneLab, machines: Machines | None, *, overlap: Callable[[], object]
) -> Recorded:
    """See ``grader.kinds.base.Runner``. Raises ``LabError`` where the lab's own zones are broken."""
    return examine(plan)


def nothing(lab: ZoneLab, variant: str) -> ZoneFacts:
    """See ``grader.kinds.base.Runner``."""
    return ZoneFacts(file="", origin="", lines=[])

"""Starts the student's server, probes it and records what happened."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from grader.kinds.base import Recorded
from grader.kinds.server.declare import ServerLab
from grader.kinds.server.facts import ServerFacts, ServerPlan

if TYPE_CHECKING:
    from grader.engines.base import Machines

__all__ = ["act", "nothing", "prepare"]


def prepare(lab: ServerLab) -> None:
    """See ``grader.kinds.make_ready``."""
    import_module("grader.kinds.server.run.conduct")


def act(
    plan: ServerPlan, lab: ServerLab, machines: Machines | None, *, overlap: Callable[[], object]
) -> Recorded:
    """See ``grader.kinds.base.Runner``."""
    from grader.kinds.server.run.conduct import conduct

    assert machines is not None
    return conduct(plan, lab, machines, overlap)


def nothing(lab: ServerLab, variant: str) -> ServerFacts:
    """See ``grader.kinds.base.Runner``."""
    return ServerFacts(started_up=False)

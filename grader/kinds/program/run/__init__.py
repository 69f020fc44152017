"""Runs the program against submission servers (RFC 6409) and records what happened."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from grader.kinds.base import Recorded
from grader.kinds.program.declare import ProgramLab
from grader.kinds.program.facts import ProgramFacts, ProgramPlan

if TYPE_CHECKING:
    from grader.engines.base import Machines

__all__ = ["act", "nothing", "prepare"]


def prepare(lab: ProgramLab) -> None:
    """See ``grader.kinds.make_ready``."""
    import_module("grader.kinds.program.run.conduct")


def act(
    plan: ProgramPlan, lab: ProgramLab, machines: Machines | None, *, overlap: Callable[[], object]
) -> Recorded:
    """See ``grader.kinds.base.Runner``."""
    from grader.kinds.program.run.conduct import conduct

    assert machines is not None
    return conduct(plan, lab, machines, overlap)


def nothing(lab: ProgramLab, variant: str) -> ProgramFacts:
    """See ``grader.kinds.base.Runner``."""
    return ProgramFacts(program=lab.program.run)

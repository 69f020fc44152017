"""The engine that a command runs on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.cli.surroundings import refuse_hopeless
from grader.model.errors import EngineError

if TYPE_CHECKING:
    from grader.engines.base import Engine
    from grader.model.lab import Lab


def usable(name: str) -> Engine:
    """The engine of that name. Raises ``EngineError``, with the command that fixes it, where it cannot run."""
    from grader.engines import select

    engine = select(name)
    # 'auto' has asked already.
    if name != "auto" and (problems := engine.problems()):
        raise EngineError(
            f"the engine {name!r} cannot run here: {problems[0].what}; fix it with: {problems[0].fix}"
        )
    return engine


def engine_for(lab: Lab, name: str) -> Engine | None:
    """The engine of that name where the lab needs one, else ``None``.

    Raises ``EngineError`` as ``usable`` does, and ``GraderError`` where this process could not tell a grade.
    """
    refuse_hopeless()
    return usable(name) if lab.needs_engine else None

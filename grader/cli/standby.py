"""What stands ready for the next run while its files are typed: the engine, and machines like those of the last run."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from grader.cli.engine import engine_for
from grader.model.deadline import Deadline

if TYPE_CHECKING:
    from types import TracebackType

    from grader.engines.base import Engine
    from grader.model.lab import Lab
    from grader.model.plan import Plan

LONGEST_WAIT = 15 * 60.0
"""Seconds after a run for which machines wait: whoever saves nothing for that long may have gone away for hours."""


class Standby:
    """Keeps an engine between runs, and machines ready on it, which one run alone makes use of.

    What is ready costs memory and no processor time. Leaving takes it down; so does the end of this process, whatever
    ends it.
    """

    def __init__(self, engine_name: str) -> None:
        self._name = engine_name
        self._engine: Engine | None = None
        self.like: Plan | None = None
        """The plan of the last run: the next will be much like it."""
        self._ready = ExitStack()
        self._until = Deadline(0)

    def __enter__(self) -> Standby:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ready.close()

    def engine(self, lab: Lab) -> Engine | None:
        """As ``engine_for``, which looks for it once."""
        if self._engine is None or not lab.needs_engine:
            self._engine = engine_for(lab, self._name)
        return self._engine

    def make_ready(self) -> None:
        """Have machines wait for the next run, where the last one had some."""
        from grader.model.plan import MachinePlan

        self._ready.close()
        if self._engine is not None and isinstance(self.like, MachinePlan):
            self._ready.enter_context(self._engine.prepared(self.like))
            self._until = Deadline(LONGEST_WAIT)

    def look_at_the_clock(self) -> None:
        """Let machines go that have waited long enough."""
        if self._until.over:
            self._ready.close()

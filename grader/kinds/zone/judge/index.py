"""Evidence of a zone with its look-ups made once."""

from __future__ import annotations

from functools import cached_property

from msgspec import Struct

from grader.kinds.zone.facts import ZoneFacts
from grader.kinds.zone.judge.lint import lint
from grader.kinds.zone.judge.source import Remark
from grader.model.evidence import Tried
from grader.model.pointer import Pointer


class ZoneCase(Struct, frozen=True):
    """One thing that receivers tried."""

    facts: Tried

    def pointers(self) -> list[Pointer]:
        """See ``grader.model.finding.Case``: the judgements know better where to look."""
        return []


class ZoneIndex:
    """Look-ups into what was recorded of a zone; ``names`` are the variant's."""

    def __init__(self, facts: ZoneFacts, names: dict[str, str]) -> None:
        self.facts = facts
        self.names = names

    def cases(self, check: str) -> list[ZoneCase]:
        """What was tried for a check, in the order of the plan."""
        return [ZoneCase(tried) for tried in self.facts.attempts if tried.check == check]

    @cached_property
    def remarks(self) -> list[Remark]:
        """What is odd in the file, if it could be read."""
        return [] if self.facts.faults else lint(self.facts)

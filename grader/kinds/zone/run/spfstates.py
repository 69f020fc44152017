"""Where an evaluation of SPF stands: the clients it is about, what it has cost so far, and what they get."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from grader.formats.networks import AddressSet
from grader.formats.spf import Term
from grader.kinds.zone.declare import SpfResult
from grader.kinds.zone.facts import SpfLimit, SpfStep, SpfTrouble

Path = tuple[SpfStep, ...]


class SpfState(Struct, frozen=True):
    """Clients that nothing has matched so far, and what the way here has cost."""

    clients: AddressSet
    lookups: int = 0
    voids: int = 0


class SpfVerdict(Struct, frozen=True):
    """What some clients get. ``domain`` is the one whose record decided, not counting includes.

    ``path`` leads to the term that decided; ``inner`` goes on into the record that was included, where one passed.
    ``undecided`` says that no term matched.
    """

    state: SpfState
    result: SpfResult
    domain: str
    path: Path = ()
    inner: Path = ()
    trouble: SpfTrouble | None = None
    limit: SpfLimit | None = None
    broken: Term | None = None
    about: str = ""
    undecided: bool = False


class Ends(Exception):
    """An evaluation that ends in the middle of a term."""

    def __init__(self, trouble: SpfTrouble, *, limit: SpfLimit | None = None, about: str = "") -> None:
        super().__init__(trouble)
        self.trouble = trouble
        self.limit = limit
        self.about = about

    @property
    def result(self) -> SpfResult:
        """DNS may answer another time; all else is for good."""
        return "temperror" if self.trouble == "no-answer" else "permerror"

    def verdict(self, state: SpfState, domain: str, path: Path) -> SpfVerdict:
        """What it means for those whom it hits."""
        return SpfVerdict(
            state, self.result, domain, path, trouble=self.trouble, limit=self.limit, about=self.about
        )


def step(domain: str, term: Term) -> SpfStep:
    """A term as a step on the way to a verdict."""
    return SpfStep(domain, term.text, term.start, term.end)


def merged(states: Iterable[SpfState]) -> list[SpfState]:
    """States of one cost as one, so that there are never more than the costs that there can be."""
    states = list(states)
    if len(states) < 2:
        return states
    found: dict[tuple[int, int], list[SpfState]] = {}
    for state in states:
        found.setdefault((state.lookups, state.voids), []).append(state)
    return [
        replace(alike[0], clients=AddressSet.union([state.clients for state in alike]))
        for alike in found.values()
    ]

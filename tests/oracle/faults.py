"""What the hunts find."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """A rule of the handout that was broken, and the letter or dialogue that shows it."""

    rule: str
    what: str


@dataclass(frozen=True)
class Doubt:
    """A rule of which the oracle cannot say whether it was broken, and why not."""

    rule: str
    what: str


@dataclass(frozen=True)
class Disagreement:
    """What oracle and product disagree about.

    ``wrong`` is ``pass`` where a fault cost nothing, ``fail`` where points were lost and no fault was seen, ``result``
    where two receivers conclude differently, ``error`` where the grader had an error of its own.
    """

    wrong: str
    what: str

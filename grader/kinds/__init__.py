"""Kinds of lab, one folder each, and the table that says what each offers.

Everybody else asks this table and knows no kind by name. A kind has six doors, modules that are loaded when somebody
goes through them:

- ``declare``: what an author may write, ``Lab`` and its ``try`` and ``expect``; see ``Declare``
- ``author``: what an author wrote, checked and completed; see ``Author``
- ``plan``: lab + submission + variant -> what will be done; see ``Planner``
- ``run``: acts on the submission and records facts; see ``Runner``
- ``judge``: facts -> findings. Pure; see ``Judging``
- ``show``: what reports draw of the facts. Pure; see ``Show``

Another package brings a kind by the entry-point group ``smtplab.kinds``: a ``Kind``, under its name.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, cast

from grader.kinds.base import AheadPlanner, Author, Declare, Judging, Kind, Planner, Runner, Show
from grader.model.errors import LabError
from grader.model.lab import Lab
from grader.model.templates import nearest

if TYPE_CHECKING:
    from grader.model.plan import MachinePlan
    from grader.model.variant import Variant

__all__ = [
    "DEFAULT",
    "GROUP",
    "Kind",
    "ahead",
    "author",
    "declare",
    "exists",
    "judge",
    "kind",
    "make_ready",
    "make_run_ready",
    "names",
    "of",
    "plan",
    "run",
    "show",
]

GROUP = "smtplab.kinds"
"""The entry-point group under which packages bring kinds of their own."""

BUILT_IN = {
    row.name: row
    for row in (
        Kind(
            "server", "grader.kinds.server", about="a mail server's configuration", template="new-lab",
            further={"signatures": "new-signature-lab"},
        ),
        Kind("program", "grader.kinds.program", about="a program that sends mail", template="new-program-lab"),
        Kind("zone", "grader.kinds.zone", about="a DNS zone", template="new-zone-lab"),
        Kind(
            "quiz", "grader.kinds.quiz", about="answers to questions", template="new-quiz-lab",
            answers_fit_one_variant=True, short_codes=False,
        ),
    )
}  # fmt: skip
DEFAULT = "server"
"""The kind of a lab that does not say its own."""


def kind(name: str) -> Kind:
    """The kind of that name. Raises ``LabError``, with the nearest, where there is none."""
    found = BUILT_IN.get(name) or _brought().get(name)
    if found is None:
        hint = nearest("%r", name, names()) or f" (there are {', '.join(names())})"
        raise LabError(f"there is no kind of lab {name!r}{hint}")
    return found


def exists(name: object) -> bool:
    """Whether there is a kind of that name."""
    return isinstance(name, str) and (name in BUILT_IN or name in _brought())


def of(lab: Lab) -> Kind:
    """The kind of a lab."""
    return kind(lab.kind)


def names() -> list[str]:
    """All kinds, smtplab's own first."""
    return list(BUILT_IN | _brought())


@cache
def _brought() -> dict[str, Kind]:
    """Kinds of other packages. They cannot take the name of one of smtplab's own."""
    # What reads the entry points takes longer to load than all else here, and few ask for it.
    from importlib import metadata

    found = {entry.name: entry.load() for entry in metadata.entry_points(group=GROUP)}
    wrong = sorted(name for name, row in found.items() if not isinstance(row, Kind) or row.name != name)
    if wrong:
        raise LabError(
            f"the package that brings the kind {wrong[0]!r} names no Kind of that name in the entry points of {GROUP}"
        )
    return found


def declare(name: str) -> Declare:
    """The door of that name of a kind; the other functions likewise. Raises ``LabError`` for an unknown kind."""
    return cast("Declare", _door(name, "declare"))


def author(name: str) -> Author:
    """See ``declare``."""
    return cast("Author", _door(name, "author"))


def plan(name: str) -> Planner:
    """See ``declare``."""
    return cast("Planner", _door(name, "plan"))


def ahead(lab: Lab, variant: Variant) -> MachinePlan | None:
    """See ``AheadPlanner``; ``None`` where the kind can tell nothing of the machines before it has made a plan."""
    door = plan(lab.kind)
    return cast("AheadPlanner", door).ahead(lab, variant) if hasattr(door, "ahead") else None


def run(name: str) -> Runner:
    """See ``declare``."""
    return cast("Runner", _door(name, "run"))


def judge(name: str) -> Judging:
    """See ``declare``."""
    return cast("Judging", _door(name, "judge"))


def show(name: str) -> Show:
    """See ``declare``."""
    return cast("Show", _door(name, "show"))


def make_ready(lab: Lab) -> None:
    """Import all that grading this lab takes: for a process that many are graded in forks of."""
    for door in (plan(lab.kind), run(lab.kind), judge(lab.kind), show(lab.kind)):
        _prepare(door, lab)


def make_run_ready(lab: Lab) -> None:
    """Import what its run takes."""
    _prepare(run(lab.kind), lab)


def _prepare(door: object, lab: Lab) -> None:
    # A door that imports all at once has none, nor may one of a kind that another package brings.
    prepare = getattr(door, "prepare", None)
    if prepare is not None:
        prepare(lab)


def _door(name: str, door: str) -> object:
    return import_module(f"{kind(name).package}.{door}")

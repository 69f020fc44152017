"""The way through the lesson: pages and labs in the order in which they are best gone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from msgspec import Struct

from grader import resources
from grader.labs.yamlfile import parse, read_bytes

OF_A_LAB = "lab-"
"""How a step begins that is a lab."""


class Stage(Struct, frozen=True, forbid_unknown_fields=True):
    """Some steps that belong together: names of pages, and of labs' pages."""

    title: str
    about: str
    steps: list[str]


@cache
def stages() -> list[Stage]:
    """The stages of smtplab's own lesson. Raises ``LabError`` where they cannot be read."""
    path = resources.folder("reports") / "data" / "path.yaml"
    return parse(read_bytes(path, "the lesson's data"), path, list[Stage])


def in_order(labs: Sequence[str]) -> list[str]:
    """Ids of labs as they stand on the way; those that are not on it come after, by their names."""
    way = [
        step.removeprefix(OF_A_LAB) for stage in stages() for step in stage.steps if step.startswith(OF_A_LAB)
    ]
    return sorted(labs, key=lambda lab: (way.index(lab) if lab in way else len(way), lab))

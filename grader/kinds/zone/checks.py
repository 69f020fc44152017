"""What the schema cannot say about a lab of the kind ``zone``: names that nothing bears, a file that is not named."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from grader.labs.complaints import Complaint
from grader.labs.world import World
from grader.model.lab import Check, Lab
from grader.model.templates import names_in, unknown_name


def zone_complaints(lab: Lab, world: World) -> Iterator[Complaint]:
    """A complaint for each fault that is the kind's own."""
    yield from _unknown(lab.submission.required[0], world, ("submission", "required", 0))
    if lab.zone is not None:
        yield from _unknown(lab.zone.origin, world, ("zone", "origin"))
        for origin, text in lab.zone.others.items():
            yield from _unknown(origin, world, ("zone", "others", origin))
            yield from _unknown(text, world, ("zone", "others", origin))
    for position, check in enumerate(lab.checks):
        yield from _check_complaints(check, world, ("checks", position))


def _check_complaints(check: Check, world: World, here: tuple[str | int, ...]) -> Iterator[Complaint]:
    if check.expect.zone is None:
        yield Complaint((*here, "expect"), "a check of a zone needs the key 'zone' in its 'expect'")
    else:
        for number, text in enumerate(check.expect.zone.answers or []):
            yield from _unknown(text, world, (*here, "expect", "zone", "answers", number))
    for number, entry in enumerate(check.attempts):
        if entry.zone is None:
            yield Complaint((*here, "try", number), "what receivers try stands under the key 'zone'")
            continue
        for kind, values in msgspec.to_builtins(entry.zone).items():
            for place, value in enumerate(values):
                for text in _texts(value):
                    yield from _unknown(text, world, (*here, "try", number, "zone", kind, place))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)


def _unknown(text: str, world: World, here: tuple[str | int, ...]) -> Iterator[Complaint]:
    for name in sorted(names_in(text) - world.names.keys()):
        yield Complaint(here, unknown_name(name, world.names))

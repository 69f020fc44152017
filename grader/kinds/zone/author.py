"""What the schema cannot say about a lab of the kind ``zone``: names that nothing bears, a file that is not named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path as Folder

import msgspec

from grader.kinds.base import Words
from grader.kinds.zone.declare import JUDGES, ZoneCheck, ZoneExpect, ZoneLab
from grader.labs.world import LabWorld, read_world
from grader.model.diagnostic import Diagnostic, Path, fault_at
from grader.model.templates import names_in, unknown_name


def complaints(lab: ZoneLab) -> Iterator[Diagnostic]:
    """See ``grader.kinds.base.Author``: a complaint for each fault that is the kind's own."""
    world = read_world()
    yield from _unknown(lab.submission.required[0], world, ("submission", "required", 0))
    yield from _unknown(lab.zone.origin, world, ("zone", "origin"))
    for origin, text in lab.zone.others.items():
        yield from _unknown(origin, world, ("zone", "others", origin))
        yield from _unknown(text, world, ("zone", "others", origin))
    for position, check in enumerate(lab.checks):
        yield from _check_complaints(check, world, ("checks", position))


def _check_complaints(check: ZoneCheck, world: LabWorld, here: Path) -> Iterator[Diagnostic]:
    for number, text in enumerate(check.expect.answers or []):
        yield from _unknown(text, world, (*here, "expect", "answers", number))
    for number, entry in enumerate(check.attempts):
        for key, values in msgspec.to_builtins(entry).items():
            for place, value in enumerate(values):
                for text in _texts(value):
                    yield from _unknown(text, world, (*here, "try", number, key, place))
    yield from _idle(check, here)


def _idle(check: ZoneCheck, here: Path) -> Iterator[Diagnostic]:
    """Expectations of nothing that is tried, and what is tried and nothing is expected of: neither judges anything."""
    tried = {key for entry in check.attempts for key, values in msgspec.to_builtins(entry).items() if values}
    expected = {
        field.encode_name
        for field in msgspec.structs.fields(ZoneExpect)
        if getattr(check.expect, field.name) != field.default and getattr(check.expect, field.name) != []
    }
    if not expected:
        yield fault_at(
            (*here, "expect"),
            "nothing is expected, so that the check would judge nothing: say what must hold",
        )
    for key in sorted(expected - {"loads"}):
        fitting = [what for what, keys in JUDGES.items() if key in keys]
        if not tried & set(fitting):
            yield fault_at(
                (*here, "expect", key),
                f"{key!r} is judged of {' or '.join(fitting)}, and 'try' has none: add some",
            )
    for what in sorted(tried):
        if not expected & {*JUDGES[what], "loads"}:
            yield fault_at(
                (*here, "try"),
                f"nothing is expected of {what}: give one of {', '.join(JUDGES[what])} in 'expect'",
            )


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _unknown(text: str, world: LabWorld, here: Path) -> Iterator[Diagnostic]:
    for name in sorted(names_in(text) - world.names.keys()):
        yield fault_at(here, unknown_name(name, world.names))


def completed(lab: ZoneLab, path: Folder, data: bytes) -> ZoneLab:
    """See ``grader.kinds.base.Author``: the file holds the whole lab."""
    return lab


def texts(lab: ZoneLab, variant: str) -> dict[str, str]:
    """See ``grader.kinds.base.Author``: there are none."""
    return {}


def vocabulary() -> Sequence[Words]:
    """See ``grader.kinds.base.Author``."""
    from grader.kinds.zone.words import made

    return made()

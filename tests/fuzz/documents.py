"""Documents that are JSON still, and well-typed mostly, in which something is gone, doubled, or another thing."""

from __future__ import annotations

from copy import deepcopy
from random import Random
from typing import Any

ODD: tuple[Any, ...] = (
    None, True, False, -1, 0, 1, 2**31, 10**25, 1e308, 0.5, "", "x", "open-relay", "fail", "server", "\0",
    "\x1b[2J", "9" * 400, [], {}, [[]], {"a": {}}, ["x"], [0], "2026-11-23T10:00:00.000Z", "9999-99-99",
    "AAAA",
)  # fmt: skip


def altered(chance: Random, document: Any, changes: int) -> Any:
    """The document with some changes; it is changed itself."""
    for _ in range(changes):
        place, key = _place(chance, document)
        if place is None:
            continue
        match chance.randrange(6):
            case 0:
                place[key] = deepcopy(chance.choice(ODD))  # later changes may lie within it
            case 1:
                del place[key]
            case 2 if isinstance(place, list):
                place.insert(key, place[key])
            case 3:
                other, there = _place(chance, document)
                if other is not None and type(other[there]) is type(place[key]):
                    place[key], other[there] = other[there], place[key]
            case _:
                place[key] = _like(chance, place[key])
    return document


def _place(chance: Random, document: Any) -> tuple[Any, Any]:
    """Somewhere in the document: what holds a value, and its key there."""
    here, key, found = document, None, None
    while isinstance(here, list | dict) and here:
        found = here
        key = chance.randrange(len(here)) if isinstance(here, list) else chance.choice(list(here))
        here = here[key]
        if chance.random() < 0.12:
            break
    return found, key


def _like(chance: Random, value: Any) -> Any:
    """Another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return chance.choice((value + 1, value - 1, 0, -value, 2**31, 500))
    if isinstance(value, float):
        return chance.choice((-value, 0.0, 1e12))
    if isinstance(value, str):
        words = (
            "",
            value[:-1],
            value + "x",
            value.upper(),
            "\x1b[31m\u202e\x00",
            value * 3,
            "a/1",
            "<b>",
            "25",
        )
        return chance.choice(words)
    if isinstance(value, list):
        return chance.choice((value[:-1], value[1:], value + value[:1], []))
    return value

"""Answers with numbers or ticks at their parts: ``1. e 2. c``, ``{1: e, 2: c}``, ``{e: 1, c: 2}``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

_NUMBER = re.compile(r"(?:^|(?<=[\s,;]))\(?([1-9][0-9]?)\)?\s{0,3}[.):=>-]{0,2}\s{0,3}(?=[^\s0-9])")
"""A number before what it belongs to. What stands there begins with no digit, or ``554 5.7.1`` would be numbered."""
_ALONE = re.compile(r"([1-9][0-9]?)[.):]?")
_LONGEST = 1000
_YES = frozenset(("yes", "y", "true", "x", "right", "correct"))
_NO = frozenset(("no", "n", "false", "wrong", "-", ""))


def numbered(value: Any) -> list[str] | None:
    """What stands behind the numbers 1, 2, 3 …, in their order; ``None`` where a value is not numbered through."""
    if isinstance(value, str):
        _, *pieces = _NUMBER.split(value) if len(value) <= _LONGEST else [value]
        begins = _NUMBER.match(value.lstrip()) is not None
        return _sorted(pieces[::2], pieces[1::2]) if begins and len(pieces) > 2 else None
    if isinstance(value, list):
        parts = [_NUMBER.split(part) if isinstance(part, str) else [] for part in value]
        if all(len(part) == 3 and not part[0].strip() for part in parts):
            return _sorted([part[1] for part in parts], [part[2] for part in parts])
        value = merged(value)
    if not isinstance(value, dict) or not all(isinstance(part, str) for part in value.values()):
        return None
    return _sorted([_digits(key) for key in value], list(value.values()))


def ranked(value: Any) -> list[str] | None:
    """The names to which the numbers 1, 2, 3 … are put, in their order."""
    value = merged(value) if isinstance(value, list) else value
    if not isinstance(value, dict):
        return None
    return _sorted([_digits(place) for place in value.values()], list(value))


def ticked(value: Any) -> list[str] | None:
    """The names to which yes is said, where to each yes or no is said."""
    value = merged(value) if isinstance(value, list) else value
    if not isinstance(value, dict):
        return None
    said = {name: str(tick or "").strip().lower() for name, tick in value.items()}
    if not said or not all(tick in _YES or tick in _NO for tick in said.values()):
        return None
    return [name for name, tick in said.items() if tick in _YES]


def merged(value: list[Any]) -> dict[str, Any] | None:
    """A list of single pairs as one mapping; ``None`` where it is none, or names something twice."""
    if not value or not all(isinstance(part, dict) and len(part) == 1 for part in value):
        return None
    pairs = [item for part in value for item in part.items()]
    return dict(pairs) if len({name for name, _ in pairs}) == len(pairs) else None


def _digits(text: Any) -> str:
    found = _ALONE.fullmatch(text.strip()) if isinstance(text, str) else None
    return found[1] if found else ""


def _sorted(numbers: Sequence[str], parts: Sequence[str]) -> list[str] | None:
    """Parts in the order of their numbers, which are to be 1, 2, 3 … without a gap."""
    if not numbers or sorted(numbers, key=lambda number: number.zfill(2)) != [
        str(number) for number in range(1, len(numbers) + 1)
    ]:
        return None
    found = dict(zip(map(int, numbers), parts, strict=True))
    return [found[number].strip(" \t\r\n,;") for number in sorted(found)]

"""Whether an expression can match the same text in a number of ways that doubles with each piece of it.

Where it can, and the text goes on as it must not, Python's matcher tries all of them: twenty pieces more take a million
times as long. It is so where the same signs lead from a position back to it on two different ways.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from tests.patterns.positions import Positions, parser

Pair = tuple[int, int]
LARGEST = 20_000
"""Pairs of positions that are looked at from one."""


def doubling(pattern: str | bytes, flags: int = 0) -> str:
    """A piece of text whose repetition may double the ways; empty where there is none."""
    parsed = parser.parse(pattern, flags)
    octets = isinstance(pattern, bytes)
    waiting = [(parsed, parsed.state.flags)]
    while waiting:
        items, known = waiting.pop()
        found = Positions(items, known, octets=octets)
        if piece := _piece(found):
            return piece
        waiting += found.inner
    return ""


def _piece(found: Positions) -> str:
    for start in range(len(found.signs)):
        if piece := _back(found, start):
            return piece
    return ""


def _back(found: Positions, start: int) -> str:
    """The signs of the shortest way from a position to itself that can be gone in two ways."""
    first = (start, start)
    seen: dict[tuple[Pair, bool], tuple[tuple[Pair, bool], str] | None] = {(first, False): None}
    waiting = deque([(first, False)])
    while waiting and len(seen) < LARGEST:
        at = waiting.popleft()
        for pair, sign, twofold in _steps(found, at[0]):
            after = (pair, at[1] or twofold)
            if after == (first, True):
                return _told(seen, at) + sign
            if after not in seen:
                seen[after] = (at, sign)
                waiting.append(after)
    return ""


def _steps(found: Positions, pair: Pair) -> Iterator[tuple[Pair, str, bool]]:
    """What two readers who stand there may read next: where each is then, a sign for both, whether they have parted."""
    for one, ways in found.follow[pair[0]].items():
        for other in found.follow[pair[1]]:
            if common := found.signs[one] & found.signs[other]:
                yield (one, other), min(common), one != other or (pair[0] == pair[1] and ways > 1)


def _told(seen: dict[tuple[Pair, bool], tuple[tuple[Pair, bool], str] | None], at: tuple[Pair, bool]) -> str:
    signs: list[str] = []
    step = seen[at]
    while step is not None:
        signs.append(step[1])
        step = seen[step[0]]
    return "".join(reversed(signs))

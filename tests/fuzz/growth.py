"""Whether a reader's time grows no faster than its input.

Processor time of the thread is counted, the least of several runs, and the larger input is eight times the smaller
one: who reads in linear time needs eight times as long, and who goes back over what was read, sixty-four times. A
machine that is busy makes single runs slower, never all of them faster, so that it gives no false alarm.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.fuzz.target import Shape, Target

FACTOR = 8
TOO_STEEP = 3 * FACTOR
QUICK = 0.03
"""Seconds for which nobody is blamed: less is told apart from nothing too badly."""
TRIES = 4


def shapes(target: Target) -> Iterator[Shape]:
    """What grows: the target's own shapes, and each of its words."""
    yield from target.shapes
    begin, end = target.frame
    for word in target.words:
        yield begin, word, end


def grown(shape: Shape, size: int) -> tuple[bytes, bytes]:
    """An input of about that many octets, and one with so many times fewer of the piece that is repeated."""
    begin, piece, end = shape
    times = max(1, (size - len(begin) - len(end)) // max(1, len(piece)))
    return begin + piece * times + end, begin + piece * max(1, times // FACTOR) + end


def steep(target: Target, shape: Shape, size: int) -> str:
    """What to say where the time for an input grows too fast with its size; empty where it does not."""
    large, small = grown(shape, size)
    slow = _seconds(target, large)
    if slow < QUICK:
        return ""
    quick = slow
    for _ in range(TRIES):
        quick = min(quick, *(_seconds(target, small) for _ in range(3)))
        if slow < max(QUICK, TOO_STEEP * quick):
            return ""
        slow = min(slow, _seconds(target, large))
    return (
        f"{target.name}: {shape[0][:60]!r} + {shape[1][:60]!r} * n + {shape[2][:60]!r} takes {quick:.4f} s for "
        f"{len(small)} octets and {slow:.4f} s for {len(large)}"
    )


def _seconds(target: Target, data: bytes) -> float:
    began = time.thread_time()
    target.survives(data)
    return time.thread_time() - began

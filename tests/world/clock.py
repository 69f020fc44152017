"""A loop for servers and clients of one process, whose clock stands still while any of them has something to do.

On a busy machine a process now and then gets no processor for longer than its clients wait for an answer, and when it
goes on, both the answer and the wait are due. Here the answer comes first, always: what a test says of waits does not
hang on what else the machine does. Nor does a test take as long as its waits are.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

T = TypeVar("T")
HASTE = 5
"""Times as fast as any other clock, where there is nothing to do but wait; the kernel's own waits are no shorter."""


class _Selector(selectors.DefaultSelector):
    """Tells how long was waited for nothing."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if found or (timeout is not None and timeout <= 0):
            return found
        if timeout is None:
            return super().select(None)
        began = time.perf_counter()
        found = super().select(timeout / HASTE)
        waited = (time.perf_counter() - began) * HASTE
        self.now += min(waited, timeout * 0.99) if found else timeout
        return found


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._clock = _Selector()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run in such a loop; by its clock, which is ``time.monotonic`` meanwhile, nothing here takes half a minute.

    What runs in other threads or processes has another clock, and so has what a processor's time is shared out by.
    """
    with pytest.MonkeyPatch.context() as patch, asyncio.Runner(loop_factory=_Loop) as runner:
        patch.setattr(time, "monotonic", runner.get_loop().time)
        return runner.run(asyncio.wait_for(work, 30))


def run_by_the_clock(work: Coroutine[Any, Any, T]) -> T:
    """Run in a loop with the clock that all else has, for at most half a minute."""
    return asyncio.run(asyncio.wait_for(work, 30))

"""Takes turns: whoever talks to the world without end does not keep it from others, nor from the grader's questions."""

from __future__ import annotations

import asyncio
import time
from typing import Any

SLICE_SECONDS = 0.01
"""Of one round of the event loop, after which each connection gets one more line, and the next round begins."""


class Turns:
    """The turns of all connections of a world, which share one thread.

    asyncio hands a reader what is buffered without a pause: a thousand lines in one write would all be answered before
    anything else is heard, and that of each connection.
    """

    def __init__(self) -> None:
        self._began: float | None = None
        self._heavy = asyncio.Lock()

    async def take(self) -> None:
        """Go on at once while this round is young, else in the next one."""
        now = time.monotonic()
        if self._began is None:
            self._began = now
            asyncio.get_running_loop().call_soon(self._next_round)
        elif now - self._began > SLICE_SECONDS:
            await asyncio.sleep(0)

    async def take_alone(self) -> None:
        """As ``take``, for work that takes a round's time by itself: one after the other, in the order of asking."""
        async with self._heavy:
            await self.take()

    def _next_round(self) -> None:
        self._began = None


class TurnTaker(asyncio.StreamReader):
    """A reader that waits for its turn before each line. Made in a running loop."""

    def __init__(self, turns: Turns, limit: int) -> None:
        super().__init__(limit=limit, loop=asyncio.get_running_loop())
        self._turns = turns

    async def readuntil(self, separator: Any = b"\n") -> bytes:
        """See ``asyncio.StreamReader``."""
        await self._turns.take()
        return await super().readuntil(separator)

    async def read(self, n: int = -1) -> bytes:
        """See ``asyncio.StreamReader``."""
        await self._turns.take()
        return await super().read(n)

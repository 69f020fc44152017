"""A connection waits as long as each reply may take, whatever it waited for before."""

from __future__ import annotations

import asyncio
import time

import pytest

from grader.world.wire import PATIENCE_SECONDS, HungUp, connect
from tests.world.bed import CLIENT, SERVER, Bed, clock
from tests.world.clock import run


async def greets_and_is_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 hi\r\n")
    await reader.read()


@pytest.mark.parametrize("before", [0.0, PATIENCE_SECONDS * 0.8, PATIENCE_SECONDS * 1.2])
@pytest.mark.parametrize("seconds", [0.05, PATIENCE_SECONDS * 2])
def test_a_wait_is_as_long_as_it_may_be_and_slow_by_its_own_time(before: float, seconds: float) -> None:
    async def work() -> None:
        delays: list[float] = []
        async with Bed() as bed:
            port = await bed.script(greets_and_is_silent)
            wire = await connect(CLIENT, SERVER, port, 5, clock, lambda: delays.append(time.monotonic()))
            await wire.reply(5)
            await asyncio.sleep(before)
            began = time.monotonic()
            with pytest.raises(HungUp) as hung:
                await wire.reply(seconds)
            took = time.monotonic() - began
            wire.close()
        assert hung.value.end == "timeout"
        assert seconds - 0.01 <= took < seconds + 0.5
        assert len(delays) == (seconds > PATIENCE_SECONDS)
        assert all(at - began >= PATIENCE_SECONDS - 0.01 for at in delays)

    run(work())

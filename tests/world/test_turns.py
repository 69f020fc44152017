"""Whoever talks to the world without end keeps it neither from others nor from the grader's questions."""

from __future__ import annotations

import asyncio
import time
from hashlib import sha256

import pytest

from grader.world import peersession, texts, turns
from grader.world.dns.nameserver import Nameserver
from grader.world.dns.zones import Zones
from grader.world.turns import Turns
from tests.world.bed import OWN, SERVER, Bed, attempt
from tests.world.clock import run_by_the_clock as run
from tests.world.dns.test_asking import free_port

CONNECTIONS = 50
SECONDS = 0.5
LONGEST_ROUND = 0.4
"""Seconds of the processor; without turns it takes many times as long."""


async def longest_round(seconds: float) -> float:
    """The most that one round of the event loop took of the processor, of rounds that took so many seconds of it."""
    longest, end = 0.0, time.thread_time() + seconds
    while (now := time.thread_time()) < end:
        await asyncio.sleep(0)
        longest = max(longest, time.thread_time() - now)
    return longest


async def flood(address: str, port: int, data: bytes) -> None:
    """Say all of it at once, and hear whatever is answered."""
    reader, writer = await asyncio.open_connection(address, port)
    try:
        writer.write(data)
        while await reader.read(1 << 20):
            pass
    finally:
        writer.transport.abort()


async def flooded(port: int, data: bytes, address: str = SERVER) -> float:
    """The longest round while all connections are flooded."""
    floods = [asyncio.create_task(flood(address, port, data)) for _ in range(CONNECTIONS)]
    longest = await longest_round(SECONDS)
    for task in floods:
        task.cancel()
    await asyncio.gather(*floods, return_exceptions=True)
    return longest


@pytest.mark.parametrize("line", [b"\r\n", b"EHLO x\r\n"])
def test_a_thousand_commands_in_one_write_wait_for_their_turn(line: bytes) -> None:
    async def work() -> None:
        async with Bed() as bed:
            port = await bed.peer()
            assert await flooded(port, line * 50_000) < LONGEST_ROUND
            while bed.peers.connections:
                await asyncio.sleep(0.01)

    run(work())


def test_questions_over_tcp_wait_for_their_turn() -> None:
    async def work() -> None:
        nameserver, port = Nameserver(Zones([]), lambda: 0.0), free_port()
        before = asyncio.all_tasks()
        await nameserver.start(OWN, port)
        question = b"\0\x1d" + bytes.fromhex("beef01000001000000000000") + b"\7example\3com\0\0\xff\0\1"
        assert await flooded(port, question * 20_000, OWN) < LONGEST_ROUND
        nameserver.stop()
        while asyncio.all_tasks() - before:
            await asyncio.sleep(0.01)

    run(work())


def test_work_that_fills_a_round_is_done_once_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "SLICE_SECONDS", 0.0)
    done: list[int] = []

    async def work() -> None:
        shared = Turns()

        async def one(number: int) -> None:
            await shared.take_alone()
            done.append(number)
            time.sleep(0.001)

        tasks = [asyncio.create_task(one(number)) for number in range(10)]
        for most in range(1, 30):
            await asyncio.sleep(0)
            assert len(done) <= most
        await asyncio.gather(*tasks)

    run(work())
    assert done == list(range(10))


def test_texts_that_never_end_fill_no_memory_and_hide_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "IN_HAND_OCTETS", 1_000_000)
    text = b"x" * 60_000 + b"\r\n"

    async def work() -> None:
        async with Bed() as bed:
            port = await bed.peer()
            held = [await asyncio.open_connection(SERVER, port) for _ in range(20)]
            for _, writer in held:
                writer.write(b"EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n" + text * 16)
                await writer.drain()
            while bed.peers.in_hand < 900_000:
                await asyncio.sleep(0.01)
            probe = attempt(1, port=port, message=b"Subject: x\r\n\r\n" + text * 10)
            bed.peers.mail.expect([probe])
            await bed.probe(probe)
            assert bed.peers.in_hand <= texts.IN_HAND_OCTETS
            (arrival,) = bed.peers.mail.arrivals
            assert arrival.attempts == [probe.id]
            assert 0 < len(arrival.raw) < arrival.octets
            assert len(arrival.digest) == len(sha256().hexdigest())
            for _, writer in held:
                writer.close()
            while bed.peers.in_hand:
                await asyncio.sleep(0.01)

    run(work())


def test_recipients_without_end_are_put_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peersession, "MOST_RECIPIENT_OCTETS", 1_000)

    async def work() -> None:
        async with Bed() as bed:
            port = await bed.peer()
            reader, writer = await asyncio.open_connection(SERVER, port)
            writer.write(b"EHLO x\r\nMAIL FROM:<a@b>\r\n" + b"RCPT TO:<%s@d.example>\r\n" % (b"c" * 300) * 9)
            writer.write(b"QUIT\r\n")
            said = (await reader.read()).decode()
            assert said.count("452 4.5.3") == 5
            writer.close()

    run(work())

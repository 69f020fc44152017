"""Servers that leave things unanswered: each costs its full wait a few times, however much there is to try."""

from __future__ import annotations

import asyncio
import time

import pytest
from msgspec.structs import replace

from grader.model.traffic import Outcome
from grader.world.listener import LEFT_UNANSWERED, NEVER_ANSWERED, Listener
from grader.world.timeouts import Timeouts
from tests.world.bed import Bed, Handler, attempt
from tests.world.clock import run

PATIENCE = Timeouts(greeting=0.6, command=0.8, text=0.8, goodbye=0.8, unanswered=0.05)


def mute(verb: bytes) -> Handler:
    """A server that answers everything but one command."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hi\r\n")
        text = False
        while line := await reader.readline():
            if line.startswith(verb) and not text:
                continue
            if text and line != b".\r\n":
                continue
            text = line == b"DATA\r\n"
            writer.write(b"354 go on\r\n" if text else b"250 ok\r\n")

    return handler


async def took(bed: Bed, handler: Handler, clients: int) -> tuple[float, list[Outcome]]:
    """How long it takes to try a server from so many addresses, and what came of it."""
    port = await bed.script(handler)
    began = time.monotonic()
    _, outcomes = await bed.probe(
        *(attempt(n, port=port, address=f"127.0.2.{n}") for n in range(1, clients + 1))
    )
    return time.monotonic() - began, outcomes


@pytest.mark.parametrize(
    ("verb", "stage"), [(b"EHLO", "preface"), (b"MAIL", "mail"), (b"RCPT", "rcpt"), (b"DATA", "data")]
)
def test_what_a_server_never_answers_is_waited_for_a_few_times_only(verb: bytes, stage: str) -> None:
    async def work() -> tuple[float, list[Outcome]]:
        async with Bed(patience=PATIENCE) as bed:
            return await took(bed, mute(verb), 40)

    seconds, outcomes = run(work())
    assert {outcome.stage for outcome in outcomes} == {stage}
    assert len(outcomes) == 40
    # Two at a time, and one more each quarter of a second: forty full waits would take nine.
    assert seconds < 4


def test_a_short_wait_for_a_greeting_makes_nobody_impatient() -> None:
    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.45)
        writer.write(b"220 hi\r\n")
        while line := await reader.readline():
            writer.write(b"554 no\r\n" if line.startswith(b"RCPT") else b"250 ok\r\n")

    async def work() -> list[str]:
        async with Bed(patience=PATIENCE) as bed:
            one = attempt(port=await bed.script(late))
            _, brief = await bed.prober.probe([one], 20, 0.1)
            _, usual = await bed.prober.probe([one], 20)
            return [outcome.stage for outcome in (*brief, *usual)]

    assert run(work()) == ["greeting", "rcpt"]


def test_who_turns_everybody_away_after_a_wait_is_not_waited_for_by_all() -> None:
    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.4)
        writer.write(b"421 4.3.0 no PROXY header came\r\n")

    async def work() -> tuple[float, list[Outcome], int]:
        async with Bed(patience=replace(PATIENCE, penalty=0.2)) as bed:
            port = await bed.script(late)
            began = time.monotonic()
            _, outcomes = await bed.probe(*(attempt(n, port=port) for n in range(1, 60)))
            return time.monotonic() - began, outcomes, bed.connections

    seconds, outcomes, connections = run(work())
    assert {outcome.stage for outcome in outcomes} == {"greeting"}
    assert len(outcomes) == 59
    assert connections <= 3
    assert seconds < 3


def test_who_was_out_of_breath_gets_a_second_try_with_more_patience() -> None:
    """A starved server answers late and lets many wait in vain: what was learnt of it then does not count later."""
    breath = [1.2]

    async def starved(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hi\r\n")
        while line := await reader.readline():
            if line.startswith(b"RCPT"):
                await asyncio.sleep(breath[0])
            writer.write(b"554 no\r\n" if line.startswith(b"RCPT") else b"250 ok\r\n")

    async def work() -> list[tuple[str, int]]:
        async with Bed(patience=replace(PATIENCE, second_try=10.0)) as bed:
            port = await bed.script(starved)
            many = [attempt(n, port=port, address=f"127.0.2.{n}") for n in range(1, 6)]
            await bed.prober.probe(many, 20)
            breath[0] = 0.9
            _, again = await bed.prober.probe(many[:1], 20)
            bed.prober.begin_afresh()
            _, afresh = await bed.prober.probe(many[:1], 20)
            return [(outcome.stage, outcome.replies[-1].code) for outcome in (*again, *afresh)]

    assert run(work()) == [("rcpt", 250), ("rcpt", 554)]


def test_a_second_try_is_made_by_itself() -> None:
    """Postfix keeps the replies to commands that came together until it has all of them: patience is for one answer."""

    async def work() -> list[int]:
        async with Bed() as bed:
            port = await bed.smtp()
            many = [attempt(n, port=port) for n in range(1, 5)]
            first, _ = await bed.probe(*many)
            bed.prober.begin_afresh()
            second, _ = await bed.probe(*many)
            return [len(first), len(second)]

    assert run(work()) == [1, 4]


def test_one_answer_is_enough_to_be_waited_for_again() -> None:
    listener = Listener("203.0.113.10", 25)
    for _ in range(NEVER_ANSWERED):
        assert not listener.hopeless("MAIL")
        listener.note_silence("MAIL")
    assert listener.hopeless("MAIL")
    assert not listener.hopeless("RCPT")
    listener.note_answer("MAIL")
    for _ in range(LEFT_UNANSWERED):
        assert not listener.hopeless("MAIL")
        listener.note_silence("MAIL")
    assert listener.hopeless("MAIL")


def test_a_server_that_answers_at_last_is_heard_to_the_end() -> None:
    """Slow, and never too slow: what one client had to wait for in vain is no word about the next."""
    waits = iter([9.0, 0.2, 0.2, 9.0, 9.0, 0.2, 0.2])

    async def moody(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hi\r\n")
        while line := await reader.readline():
            if line.startswith(b"MAIL"):
                await asyncio.sleep(next(waits))
            writer.write(b"554 no\r\n" if line.startswith(b"RCPT") else b"250 ok\r\n")

    async def work() -> list[str]:
        async with Bed(patience=replace(PATIENCE, command=0.5, goodbye=0.1)) as bed:
            port = await bed.script(moody)
            stages: list[str] = []
            for number in range(1, 8):
                _, (outcome,) = await bed.probe(attempt(number, port=port, address=f"127.0.2.{number}"))
                stages.append(outcome.stage)
            return stages

    assert run(work()) == ["mail", "rcpt", "rcpt", "mail", "mail", "rcpt", "rcpt"]


def test_where_it_is_known_why_nothing_comes_one_wait_is_enough() -> None:
    listener = Listener("203.0.113.10", 25, doomed=True)
    assert not listener.hopeless("MAIL")
    listener.note_silence("MAIL")
    assert listener.hopeless("MAIL")
    assert not listener.hopeless("RCPT")
    listener.note_answer("MAIL")
    assert not listener.hopeless("MAIL")

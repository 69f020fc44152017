"""Servers that say more than anybody can hear, keep or send on: the record of a run has an end."""

from __future__ import annotations

import asyncio

import pytest

from grader.world import transcript
from tests.world.bed import attempt, spoken
from tests.world.test_faults import against


async def chatters(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 hi\r\n")
    while line := await reader.readline():
        code = b"221" if line.startswith(b"QUIT") else b"550" if line.startswith(b"RCPT") else b"250"
        writer.write((code + b"-" + b"x" * 70 + b"\r\n") * 900 + code + b" 2.0.0 Said\r\n")


def test_what_a_server_says_is_cut_where_the_record_would_grow_beyond_sending(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transcript, "MOST_OF_ALL", 1_000_000)
    tries = [attempt(number, helo=f"h{number}.example", tls="none", before=["NOOP"]) for number in range(20)]
    sessions, outcomes, _ = against(chatters, *tries)
    assert {outcome.stage for outcome in outcomes} == {"rcpt"}
    assert {outcome.replies[-1].code for outcome in outcomes} == {550}
    assert all(outcome.replies[-1].text.endswith("550 2.0.0 Said") for outcome in outcomes)
    kept = [sum(len(line.text) for line in session.lines) for session in sessions]
    assert max(kept) <= transcript.MOST_OF_A_SESSION
    assert sum(kept) < 1_200_000
    assert "more than is put on record" in spoken(sessions[-1])


def test_a_long_greeting_that_refuses_is_not_whole_in_each_outcome() -> None:
    async def refuses(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"554 " + b"x" * 60_000 + b" no\r\n")
        await reader.read()

    sessions, outcomes, _ = against(refuses, *(attempt(number, tls="none") for number in range(9)))
    assert all(o.replies[-1].text.startswith("554 x") for o in outcomes)
    assert all(o.replies[-1].text.endswith("x no") for o in outcomes)
    assert sum(len(o.replies[-1].text) for o in outcomes) < 9 * 17_000
    assert len(max(sessions[0].lines, key=lambda line: len(line.text)).text) > 60_000


@pytest.mark.parametrize(("verb", "remark"), [("EHLO", "nobody asked for"), ("QUIT", "talked on after QUIT")])
def test_hundreds_of_replies_that_nobody_asked_for_are_counted(verb: str, remark: str) -> None:
    async def gushes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hi\r\n")
        while line := await reader.readline():
            writer.write(b"250 Ok\r\n" * (900 if line.startswith(verb.encode()) else 1))

    sessions, _, _ = against(gushes)
    assert all(len(session.lines) < 100 for session in sessions)
    assert remark in spoken(sessions[-1])


def test_who_talks_at_everybody_without_end_is_not_heard_out_by_each() -> None:
    async def babbles(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hi\r\n")
        await reader.readline()
        while True:
            writer.write(b"250-" + b"bla " * 1000 + b"\r\n")
            await writer.drain()

    _, outcomes, connections = against(babbles, *(attempt(number) for number in range(60)))
    assert len(outcomes) == 60
    assert {outcome.stage for outcome in outcomes} == {"preface"}
    assert connections < 10

"""Dialogues that a lab writes out, in place of the usual one."""

from __future__ import annotations

import asyncio

from grader.model.attempt import Attempt
from grader.model.traffic import Outcome, Session
from tests.world.bed import Bed, attempt
from tests.world.clock import run

SENDER = "MAIL FROM:<someone@third.example>"
HERE = "RCPT TO:<alice@example.com>"
OUTSIDE = "RCPT TO:<rosa.k1v@elsewhere.example>"


def said(*script: list[str]) -> tuple[list[str], Outcome]:
    """What the client said in a session with a server that relays for nobody, and what came of it."""

    async def work() -> tuple[list[Session], list[Outcome]]:
        async with Bed() as bed:
            return await bed.probe(attempt(1, port=await bed.smtp(), helo="", script=[*script]))

    (session,), (outcome,) = run(work())
    return [line.text for line in session.lines if line.who == "C"], outcome


def test_a_script_is_all_that_is_said() -> None:
    lines, outcome = said(["HELO client.example"], [SENDER], ["NOOP"], [OUTSIDE], ["DATA"])
    assert lines == ["HELO client.example", SENDER, "NOOP", OUTSIDE, "DATA", "QUIT"]
    assert outcome.stage == "rcpt"
    assert [reply.code for reply in outcome.replies][:4] == [250, 250, 250, 554]


def test_it_got_through_if_its_last_text_was_taken() -> None:
    assert said(["EHLO client.example"], [SENDER], [HERE], ["data"])[1].stage == "accepted"
    letter = [SENDER, HERE, "DATA"]
    lines, outcome = said(["EHLO client.example"], letter, letter, [SENDER], [OUTSIDE], ["DATA"])
    assert lines.count(HERE) == 2
    assert outcome.stage == "rcpt"


def test_what_was_refused_is_not_said_again() -> None:
    lines, _ = said(["EHLO client.example"], [SENDER], *[[OUTSIDE]] * 40)
    assert lines.count(OUTSIDE) == 1


def test_a_chunk_is_sent_to_a_server_that_takes_chunks() -> None:
    assert "BDAT" not in " ".join(said(["EHLO client.example"], [SENDER], [HERE], ["BDAT"])[0])

    async def chunks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.com\r\n")
        while line := await reader.readline():
            if line.startswith(b"BDAT"):
                taken.append(await reader.readexactly(int(line.split()[1])))
            writer.write(b"250-mail\r\n250 CHUNKING\r\n" if line.startswith(b"EHLO") else b"250 Ok\r\n")

    async def work() -> tuple[Attempt, Outcome]:
        async with Bed() as bed:
            script = [["EHLO client.example"], [SENDER], [OUTSIDE], ["BDAT"]]
            one = attempt(1, port=await bed.script(chunks), helo="", script=script)
            return one, (await bed.probe(one))[1][0]

    taken: list[bytes] = []
    one, outcome = run(work())
    assert outcome.stage == "accepted"
    assert taken == [one.message]


def test_parameters_stand_behind_each_recipient() -> None:
    async def work() -> list[str]:
        async with Bed() as bed:
            one = attempt(1, port=await bed.smtp(), rcpt_parameters="NOTIFY=NEVER")
            sessions, _ = await bed.probe(one)
            return [line.text for line in sessions[0].lines]

    assert f"{OUTSIDE} NOTIFY=NEVER" in run(work())

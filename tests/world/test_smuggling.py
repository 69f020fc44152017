"""A text with a false end in it, and servers that take it for one."""

from __future__ import annotations

import asyncio

from grader.model.traffic import Session
from tests.world.bed import Bed, attempt, spoken
from tests.world.clock import run

HIDDEN = b"\n.\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nSubject: two\r\n\r\n.x\r\n"


def smuggled(*, deceived: bool, synchronized: bool) -> tuple[Session, list[bytes]]:
    """The session with a server, and the texts that it took.

    A server that is ``deceived`` ends a text at a dot between bare line feeds. One that is ``synchronized`` hangs up
    where more lies behind DATA than that.
    """
    texts: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hi\r\n")
        held = b""
        while line := (held + await reader.readline() if b"\n" not in held else held):
            line, _, held = line.partition(b"\n")
            if not line.startswith(b"DATA"):
                writer.write(b"221 bye\r\n" if line.startswith(b"QUIT") else b"250 ok\r\n")
                continue
            if held and synchronized:
                writer.write(b"554 5.5.0 Error: SMTP protocol synchronization\r\n")
                writer.close()
                return
            writer.write(b"354 go\r\n")
            end = b"\n.\r\n" if deceived else b"\r\n.\r\n"
            while end not in held:
                held += await reader.read(4096)
            text, _, held = held.partition(end)
            texts.append(text)
            writer.write(b"250 taken\r\n")

    async def work() -> Session:
        async with Bed() as bed:
            one = attempt(
                port=await bed.script(serve), smuggled=HIDDEN, message=b"Subject: one\r\n\r\none\r\n"
            )
            (session,), (outcome,) = await bed.probe(one)
            assert outcome.stage == "accepted"
            return session

    return run(work()), texts


def test_a_text_that_stays_one_is_sent_once() -> None:
    session, texts = smuggled(deceived=False, synchronized=True)
    assert len(texts) == 1
    assert [line.text for line in session.lines if line.who == "S"][-2:] == ["250 taken", "221 bye"]


def test_what_is_taken_at_once_is_not_said_again() -> None:
    _, texts = smuggled(deceived=True, synchronized=False)
    assert texts == [b"Subject: one\r\n\r\none\r\n", b"Subject: two\r\n\r\n.x\r"]


def test_a_server_that_waits_for_its_turn_is_given_the_same_in_pieces() -> None:
    session, texts = smuggled(deceived=True, synchronized=True)
    assert texts == [b"Subject: one\r\n\r\none\r\n"] * 2 + [b"Subject: two\r\n\r\n.x\r"]
    assert "S: 554 5.5.0 Error: SMTP protocol synchronization" in spoken(session)

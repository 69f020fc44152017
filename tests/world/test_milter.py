"""A message handed to a milter itself: what is said to it, and what comes of each answer."""

from __future__ import annotations

import asyncio
import struct

import pytest
from msgspec.structs import replace

from grader.model.traffic import Arrival, Outcome, Session
from grader.world.milter import packet, steps, with_fields
from tests.world.bed import Bed, Handler, attempt
from tests.world.clock import run

MESSAGE = b"From: <bob@example.com>\r\nSubject: hi\r\n there\r\n\r\ntext\r\n"
MADE = replace(attempt(), milter=True, message=MESSAGE, recipients=["rosa.k1v1000@y.example"])


def test_what_a_milter_is_told() -> None:
    said = b"".join(steps(MADE))
    kinds = []
    while said:
        (length,) = struct.unpack(">I", said[:4])
        kinds.append(said[4:5])
        said = said[4 + length :]
    assert b"".join(kinds) == b"OCHDMRLLNBE"


def test_fields_come_before_all_others() -> None:
    made = with_fields(MESSAGE, [(b"DKIM-Signature", b" v=1;\n\tb=x")])
    assert made == b"DKIM-Signature: v=1;\r\n\tb=x\r\n" + MESSAGE


def milter(*last: bytes) -> Handler:
    """Goes on with all that is said, and says this at the end of the message."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (kind := await _heard(reader)) != b"E":
            if kind == b"O":
                writer.write(packet(b"O", struct.pack(">III", 6, 1, 0)))
            elif kind != b"D":
                writer.write(packet(b"c"))
        writer.write(b"".join(last))
        await reader.read()

    return handler


async def _heard(reader: asyncio.StreamReader) -> bytes:
    (length,) = struct.unpack(">I", await reader.readexactly(4))
    return (await reader.readexactly(length))[:1]


async def greeting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example.com ESMTP\r\n")
    await reader.read()


SIGNS = packet(b"i", struct.pack(">I", 1) + b"DKIM-Signature\0v=1; d=example.com\0")


@pytest.mark.parametrize(
    ("handler", "stage", "arrived"),
    [
        (milter(SIGNS, packet(b"c")), "accepted", [b"DKIM-Signature: v=1; d=example.com\r\n" + MESSAGE]),
        (milter(packet(b"h", b"X-Seen\0yes\0"), packet(b"a")), "accepted", [b"X-Seen: yes\r\n" + MESSAGE]),
        (milter(packet(b"a")), "data", []),
        (milter(SIGNS, packet(b"r")), "data", []),
        (milter(b"\xff\xff\xff\xff"), "data", []),
        (greeting, "data", []),
    ],
)
def test_what_is_signed_is_sent_on(handler: Handler, stage: str, arrived: list[bytes]) -> None:
    async def work() -> tuple[tuple[list[Session], list[Outcome]], list[Arrival]]:
        async with Bed() as bed:
            port = await bed.script(handler)
            bed.peers.mail.expect([MADE])
            return await bed.probe(replace(MADE, port=port)), bed.peers.mail.arrivals

    (_, (outcome,)), arrivals = run(work())
    assert outcome.stage == stage
    assert [arrival.raw for arrival in arrivals] == arrived


def test_nobody_there() -> None:
    async def work() -> tuple[list[Session], list[Outcome]]:
        async with Bed() as bed:
            port = await bed.script(greeting)
            bed.close()
            return await bed.probe(replace(MADE, port=port))

    (session,), (outcome,) = run(work())
    assert (session.end, outcome.stage) == ("refused", "connect")

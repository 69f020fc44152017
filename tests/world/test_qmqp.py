"""A message handed over by QMQP: the octets, and what becomes of each answer."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from grader.model.traffic import Outcome, Session
from grader.world.qmqp import netstring, package
from tests.world.bed import Bed, Handler, attempt
from tests.world.clock import run


def test_netstrings() -> None:
    assert netstring(b"hello world!") == b"12:hello world!,"
    assert netstring(b"") == b"0:,"


def test_a_package_is_message_sender_and_recipients_in_one_netstring() -> None:
    made = replace(
        attempt(), sender="a@x.example", recipients=["b@y.example"], message=b"Subject: hi\r\n\r\ntext\r\n"
    )
    assert package(made) == netstring(b"18:Subject: hi\n\ntext\n,11:a@x.example,11:b@y.example,")


def answering(answer: bytes) -> Handler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        size = int((await reader.readuntil(b":"))[:-1])
        assert (await reader.readexactly(size + 1)).endswith(b",")
        writer.write(answer)

    return handler


@pytest.mark.parametrize(
    ("answer", "stage", "code"),
    [
        (b"11:Kok queued.,", "accepted", 250),
        (b"10:Dno access,", "data", 554),
        (b"5:Zbusy,", "data", 451),
        (b"220 mail.example.com ESMTP\r\n", "data", 500),
    ],
)
def test_an_answer_is_an_outcome(answer: bytes, stage: str, code: int) -> None:
    async def work() -> tuple[list[Session], list[Outcome]]:
        async with Bed() as bed:
            port = await bed.script(answering(answer))
            return await bed.probe(replace(attempt(port=port), qmqp=True))

    (session,), (outcome,) = run(work())
    assert (outcome.stage, outcome.replies[-1].code) == (stage, code)
    assert session.lines[-1].who == "S"


def test_nobody_there() -> None:
    async def work() -> tuple[list[Session], list[Outcome]]:
        async with Bed() as bed:
            port = await bed.script(answering(b""))
            bed.close()
            return await bed.probe(replace(attempt(port=port), qmqp=True))

    (session,), (outcome,) = run(work())
    assert (session.end, outcome.stage) == ("refused", "connect")

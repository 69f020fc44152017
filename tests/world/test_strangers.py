"""Servers and clients that say anything at all: every attempt has its outcome, and all of it fits a document."""

from __future__ import annotations

import asyncio
from random import Random

import msgspec
import pytest
from msgspec.structs import replace

from grader.display.jsontext import encoded
from grader.model.attempt import Attempt, Login
from grader.world.timeouts import Timeouts
from tests.world.bed import PASSWORD, SERVER, Bed, Handler, attempt
from tests.world.clock import run

IMPATIENT = Timeouts(
    connect=2,
    greeting=0.3,
    begun_greeting=0.3,
    command=0.2,
    text=0.2,
    goodbye=0.1,
    second_reply=0.1,
    penalty=0.1,
)
WORDS = (
    b"220 hi\r\n", b"250 hi\r\n", b"250-a\r\n", b"250-STARTTLS\r\n", b"250 AUTH PLAIN\r\n", b"354 go\r\n",
    b"334 \r\n", b"235 ok\r\n", b"334 \xc3\xbc\r\n", b"334 AAAA\r\n", b"421 bye\r\n", b"550 5.7.1 no\r\n",
    b"450 4.3.0 later\r\n", b"221 bye\r\n", b"\r\n", b"\n", b"x", b"\xff\xfe\r\n", b"\x00", b"999 a\r\n",
    b"25\r\n", b"250\r\n", b"\x16\x03\x01\x02\x00", b"\x15\x03\x03\x00\x02\x02\x28", b"\x1b[2J\r\n",
    b"250 " + b"a" * 70_000 + b"\r\n", b"250-" * 500, b"220 hi\r\n250-a\r\n250 PIPELINING\r\n",
    b"K" * 40 + b",",
)  # fmt: skip
HELPFUL = (b"220 hi\r\n", b"250-STARTTLS\r\n250-PIPELINING\r\n250 AUTH PLAIN LOGIN\r\n")


def attempts() -> list[Attempt]:
    """One of each kind that there is."""
    return [
        attempt(1),
        attempt(2, tls="starttls"),
        attempt(3, tls="implicit"),
        *(
            attempt(number, login=Login("alice", PASSWORD, mechanism))
            for number, mechanism in ((4, "PLAIN"), (5, "LOGIN"), (6, "CRAM-MD5"))
        ),
        attempt(7, say=["VRFY alice", "EXPN staff"], recipients=[]),
        attempt(8, qmqp=True),
        attempt(9, before=["XCLIENT NAME=a"], preamble="PROXY TCP4 1.2.3.4 1.2.3.5 1 25"),
        attempt(10, milter=True),
    ]


def babbling(chance: Random) -> Handler:
    """A server that answers whatever comes into its head, in pieces of any size."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for turn in range(12):
            said = HELPFUL[turn] if turn < len(HELPFUL) and chance.random() < 0.7 else b""
            said += (
                b"".join(chance.choice(WORDS) for _ in range(chance.choice((0, 1, 1, 2))))
                if not said
                else b""
            )
            cut = chance.randint(0, len(said))
            for part in (said[:cut], said[cut:]):
                writer.write(part)
                await writer.drain()
            if not await asyncio.wait_for(reader.read(4_096), 1):
                return

    return handler


@pytest.mark.parametrize("seed", range(6))
def test_whatever_a_server_says_each_attempt_has_its_outcome(seed: int) -> None:
    async def work() -> None:
        async with Bed(patience=IMPATIENT) as bed:
            port = await bed.script(babbling(Random(seed)))
            tried = [replace(one, port=port) for one in attempts()]
            sessions, outcomes = await bed.probe(*tried, seconds=15)
            assert {outcome.attempt for outcome in outcomes} == {one.id for one in tried}
            for session in sessions:
                assert all(isinstance(line.text, str) for line in session.lines)
                assert not any(PASSWORD in line.text for line in session.lines)

    run(work())


CLIENTS = [
    [b"MAIL FROM:<\xff\xfe@x.example>", b"RCPT TO:<\xff@y.example>", b"DATA", b"\xff\r\n."],
    [b"MAIL FROM:<\xed\xa0\x80@x> SMTPUTF8", b"RCPT TO:<\xed\xa0\x80@y>", b"DATA", b"x\r\n."],
    ["MAIL FROM:<müller@x.example>".encode(), b"RCPT TO:<a@y.example>", b"DATA", b"x\r\n."],
]


@pytest.mark.parametrize("commands", CLIENTS)
def test_whatever_a_path_holds_it_fits_a_document(commands: list[bytes]) -> None:
    async def work() -> None:
        async with Bed() as bed:
            await bed.peers.start()
            reader, writer = await asyncio.open_connection(SERVER, bed.peers.ports[0])
            await reader.readline()
            for command in (b"EHLO a", *commands):
                writer.write(command + b"\r\n")
                while (line := await reader.readline())[3:4] == b"-":
                    pass
                assert line[:1] in (b"2", b"3"), line
            writer.close()
            (arrival,) = bed.peers.mail.arrivals
            assert msgspec.json.decode(msgspec.json.encode(arrival))["sender"] == arrival.sender
            assert arrival.sender.isprintable()

    run(work())


def test_half_a_character_ends_no_answer() -> None:
    assert encoded({"ok": True, "value": ["\udcff", {"\ud800": "a"}]}) == (
        b'{"ok":true,"value":["\\\\xff",{"\\\\ud800":"a"}]}'
    )

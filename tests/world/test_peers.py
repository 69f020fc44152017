"""Peers take everything from everybody, and survive it."""

from __future__ import annotations

import asyncio
import socket
from hashlib import sha256

import pytest

from grader.model.plan import Peer
from grader.world import peers, peersession, texts
from tests.world.bed import SERVER, Bed, attempt
from tests.world.clock import run


async def talk(port: int, *commands: bytes) -> list[bytes]:
    """Say each command, and give the reply to each."""
    reader, writer = await asyncio.open_connection(SERVER, port)
    replies = [await reader.readline()]
    for command in commands:
        writer.write(command)
        line = await reader.readline()
        while line[3:4] == b"-":
            line = await reader.readline()
        replies.append(line)
    writer.close()
    return replies


HELLO = (b"EHLO x\r\n", b"MAIL FROM:<a@b>\r\n")


def test_internationalized_and_long_paths_are_taken() -> None:
    path = "jürgen." + "x" * 900 + "@bücher.example"

    async def work() -> None:
        async with Bed() as bed:
            port = await bed.peer()
            await bed.probe(attempt(port=port, parameters="SMTPUTF8", recipients=[path]))
            (arrival,) = bed.peers.mail.arrivals
            assert arrival.recipients == [path]

    run(work())


def test_not_every_server_offers_smtputf8() -> None:
    async def work(offers: bool) -> bytes:
        mail = peers.Peers([Peer("mx.partner.example", [SERVER], 0, smtputf8=offers)], lambda: 0.0)
        await mail.start()
        reader, writer = await asyncio.open_connection(SERVER, mail.ports[0])
        writer.write(b"EHLO x\r\nQUIT\r\n")
        said = await reader.read()
        writer.close()
        mail.stop()
        return said

    assert b"250-SMTPUTF8\r\n" in run(work(True))
    without = run(work(False))
    assert b"SMTPUTF8" not in without
    assert b"250-8BITMIME\r\n250 HELP\r\n" in without


def test_tokens_are_found_wherever_they_stand_in_whatever_case() -> None:
    async def work() -> None:
        async with Bed() as bed:
            port = await bed.peer()
            tokens = {1: "rosa.k1v", 2: "max.p9", 3: "never.x"}
            bed.peers.mail.expect([attempt(n, id=f"relay/{n}", token=token) for n, token in tokens.items()])
            await bed.probe(
                attempt(port=port, recipients=["x+MAX.P9=y@elsewhere.example"], message=b"ROSA.k1V\r\n")
            )
            (arrival,) = bed.peers.mail.arrivals
            assert arrival.attempts == ["relay/1", "relay/2"]
            assert bed.peers.mail.tokens == {"rosa.k1v", "max.p9"}

    run(work())


def test_a_token_learnt_later_is_found_in_what_comes_later() -> None:
    async def work() -> None:
        async with Bed() as bed:
            port = await bed.peer()
            for number in (1, 2):
                one = attempt(number, id=f"relay/{number}", port=port)
                bed.peers.mail.expect([one])
                await bed.probe(one)
            assert [arrival.attempts for arrival in bed.peers.mail.arrivals] == [["relay/1"], ["relay/2"]]
            assert [arrival.id for arrival in bed.peers.mail.arrivals] == [0, 1]

    run(work())


def test_a_message_of_ten_megabytes_arrives_whole() -> None:
    data = (b"x" * 70 + b"\r\n") * 140_000

    async def work() -> None:
        async with Bed() as bed:
            wanted = attempt(port=await bed.peer(), message=data)
            bed.peers.mail.expect([wanted])
            _, (outcome,) = await bed.probe(wanted)
            assert outcome.stage == "accepted"
            assert bed.peers.mail.arrivals[0].raw == data

    run(work())


def test_a_message_that_is_too_big_is_turned_away_and_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "LARGEST_MESSAGE", 1000)

    async def work() -> None:
        async with Bed() as bed:
            port = await bed.peer()
            replies = await talk(
                port, *HELLO, b"RCPT TO:<c@d>\r\n", b"DATA\r\n", b"x" * 200_000 + b"\r\n.\r\n"
            )
            assert replies[-1].startswith(b"552")
            assert bed.peers.mail.arrivals == []

    run(work())


def test_overlong_lines_are_taken_in_text_and_refused_as_commands() -> None:
    line = b"y" * 300_000

    async def work() -> None:
        async with Bed() as bed:
            port = await bed.peer()
            replies = await talk(
                port,
                b"NOOP " + line + b"\r\n",
                *HELLO,
                b"RCPT TO:<c@d>\r\n",
                b"DATA\r\n",
                line + b"\r\n.\r\n",
            )
            assert replies[1].startswith(b"500")
            assert replies[-1].startswith(b"250")
            (arrival,) = bed.peers.mail.arrivals
            assert (arrival.octets, arrival.digest) == (len(line) + 2, sha256(line + b"\r\n").hexdigest())
            assert arrival.raw == line[: len(arrival.raw)]

    run(work())


def test_dots_and_bare_line_ends_are_kept_as_the_rfc_says() -> None:
    async def work() -> None:
        async with Bed() as bed:
            port = await bed.peer()
            await talk(port, *HELLO, b"RCPT TO:<c@d>\r\n", b"DATA\r\n", b"..a\r\n.b\r\nc\n.\nd\r\n\r\n.\r\n")
            await talk(port, *HELLO, b"RCPT TO:<c@d>\r\n", b"DATA\r\n", b".\r\n")
            assert [arrival.raw for arrival in bed.peers.mail.arrivals] == [
                b".a\r\nb\r\nc\n.\nd\r\n\r\n",
                b"",
            ]

    run(work())


def test_nobody_needs_to_be_patient_with_a_crowd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "MOST_CONNECTIONS", 5)

    async def work() -> None:
        async with Bed() as bed:
            port = await bed.peer()
            crowd = [await asyncio.open_connection(SERVER, port) for _ in range(20)]
            greetings = [await reader.readline() for reader, _ in crowd]
            assert [greeting[:3] for greeting in greetings] == [b"220"] * 5 + [b"421"] * 15
            for _, writer in crowd:
                writer.close()
            while bed.peers.connections:
                await asyncio.sleep(0.005)
            assert (await talk(port))[0].startswith(b"220")

    run(work())


def test_clients_that_vanish_midway_leave_nothing_behind() -> None:
    async def work() -> None:
        async with Bed() as bed:
            port = await bed.peer()
            for _ in range(5):
                reader, writer = await asyncio.open_connection(SERVER, port)
                writer.write(b"".join((*HELLO, b"RCPT TO:<c@d>\r\nDATA\r\nSubject: half")))
                await reader.readuntil(b"354")
                link = writer.get_extra_info("socket")
                link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                writer.close()
            while bed.peers.connections:
                await asyncio.sleep(0.005)
            assert bed.peers.mail.arrivals == []
            _, (outcome,) = await bed.probe(attempt(port=port))
            assert outcome.stage == "accepted"

    run(work())


@pytest.mark.parametrize(
    "command", [b"MAIL FROM:\r\n", b"MAIL FROM:<a\r\n", b"MAIL <a@b>\r\n", b"RCPT TO:<a@b>\r\n"]
)
def test_bad_commands_get_an_error_and_nothing_worse(command: bytes) -> None:
    async def work() -> None:
        async with Bed() as bed:
            port = await bed.peer()
            replies = await talk(port, b"EHLO x\r\n", command, b"NOOP\r\n")
            assert replies[2][:1] == b"5"
            assert replies[3].startswith(b"250")

    run(work())


def test_commands_in_one_write_are_answered_in_their_order() -> None:
    async def work() -> None:
        async with Bed() as bed:
            port = await bed.peer()
            reader, writer = await asyncio.open_connection(SERVER, port)
            writer.write(b"EHLO x\r\nDATA\r\nMAIL FROM:<a@b> SIZE=9\r\nRCPT TO:<c@d>\r\nMAILS\r\nDATA\r\n")
            writer.write(b"hello\r\n.\r\nRCPT TO:<c@d>\r\nQUIT\r\n")
            heard = (await reader.read()).decode().splitlines()
            assert "250-PIPELINING" in heard
            finals = [line[:3] for line in heard if line[3] == " "]
            assert finals == ["220", "250", "503", "250", "250", "500", "354", "250", "503", "221"]
            (arrival,) = bed.peers.mail.arrivals
            assert (arrival.sender, arrival.recipients, arrival.raw) == ("a@b", ["c@d"], b"hello\r\n")
            writer.close()

    run(work())


def test_a_client_that_says_nothing_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peersession, "IDLE_SECONDS", 0.05)

    async def work() -> None:
        async with Bed() as bed:
            reader, writer = await asyncio.open_connection(SERVER, await bed.peer())
            assert (await reader.readline()).startswith(b"220")
            assert not await reader.read()
            writer.close()

    run(work())


def test_replies_to_commands_in_one_packet_come_in_one() -> None:
    """RFC 2920 section 3.2: whoever sends them is woken once."""

    async def work() -> None:
        async with Bed() as bed:
            reader, writer = await asyncio.open_connection(SERVER, await bed.peer())
            await reader.readline()
            writer.write(b"EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n")
            replies = (await reader.read(4096)).splitlines()
            assert [reply[:4] for reply in replies][-4:] == [b"250 ", b"250 ", b"250 ", b"354 "]
            writer.write(b".\r\nQUIT\r\n")
            assert (await reader.read()).splitlines() == [b"250 2.0.0 taken", b"221 2.0.0 Bye"]
            writer.close()

    run(work())

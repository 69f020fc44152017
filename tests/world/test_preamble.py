"""What a client says before the server's greeting: a PROXY header, or to which server a web proxy is to lead."""

from __future__ import annotations

import asyncio

import pytest

from tests.world.bed import Bed, attempt
from tests.world.clock import run


def test_the_reply_to_a_preamble_is_not_taken_for_that_to_ehlo() -> None:
    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert (await reader.readline()).startswith(b"PROXY")
        writer.write(b"220 hi\r\n")
        assert (await reader.readline()).startswith(b"EHLO")
        writer.write(b"500 what is PROXY\r\n")
        await writer.drain()
        for reply in (b"250 hi", b"250 ok", b"554 no", b"221 bye"):
            writer.write(reply + b"\r\n")
            await reader.readline()

    async def work() -> None:
        async with Bed() as bed:
            one = attempt(port=await bed.script(late), preamble="PROXY TCP4 127.0.0.1 127.0.0.1 1 25")
            (session,), (outcome,) = await bed.probe(one)
            assert outcome.stage == "rcpt"
            assert "HELO" not in [line.text.split(" ")[0] for line in session.lines]

    run(work())


def test_a_web_proxy_leads_to_a_server_whose_greeting_stands_behind_its_own_header() -> None:
    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readuntil(b"\r\n\r\n") == b"CONNECT 127.0.0.9:25 HTTP/1.0\r\n\r\n"
        writer.write(b"HTTP/1.0 200 Connection established\r\nVia: a\r\nX: b\r\n\r\n220 hi\r\n")
        for reply in (b"250 hi", b"250 ok", b"554 no", b"221 bye"):
            await reader.readline()
            writer.write(reply + b"\r\n")

    async def work() -> None:
        async with Bed() as bed:
            one = attempt(port=await bed.script(proxy), preamble="CONNECT 127.0.0.9:25 HTTP/1.0\n")
            (session,), (outcome,) = await bed.probe(one)
            assert outcome.stage == "rcpt"
            assert session.end == "quit"

    run(work())


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.0 403 Forbidden\r\n\r\nno\r\n", b"HTTP/1.0 200 OK\r\n" + b"a: b\r\n" * 900]
)
def test_a_web_server_that_leads_nowhere_is_left_in_time(answer: bytes) -> None:
    async def server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async def work() -> None:
        async with Bed() as bed:
            one = attempt(port=await bed.script(server), preamble="CONNECT 127.0.0.9:25 HTTP/1.0\n")
            _, (outcome,) = await bed.probe(one)
            assert outcome.stage in ("greeting", "preface")

    run(work())

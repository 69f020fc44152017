"""Conversations led line by line, with servers that answer, fall silent, hang up or were never there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from grader.model.errors import EngineError
from grader.world import conversation
from grader.world.conversation import Conversations
from grader.world.tls import Contexts
from tests.world.bed import CLIENT, SERVER, Bed, Handler, clock, server_context, spec
from tests.world.clock import run

NAME = "mail.example.com"
SECONDS = 0.3


def led(handler: Handler, lead: Callable[[Conversations, int], Awaitable[None]]) -> None:
    """Have somebody lead conversations with a hand-written server."""

    async def work() -> None:
        async with Bed() as bed:
            among = Conversations(Contexts(spec()), clock)
            try:
                await lead(among, await bed.script(handler))
            finally:
                among.stop()

    run(work())


async def talkative(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says who called; two replies to TWICE, goodbye to QUIT, nothing to anything else."""
    writer.write(f"220-{writer.get_extra_info('peername')[0]}\r\n220 hello\r\n".encode())
    while line := await reader.readline():
        if line == b"TWICE\r\n":
            writer.write(b"250 one\r\n250 two\r\n")
        if line == b"QUIT\r\n":
            writer.write(b"221 bye\r\n421 really\r\n")
            return


def test_lines_and_replies_go_to_and_fro() -> None:
    async def lead(among: Conversations, port: int) -> None:
        greeting = await among.dial("a", CLIENT, SERVER, port, "none", NAME, SECONDS)
        assert greeting.replies == [[f"220-{CLIENT}", "220 hello"]]
        twice = await among.say("a", b"TWICE\r\n", 2, False, SECONDS)
        assert (twice.replies, twice.end) == ([["250 one"], ["250 two"]], "")
        bye = await among.say("a", b"QUIT\r\n", 1, True, 5)
        assert (bye.replies, bye.end) == ([["221 bye"], ["421 really"]], "closed")
        assert (await among.say("a", b"NOOP\r\n", 1, False, SECONDS)).end == "closed"

    led(talkative, lead)


def test_silence_has_an_end() -> None:
    async def lead(among: Conversations, port: int) -> None:
        await among.dial("a", CLIENT, SERVER, port, "none", NAME, SECONDS)
        silent = await among.say("a", b"HUSH\r\n", 1, False, SECONDS)
        assert (silent.replies, silent.end, silent.remark) == ([], "timeout", "no reply in 0.3 seconds")
        # What was late is not lost, and the conversation goes on.
        assert (await among.say("a", b"TWICE\r\n", 2, False, SECONDS)).replies == [["250 one"], ["250 two"]]

    led(talkative, lead)


def test_nobody_there_is_told() -> None:
    async def work() -> None:
        among = Conversations(Contexts(spec()), clock)
        assert (await among.dial("a", CLIENT, SERVER, 9, "none", NAME, SECONDS)).end == "refused"
        with pytest.raises(EngineError, match="there is no conversation 'a'"):
            await among.say("a", b"", 1, False, SECONDS)
        among.hang_up("a")

    run(work())


def test_there_are_only_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "MOST", 1)

    async def lead(among: Conversations, port: int) -> None:
        await among.dial("a", CLIENT, SERVER, port, "none", NAME, SECONDS)
        with pytest.raises(EngineError, match="hang up first"):
            await among.dial("b", CLIENT, SERVER, port, "none", NAME, SECONDS)
        among.hang_up("a")
        assert not (await among.dial("b", CLIENT, SERVER, port, "none", NAME, SECONDS)).end

    led(talkative, lead)


def test_tls_is_really_begun() -> None:
    async def work() -> None:
        async with Bed() as bed:
            port = await bed.smtp(server_context(NAME))
            among = Conversations(Contexts(spec()), clock)
            greeting = await among.dial("a", CLIENT, SERVER, port, "implicit", NAME, 5)
            assert greeting.replies[0][0].startswith("220 ")
            assert greeting.certificate is not None
            assert greeting.certificate.version == "TLSv1.3"
            among.stop()
            plain = await bed.smtp()
            refused = await among.dial("b", CLIENT, SERVER, plain, "implicit", NAME, 1)
            assert refused.end in ("reset", "timeout")
            among.stop()

    run(work())

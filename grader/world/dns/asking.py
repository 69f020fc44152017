"""Asks the world's nameserver as a receiver of signed mail would: TXT questions, over the wire."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from grader.formats.dns import messages
from grader.formats.dns.library import dns
from grader.formats.dns.names import plain
from grader.model.dns import KeyAnswer
from grader.model.errors import EngineError
from grader.world.dns.nameserver import PORT

ASKING_SECONDS = 5.0


async def ask(server: str, names: Sequence[str], port: int = PORT) -> list[KeyAnswer]:
    """What the nameserver answers to a TXT question for each name.

    Over TCP (RFC 7766), which every answer fits whatever its size. Raises ``EngineError`` where no answer comes.
    """
    try:
        async with asyncio.timeout(ASKING_SECONDS):
            reader, writer = await asyncio.open_connection(server, port)
            try:
                return [await _asked(name, reader, writer) for name in names]
            finally:
                writer.close()
    except (OSError, TimeoutError, asyncio.IncompleteReadError, messages.BadMessage) as error:
        raise EngineError(f"the world's nameserver {server} does not answer: {error}") from error


async def _asked(name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> KeyAnswer:
    question = messages.question(dns.name.from_text(name), "TXT", identity=0)
    writer.write(len(question).to_bytes(2, "big") + question)
    length = int.from_bytes(await reader.readexactly(2), "big")
    answer = messages.response(await reader.readexactly(length))
    return KeyAnswer(
        name,
        answer.rcode,
        [plain(alias.target) for alias in answer.of("CNAME")],
        [list(text.strings) for text in answer.of("TXT")],
    )

"""QMQP (https://cr.yp.to/proto/qmqp.html): a message and its envelope handed over in one netstring.

Postfix's qmqpd(8) speaks it, to those whom ``qmqpd_authorized_clients`` names, and passes on whatever they hand over.
"""

from __future__ import annotations

import asyncio

from grader.formats.reply import Heard
from grader.model.attempt import Attempt
from grader.world.client import Client
from grader.world.handover import begin, connected

CODES = {"K": 250, "Z": 451, "D": 554}
"""What the first letter of an answer says, as SMTP would: taken, a passing failure, a lasting one."""
LONGEST_ANSWER = 2000


async def hand_over(client: Client, attempt: Attempt) -> None:
    """Hand over one message. Whatever the server does ends up in the client's record."""
    if (ends := await connected(client, attempt)) is None:
        return
    reader, writer = ends
    try:
        begin(client, attempt, "QMQP: a message and its envelope in one netstring")
        writer.write(package(attempt))
        answer = await _answer(reader, client.patience.command)
        if answer:
            _take(client, answer)
        client.end = "closed" if answer else "timeout"
    finally:
        writer.close()
    client.settle(attempt)


def package(attempt: Attempt) -> bytes:
    """The octets that hand over an attempt's message. Its lines end in a bare line feed there."""
    parts = [attempt.message.replace(b"\r\n", b"\n"), attempt.sender.encode()]
    parts += [recipient.encode() for recipient in attempt.recipients]
    return netstring(b"".join(map(netstring, parts)))


def netstring(data: bytes) -> bytes:
    """``5:hello,`` for ``hello`` (https://cr.yp.to/proto/netstrings.txt)."""
    return b"%d:%s," % (len(data), data)


async def _answer(reader: asyncio.StreamReader, seconds: float) -> str:
    """The text of the server's netstring, or what else it says; empty where it says nothing in time."""
    try:
        heard = await asyncio.wait_for(reader.readuntil(b","), seconds)
    except asyncio.IncompleteReadError as ended:
        heard = ended.partial
    except (OSError, TimeoutError, asyncio.LimitOverrunError):
        return ""
    text = heard[:LONGEST_ANSWER].decode("utf-8", "backslashreplace").rstrip(",\r\n")
    return text.partition(":")[2] or text


def _take(client: Client, answer: str) -> None:
    code = CODES.get(answer[:1], 500)
    reply = client.transcript.server("message", Heard(code, [answer]), client.transcript.now())
    client.progress.replies.append(reply)
    if code == 250:
        client.progress.stage = "accepted"

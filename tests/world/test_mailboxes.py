"""Messages to one mailbox do not meet there."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from grader.world import mailboxes
from tests.world.bed import Bed, Handler, attempt
from tests.world.clock import run

ADDRESSES = ["127.0.0.66", "127.0.0.67"]


def _server(seconds: float, most: Counter[str]) -> Handler:
    """One that works so long on each message; ``most`` takes how many of a recipient's it had at once."""
    now: Counter[str] = Counter()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.com ESMTP\r\n")
        recipient = ""
        while line := (await reader.readline()).decode():
            if line.startswith("QUIT"):
                return
            if line.startswith("RCPT"):
                recipient = line.strip()
            if not line.startswith("DATA"):
                writer.write(b"250 ok\r\n")
                continue
            now[recipient] += 1
            most[recipient] = max(most[recipient], now[recipient])
            writer.write(b"354 go on\r\n")
            await reader.readuntil(b"\r\n.\r\n")
            await asyncio.sleep(seconds)
            now[recipient] -= 1
            writer.write(b"250 queued\r\n")

    return serve


def test_two_messages_are_never_on_their_way_to_one_mailbox() -> None:
    async def work() -> None:
        async with Bed() as bed:
            most: Counter[str] = Counter()
            port = await bed.script(_server(0.01, most))
            mail = [
                attempt(
                    n,
                    port=port,
                    address=ADDRESSES[n % 2],
                    recipients=[("alice@b.example", "bob@b.example")[n // 4]],
                )
                for n in range(8)
            ]
            _, outcomes = await bed.probe(*mail)
            assert {outcome.stage for outcome in outcomes} == {"accepted"}
            assert most == {"RCPT TO:<alice@b.example>": 1, "RCPT TO:<bob@b.example>": 1}

    run(work())


def test_a_server_that_takes_long_over_a_message_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailboxes, "PATIENCE", 0.05)

    async def work() -> None:
        async with Bed() as bed:
            most: Counter[str] = Counter()
            port = await bed.script(_server(1.0, most))
            mail = [
                attempt(n, port=port, address=a, recipients=["a@b.example"]) for n, a in enumerate(ADDRESSES)
            ]
            _, outcomes = await bed.probe(*mail)
            assert {outcome.stage for outcome in outcomes} == {"accepted"}
            assert most == {"RCPT TO:<a@b.example>": 2}

    run(work())

"""What handing over a message by other protocols than SMTP has in common: QMQP, and the milter protocol."""

from __future__ import annotations

import asyncio

from grader.model.attempt import Attempt
from grader.world.client import Client


async def connected(
    client: Client, attempt: Attempt
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
    """A connection for an attempt; where nobody listens, ``None``, and the attempt is settled as refused."""
    try:
        return await asyncio.wait_for(
            asyncio.open_connection(attempt.server, attempt.port, local_addr=(attempt.address, 0)),
            client.patience.connect,
        )
    except (OSError, TimeoutError):
        client.end = "refused"
        client.settle(attempt)
        return None


def begin(client: Client, attempt: Attempt, protocol: str) -> None:
    """Note what is spoken, and the envelope, which no command of SMTP says here."""
    client.begin("data")
    client.transcript.remark(protocol)
    client.transcript.client(f"{attempt.sender} -> {', '.join(attempt.recipients)}")

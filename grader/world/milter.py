"""A message handed to a milter itself, without the mail server that it is there for.

A milter believes whatever its client says of a message: from which host it came, and who has logged in. One that
listens where everybody can reach it signs for everybody (milter-protocol.txt of Sendmail, version 6).
"""

from __future__ import annotations

import asyncio
import re
import struct
from collections.abc import Iterator

from grader.formats.rawfields import raw_fields
from grader.formats.reply import Heard, readable
from grader.model.attempt import Attempt
from grader.world.client import Client
from grader.world.handover import begin, connected

VERSION, ALL_ACTIONS, EVERY_STEP = 6, 0x1FF, 0
GO_ON, TAKEN = b"c", b"ca"
LAST_WORDS = b"acdrty4"
"""Answers after which there is nothing more to come for a step: taken, go on, dropped, refused, put off, a code."""
ADDED, INSERTED = b"h", b"i"
LONGEST = 64 * 1024
"""Octets of one answer."""
MOST = 100
"""Answers to one step that are listened to."""
HERE = "127.0.0.1"
_LINE_ENDS = re.compile(rb"\r?\n")


class _Odd(Exception):
    """What answers is no milter, or says more than one does."""


async def hand_to_milter(client: Client, attempt: Attempt) -> bytes:
    """The message with the fields that a milter adds to it; empty where it takes none, or is none.

    It is told that this very host has sent the message, and that its author has logged in. Whatever becomes of it ends
    up in the client's record.
    """
    if (ends := await connected(client, attempt)) is None:
        return b""
    reader, writer = ends
    fields: list[tuple[bytes, bytes]] = []
    try:
        begin(client, attempt, "the milter protocol, without a mail server")
        fields = await asyncio.wait_for(_offer(reader, writer, attempt), client.patience.command)
        _take(client, fields)
        client.end = "quit"
    except (OSError, TimeoutError, asyncio.IncompleteReadError, _Odd):
        client.end = "closed"
    finally:
        writer.close()
    client.settle(attempt)
    return with_fields(attempt.message, fields) if fields else b""


async def _offer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, attempt: Attempt
) -> list[tuple[bytes, bytes]]:
    """Say every step of a message; the fields that the milter adds at its end. Raises ``_Odd``."""
    fields: list[tuple[bytes, bytes]] = []
    for said in steps(attempt):
        writer.write(said)
        for _ in range(MOST):
            kind, data = await _answer(reader)
            if kind == b"O" or kind in LAST_WORDS:
                break
            if kind in (ADDED, INSERTED):
                name, _, value = (data[4:] if kind == INSERTED else data).partition(b"\0")
                fields.append((name, value.rstrip(b"\0")))
        else:
            raise _Odd
        if kind != b"O" and kind not in TAKEN:
            return []
    writer.write(packet(b"Q"))
    return fields


def steps(attempt: Attempt) -> Iterator[bytes]:
    """What is said, each as far as a milter answers (macros it does not): connection, envelope, header, text, end."""
    header, _, text = attempt.message.partition(b"\r\n\r\n")
    yield packet(b"O", struct.pack(">III", VERSION, ALL_ACTIONS, EVERY_STEP))
    yield packet(b"C", _words("localhost") + b"4" + struct.pack(">H", attempt.port) + _words(HERE))
    yield packet(b"H", _words("localhost"))
    login = packet(b"D", b"M" + _words("{auth_type}", "PLAIN", "{auth_authen}", attempt.sender))
    yield login + packet(b"M", _words(f"<{attempt.sender}>"))
    for recipient in attempt.recipients:
        yield packet(b"R", _words(f"<{recipient}>"))
    for field in raw_fields(header + b"\r\n"):
        name, _, value = field.partition(b":")
        yield packet(b"L", name + b"\0" + value.strip().replace(b"\r\n", b"\n") + b"\0")
    yield packet(b"N")
    yield packet(b"B", text)
    yield packet(b"E")


def packet(kind: bytes, data: bytes = b"") -> bytes:
    """One thing said: its length, its letter, and what belongs to it."""
    return struct.pack(">I", 1 + len(data)) + kind + data


def with_fields(message: bytes, fields: list[tuple[bytes, bytes]]) -> bytes:
    """A message with fields at its top, as a mail server puts them there."""
    added = [name + b": " + _LINE_ENDS.sub(b"\r\n", value.strip()) + b"\r\n" for name, value in fields]
    return b"".join(added) + message


def _words(*texts: str) -> bytes:
    return b"".join(text.encode("latin-1", "replace") + b"\0" for text in texts)


async def _answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    (length,) = struct.unpack(">I", await reader.readexactly(4))
    if not 0 < length <= LONGEST:
        raise _Odd
    data = await reader.readexactly(length)
    return data[:1], data[1:]


def _take(client: Client, fields: list[tuple[bytes, bytes]]) -> None:
    names = ", ".join(dict.fromkeys(readable(name[:100]) for name, _ in fields))
    said = f"adds {names}" if fields else "adds nothing"
    reply = client.transcript.server(
        "message", Heard(250 if fields else 554, [said]), client.transcript.now()
    )
    client.progress.replies.append(reply)
    if fields:
        client.progress.stage = "accepted"

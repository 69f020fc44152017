"""Messages and paths as clients send them to the world's servers, and how much of a text is kept while it comes."""

from __future__ import annotations

import asyncio
import re
from hashlib import sha256
from typing import Protocol

from grader.formats.reply import readable
from grader.model.traffic import Arrival

LARGEST_MESSAGE = 10 * 1024 * 1024
LONGEST_LINE = 64 * 1024
IN_HAND_OCTETS = 64 * 1024 * 1024
"""Of texts that are still being sent, all together, beyond what each connection may send in any case."""

NULL_PATH = "<>"
"""How the null reverse path (RFC 5321 section 4.5.5) is told from no path at all."""

PATH = re.compile(
    r'\s*(?:<(?P<bracketed>(?:"(?:\\.|[^"\\])*"|[^">])*)>|(?P<bare>[^\s<>]+))(?P<rest>.*)', re.DOTALL
)


class Hand(Protocol):
    """Whoever takes texts, and knows how much of ``IN_HAND_OCTETS`` those that are coming have taken."""

    in_hand: int


class Text:
    """A message's text as it comes: whole while there is room among all that is coming, else its beginning."""

    def __init__(self, hand: Hand, always: int) -> None:
        self.kept = bytearray()
        self.octets = 0
        self.cut = False
        self._hand = hand
        self._always = always
        self._held = 0
        self._digest = sha256()

    def __enter__(self) -> Text:
        return self

    def __exit__(self, *_: object) -> None:
        self._hand.in_hand -= self._held
        self._held = 0

    @property
    def digest(self) -> str:
        """The SHA-256 of a text that was cut, as of ``Arrival.digest``; empty where it is whole."""
        return self._digest.hexdigest() if self.cut else ""

    def add(self, line: bytes) -> None:
        """One more line, or a part of one."""
        self.octets += len(line)
        if not self.cut and not self._has_room(len(line)):
            self.cut = True
            self._digest.update(self.kept)
        if self.cut:
            self._digest.update(line)
        else:
            self.kept += line

    def _has_room(self, octets: int) -> bool:
        if self.octets <= self._always:
            return True
        if self.octets > LARGEST_MESSAGE + LONGEST_LINE or self._hand.in_hand + octets > IN_HAND_OCTETS:
            return False
        self._hand.in_hand += octets
        self._held += octets
        return True


def arrived(
    text: Text, *, server: str, at: float, client: str, path: str | None, recipients: list[str]
) -> Arrival:
    """What a server of the world, by its name, took: a text that came to its end at a time, for these recipients.

    ``path`` is the reverse path as ``path_of`` reads it; the null path, and none at all, are an empty sender.
    """
    return Arrival(
        id=0,
        place="outside",
        where=server,
        attempts=[],
        raw=bytes(text.kept),
        octets=text.octets if text.cut else 0,
        digest=text.digest,
        at=at,
        client=client,
        sender="" if path in (None, NULL_PATH) else path,
        recipients=recipients,
    )


async def read_text(reader: asyncio.StreamReader, text: Text) -> None:
    """Read a message up to its end, without its dots (RFC 5321 section 4.5.2)."""
    at_start = True
    while True:
        try:
            line = await reader.readuntil(b"\r\n")
        except asyncio.LimitOverrunError as error:
            line = await reader.read(error.consumed)
        if at_start and line.startswith(b"."):
            if line == b".\r\n":
                return
            line = line[1:]
        text.add(line)
        at_start = line.endswith(b"\r\n")


def path_of(arg: str) -> tuple[str, str] | None:
    """The path between its brackets as it is, however odd, and what follows it; ``None`` where there is no path."""
    found = PATH.fullmatch(arg)
    if found is None:
        return None
    path = found["bracketed"] if found["bracketed"] is not None else found["bare"]
    return spelt(path) or NULL_PATH, spelt(found["rest"] or "")


def spelt(text: str) -> str:
    """What was read as UTF-8, with each octet that is none as ``\\xNN``: as a surrogate no document could carry it."""
    return readable(text.encode("utf-8", "surrogateescape"))

"""Replies as networks hand them over: in several lines, and in several pieces (RFC 5321 section 4.2.1, RFC 9293)."""

from __future__ import annotations

import asyncio
from itertools import pairwise

PAUSE_SECONDS = 0.02
"""Between two pieces: longer than those wait who take a moment's silence for the end of a reply."""
LONG_PAUSE_SECONDS = 0.25
"""Behind the first piece of the greeting, as if it had been lost and sent again (RFC 6298 section 2)."""
FIRST_LINE = "One moment, please."


def in_lines(reply: str) -> str:
    """A reply in two lines at least, as every reply may be (RFC 5321 section 4.2)."""
    return reply if "\n" in reply else f"{reply[:3]}-{FIRST_LINE}\r\n{reply}"


def in_pieces(reply: bytes) -> list[bytes]:
    """A reply, its last line's end included, cut behind its first line; one of three lines or more within the last too.

    Whoever reads once has a part, and so has whoever reads until there is the end of a line.
    """
    lines = reply.splitlines(keepends=True)
    if len(lines) == 1:
        return [reply]
    cuts = [0, len(lines[0]), len(reply)]
    if len(lines) > 2:
        cuts.insert(2, len(reply) - len(lines[-1]) // 2)
    return [reply[begin:end] for begin, end in pairwise(cuts)]


class Pieces:
    """Hands over the replies of one session, each in pieces.

    ``pauses``: with pauses between them. Who has a session for each recipient is kept waiting in one of them only.
    """

    def __init__(self, *, pauses: bool) -> None:
        self._pauses = pauses
        self._greeted = False

    async def hand_over(self, writer: asyncio.StreamWriter, reply: bytes) -> None:
        """Write a reply, its last line's end included."""
        for number, piece in enumerate(in_pieces(reply)):
            if number and self._pauses:
                await asyncio.sleep(PAUSE_SECONDS if self._greeted else LONG_PAUSE_SECONDS)
            writer.write(piece)
            await writer.drain()
        self._greeted = True

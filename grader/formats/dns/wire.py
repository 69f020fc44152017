"""The pieces that all DNS messages are put together from, in both directions (RFC 1035 section 4.1, RFC 6891)."""

from __future__ import annotations

import struct

HEADER = struct.Struct("!6H")
"""Identity, flags, then the number of entries in each section: question, answer, authority, additional."""
ASKED = struct.Struct("!2H")
"""Behind the name of a question: type and class."""
RECORD = struct.Struct("!2HIH")
"""Behind the name of a record: type, class, seconds to live, octets of data."""
OPT = 41
"""The type of the record by which EDNS is told."""
QR, AA, TC, RD, RA = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080
"""Flags: an answer, by an authority, cut to fit; recursion is wanted, and on offer."""


def edns(payload: int) -> bytes:
    """The record OPT: its name is the root's, and its class how many octets of a datagram the sender takes."""
    return b"\0" + RECORD.pack(OPT, payload, 0, 0)

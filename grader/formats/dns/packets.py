"""DNS messages as a server sees them (RFC 1035 section 4): what a packet asks, and the packet that answers."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import NamedTuple

from grader.formats.dns import wire
from grader.formats.dns.octets import BadName, Name, RecordSet, put_name, put_records, read_name

QUERY = 0
"""The opcode of a question."""
MOST_RECORDS = 8
"""In a request. A client adds one for EDNS, one that signs it (RFC 8945), and for a transfer the zone's start."""


class BadPacket(Exception):
    """A packet that is no DNS message."""


class Question(NamedTuple):
    """What is asked for. Type and class are numbers: there are more than have a name."""

    name: Name
    rdtype: int
    rdclass: int


class Request(NamedTuple):
    """A packet that asks. ``payload`` is what the client takes in one datagram, ``None`` without EDNS (RFC 6891)."""

    identity: int
    opcode: int
    recursion_desired: bool
    questions: list[Question]
    payload: int | None


def request(packet: bytes) -> Request:
    """Read a request. Raises ``BadPacket``."""
    questions: list[Question] = []
    payloads: list[int] = []
    at = wire.HEADER.size
    try:
        identity, flags, asked, *others = wire.HEADER.unpack_from(packet)
        # Hundreds of long names fit into a packet, and reading them would take a tenth of a second.
        if asked > 1:
            raise BadPacket("more than one question (RFC 9619 section 4)")
        if sum(others) > MOST_RECORDS:
            raise BadPacket(f"more than {MOST_RECORDS} records beside the question")
        for _ in range(asked):
            name, at = read_name(packet, at)
            questions.append(Question(name, *wire.ASKED.unpack_from(packet, at)))
            at += wire.ASKED.size
        for _ in range(sum(others)):
            _, at = read_name(packet, at)
            rdtype, rdclass, _, length = wire.RECORD.unpack_from(packet, at)
            at += wire.RECORD.size + length
            if rdtype == wire.OPT:
                payloads.append(rdclass)
    except (struct.error, IndexError) as error:
        raise BadPacket("the message is malformed: it ends too early") from error
    except BadName as error:
        raise BadPacket(f"the message is malformed: {error}") from error
    if at > len(packet):
        raise BadPacket("the message is malformed: it ends too early")
    if len(payloads) > 1:
        raise BadPacket("more than one OPT record (RFC 6891 section 6.1.1)")
    if at < len(packet):
        raise BadPacket("octets behind the message")
    return Request(
        identity, flags >> 11 & 15, bool(flags & wire.RD), questions, payloads[0] if payloads else None
    )


def response(
    asked: Request,
    rcode: int,
    answer: Iterable[RecordSet] = (),
    authority: Iterable[RecordSet] = (),
    *,
    offered: int,
    truncated: bool = False,
) -> bytes:
    """The packet that answers a request, as large as it comes. ``offered`` is the datagram that the server takes.

    Raises ``struct.error`` for records that no packet holds.
    """
    packet, known = bytearray(wire.HEADER.size), dict[Name, int]()
    for name, rdtype, rdclass in asked.questions:
        put_name(packet, name, known)
        packet += wire.ASKED.pack(rdtype, rdclass)
    answered, added = (put_records(packet, section, known) for section in (answer, authority))
    edns = asked.payload is not None
    if edns:
        packet += wire.edns(offered)
    flags = wire.QR | wire.AA | wire.RA | asked.opcode << 11 | rcode
    flags |= wire.TC * truncated | wire.RD * asked.recursion_desired
    wire.HEADER.pack_into(packet, 0, asked.identity, flags, len(asked.questions), answered, added, edns)
    return bytes(packet)

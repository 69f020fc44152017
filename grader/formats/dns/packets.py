"""DNS messages as a server sees them (RFC 1035 section 4): what a packet asks, and the packet that answers.

Names and records are dnspython's. Its messages are not used: they know updates and signatures, for which nobody turns
to a lab's nameserver, and loading them takes longer than all answers of a run.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import NamedTuple

import dns.exception
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.wire

from grader.formats.dns import wire

QUERY = 0
"""The opcode of a question."""
MOST_RECORDS = 8
"""In a request. A client adds one for EDNS, one that signs it (RFC 8945), and for a transfer the zone's start."""


class BadPacket(Exception):
    """A packet that is no DNS message."""


class Question(NamedTuple):
    """What is asked for. ``rdclass`` is a number: there are more classes than have a name."""

    name: dns.name.Name
    rdtype: dns.rdatatype.RdataType
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
    parser = dns.wire.Parser(packet)
    try:
        identity, flags, questions, *others = parser.get_struct(wire.HEADER.format)
        # Hundreds of long names fit into a packet, and reading them would take a tenth of a second.
        if questions > 1:
            raise BadPacket("more than one question (RFC 9619 section 4)")
        if sum(others) > MOST_RECORDS:
            raise BadPacket(f"more than {MOST_RECORDS} records beside the question")
        asked = [_question(parser) for _ in range(questions)]
        payloads = [size for _ in range(sum(others)) if (size := _payload(parser)) is not None]
    except (dns.exception.DNSException, ValueError) as error:
        raise BadPacket(str(error)) from error
    if len(payloads) > 1:
        raise BadPacket("more than one OPT record (RFC 6891 section 6.1.1)")
    if parser.remaining():
        raise BadPacket("octets behind the message")
    return Request(
        identity, flags >> 11 & 15, bool(flags & wire.RD), asked, payloads[0] if payloads else None
    )


def response(
    asked: Request,
    rcode: int,
    answer: Iterable[dns.rrset.RRset] = (),
    authority: Iterable[dns.rrset.RRset] = (),
    *,
    offered: int,
    truncated: bool = False,
) -> bytes:
    """The packet that answers a request, as large as it comes. ``offered`` is the datagram that the server takes.

    Raises ``dns.exception.DNSException``, ``ValueError`` or ``struct.error`` for records that no packet holds.
    """
    packet, compressed = io.BytesIO(), dict[dns.name.Name, int]()
    packet.write(bytes(wire.HEADER.size))
    for name, rdtype, rdclass in asked.questions:
        # Most answers begin with this very name. Its parents are not pointed at: dnspython takes long over each.
        compressed.setdefault(name, packet.tell())
        packet.write(wire.asked(name, rdtype, rdclass))
    answered, added = (
        sum(rrset.to_wire(packet, compressed, want_shuffle=False) for rrset in section)
        for section in (answer, authority)
    )
    edns = asked.payload is not None
    if edns:
        packet.write(wire.edns(offered))
    flags = wire.QR | wire.AA | wire.RA | asked.opcode << 11 | rcode
    flags |= wire.TC * truncated | wire.RD * asked.recursion_desired
    packet.seek(0)
    packet.write(wire.HEADER.pack(asked.identity, flags, len(asked.questions), answered, added, edns))
    return packet.getvalue()


def _question(parser: dns.wire.Parser) -> Question:
    name = parser.get_name()
    rdtype, rdclass = parser.get_struct(wire.ASKED.format)
    return Question(name, dns.rdatatype.RdataType.make(rdtype), rdclass)


def _payload(parser: dns.wire.Parser) -> int | None:
    """Pass over a record; what it says of datagrams if it is the one that EDNS adds."""
    parser.get_name()
    rdtype, rdclass, _, length = parser.get_struct(wire.RECORD.format)
    parser.get_bytes(length)
    return int(rdclass) if rdtype == dns.rdatatype.OPT else None

"""DNS messages as a client sees them (RFC 1035 section 4): questions, and what an answer holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dns.exception
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.wire
from msgspec import Struct

from grader.formats.dns import wire


class BadMessage(Exception):
    """A packet that is no DNS message."""


class Response(Struct, frozen=True):
    """What a nameserver answered. ``rcode`` is ``NOERROR``, ``NXDOMAIN`` and so on; ``answer`` its records' data."""

    rcode: str
    truncated: bool
    answer: list[dns.rdata.Rdata]

    def of(self, type_: str) -> Iterator[Any]:
        """The data of one type."""
        wanted = dns.rdatatype.from_text(type_)
        return (rdata for rdata in self.answer if rdata.rdtype == wanted)


def question(name: dns.name.Name, type_: str, *, identity: int, payload: int | None = None) -> bytes:
    """A packet that asks for records of a type. ``payload`` offers that many octets for a datagram (RFC 6891)."""
    # A header, a name and two numbers, made by hundreds: the library's renderer takes fifty times as long.
    head = wire.HEADER.pack(identity, wire.RD, 1, 0, 0, payload is not None)
    labels = name.to_wire()
    assert labels is not None  # as it is where a file takes it
    asked = wire.ASKED.pack(dns.rdatatype.from_text(type_), dns.rdataclass.IN)
    return head + labels + asked + (wire.edns(payload) if payload is not None else b"")


def response(packet: bytes) -> Response:
    """Read a nameserver's answer: its first section alone, as nothing else is looked at. Raises ``BadMessage``."""
    parser = dns.wire.Parser(packet)
    try:
        _, flags, questions, records, _, _ = parser.get_struct(wire.HEADER.format)
        for _ in range(questions):
            dns.name.from_wire_parser(parser)
            parser.get_struct(wire.ASKED.format)
        sets: dict[tuple[dns.name.Name, int], dict[dns.rdata.Rdata, None]] = {}
        for _ in range(records):
            owner = dns.name.from_wire_parser(parser)
            type_, class_, _, length = parser.get_struct(wire.RECORD.format)
            with parser.restrict_to(length):
                data = dns.rdata.from_wire_parser(class_, type_, parser)
            sets.setdefault((owner, type_), {})[data] = None
    except (dns.exception.DNSException, ValueError) as error:
        raise BadMessage(str(error)) from error
    return Response(
        dns.rcode.to_text(dns.rcode.from_flags(flags, 0)),
        bool(flags & wire.TC),
        [data for known in sets.values() for data in known],
    )

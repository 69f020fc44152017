"""DNS messages as a client sees them (RFC 1035 section 4): questions, and what an answer holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype


class BadMessage(Exception):
    """A packet that is no DNS message."""


class Response(NamedTuple):
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
    query = dns.message.make_query(
        name, type_, id=identity, use_edns=payload is not None, payload=payload or 0
    )
    return query.to_wire()


def response(packet: bytes) -> Response:
    """Read a nameserver's answer. Raises ``BadMessage``."""
    try:
        message = dns.message.from_wire(packet)
    except (dns.exception.DNSException, ValueError) as error:
        raise BadMessage(str(error)) from error
    data = [rdata for rrset in message.answer for rdata in rrset]
    return Response(dns.rcode.to_text(message.rcode()), bool(message.flags & dns.flags.TC), data)

"""What the world's nameserver answers: authoritative for its zones, and a resolver for whoever asks."""

from __future__ import annotations

import struct
from typing import Any

from dnslib import EDNS0, OPCODE, QTYPE, RCODE, DNSHeader, DNSRecord
from dnslib.dns import CLASS, DNSError

from grader.model.traffic import Query
from grader.world.dns.zones import Zones
from grader.world.transcript import Clock

HEADER_OCTETS = 12
SMALLEST_UDP = 512
LARGEST_UDP = 1232
"""What fits an IPv6 packet on every path (DNS flag day 2020)."""

MOST_QUERIES = 20_000
MOST_KNOWN = 4096


class Answers:
    """Answers every question and records it. It listens nowhere itself."""

    def __init__(self, zones: Zones, clock: Clock) -> None:
        self.queries: list[Query] = []
        self.notes: list[str] = []
        self._zones = zones
        self._clock = clock
        self._known: dict[tuple[bool, bytes], tuple[bytes, str, str, str]] = {}

    def answer(self, packet: bytes, client: str, *, udp: bool) -> bytes | None:
        """The response to a packet; ``None`` for what deserves none (RFC 1035 section 4.1)."""
        if len(packet) < HEADER_OCTETS or packet[2] & 0x80:
            return None
        known = self._known.get((udp, packet[2:]))
        if known is None:
            known = self._work_out(packet, udp)
            if len(self._known) < MOST_KNOWN:
                self._known[udp, packet[2:]] = known
        response, name, kind, said = known
        self._record(client, name, kind, said)
        return packet[:2] + response

    def _record(self, client: str, name: str, kind: str, said: str) -> None:
        if len(self.queries) < MOST_QUERIES:
            self.queries.append(Query(self._clock(), client, name, kind, said))
        elif not self.notes:
            self.notes.append(f"Only the first {MOST_QUERIES} DNS queries were recorded.")

    def _work_out(self, packet: bytes, udp: bool) -> tuple[bytes, str, str, str]:
        """The response without its identifier, and name, type and answer for the record."""
        try:
            request = DNSRecord.parse(packet)
        except (DNSError, ValueError, IndexError, KeyError, UnicodeError, struct.error) as error:
            return _refusal(packet, RCODE.FORMERR), "", "", f"FORMERR: {error}"
        question = request.q if len(request.questions) == 1 else None
        name = str(question.qname) if question is not None else ""
        kind = _type_name(question.qtype) if question is not None else ""
        reply = self._reply(request, question)
        said = _spoken(reply)
        response = _fitting(reply, _room(request)) if udp else reply.pack()
        return response[2:], name, kind, said

    def _reply(self, request: DNSRecord, question: Any) -> DNSRecord:
        reply = DNSRecord(
            DNSHeader(
                id=request.header.id, qr=1, aa=1, ra=1, rd=request.header.rd, opcode=request.header.opcode
            ),
            questions=request.questions,
        )
        if any(rr.rtype == QTYPE.OPT for rr in request.ar):
            reply.add_ar(EDNS0(udp_len=LARGEST_UDP))
        if request.header.opcode != OPCODE.QUERY:
            reply.header.rcode = RCODE.NOTIMP
        elif question is None:
            reply.header.rcode = RCODE.FORMERR
        elif question.qclass != CLASS.IN or question.qtype in (QTYPE.AXFR, QTYPE.IXFR):
            reply.header.rcode = RCODE.REFUSED
        else:
            found = self._zones.look_up(question.qname, question.qtype)
            reply.header.rcode = found.rcode
            reply.add_answer(*found.records)
            reply.add_auth(*found.authority)
        return reply


def _refusal(packet: bytes, rcode: int) -> bytes:
    """A bare header, all that can be said about a packet that cannot be read; without its identifier."""
    flags = 0x8080 | (packet[2] & 0x79) << 8 | rcode
    return flags.to_bytes(2, "big") + bytes(8)


def _room(request: DNSRecord) -> int:
    """How large a datagram the client takes (RFC 6891 section 6.2.3)."""
    sizes = [rr.rclass for rr in request.ar if rr.rtype == QTYPE.OPT]
    return min(max(sizes[0], SMALLEST_UDP), LARGEST_UDP) if sizes else SMALLEST_UDP


def _fitting(reply: DNSRecord, room: int) -> bytes:
    """The reply, or one that asks to come back over TCP (RFC 2181 section 9)."""
    packed: bytes = reply.pack()
    if len(packed) > room:
        reply.header.tc = 1
        reply.rr, reply.auth = [], []
        packed = reply.pack()
    return packed


def _type_name(qtype: int) -> str:
    try:
        return str(QTYPE[qtype])
    except DNSError:
        return f"TYPE{qtype}"


def _spoken(reply: DNSRecord) -> str:
    """The answer in a few words for the record."""
    if reply.header.rcode != RCODE.NOERROR:
        return str(RCODE[reply.header.rcode])
    return ", ".join(str(rr.rdata) for rr in reply.rr) or "NODATA"

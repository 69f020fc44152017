"""What the world's nameserver answers: authoritative for its zones, and a resolver for whoever asks."""

from __future__ import annotations

import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype
from dns.flags import Flag
from dns.message import Message
from dns.opcode import Opcode
from dns.rcode import Rcode
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType
from dns.rrset import RRset

from grader.formats.dns import LONGEST_MESSAGE
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
            request = dns.message.from_wire(packet)
        except (dns.exception.DNSException, ValueError) as error:
            return _refusal(packet, Rcode.FORMERR), "", "", f"FORMERR: {error}"
        question = request.question[0] if len(request.question) == 1 else None
        name = question.name.to_text() if question is not None else ""
        kind = dns.rdatatype.to_text(question.rdtype) if question is not None else ""
        try:
            reply = self._reply(request, question)
            response = _packed(reply, _room(request) if udp else LONGEST_MESSAGE, udp)
        except Exception:
            # Whatever a zone does to this name costs this name alone: the others are still asked for.
            reply = _empty(request, Rcode.SERVFAIL)
            response = reply.to_wire()
        return response[2:], name, kind, _spoken(reply)

    def _reply(self, request: Message, question: RRset | None) -> Message:
        if request.opcode() != Opcode.QUERY:
            return _empty(request, Rcode.NOTIMP)
        if question is None:
            return _empty(request, Rcode.FORMERR)
        if question.rdclass != RdataClass.IN or question.rdtype in (RdataType.AXFR, RdataType.IXFR):
            return _empty(request, Rcode.REFUSED)
        found = self._zones.look_up(question.name, question.rdtype)
        reply = _empty(request, found.rcode)
        reply.answer += found.answer
        reply.authority += found.authority
        return reply


def _empty(request: Message, rcode: Rcode) -> Message:
    """A reply to a request without any record (RFC 1035 section 4.1.1)."""
    reply = dns.message.QueryMessage(request.id)
    reply.flags = Flag.QR | Flag.AA | Flag.RA | (request.flags & Flag.RD)
    reply.set_opcode(request.opcode())
    reply.question = request.question
    if request.edns >= 0:
        reply.use_edns(0, payload=LARGEST_UDP)
    reply.set_rcode(rcode)
    return reply


def _refusal(packet: bytes, rcode: int) -> bytes:
    """A bare header, all that can be said about a packet that cannot be read; without its identifier."""
    flags = 0x8080 | (packet[2] & 0x79) << 8 | rcode
    return flags.to_bytes(2, "big") + bytes(8)


def _room(request: Message) -> int:
    """How large a datagram the client takes (RFC 6891 section 6.2.3)."""
    return min(max(request.payload, SMALLEST_UDP), LARGEST_UDP) if request.edns >= 0 else SMALLEST_UDP


def _packed(reply: Message, room: int, udp: bool) -> bytes:
    """The reply, or one that asks to come back over TCP (RFC 2181 section 9).

    Raises ``dns.exception.TooBig`` for one that no message holds.
    """
    try:
        return reply.to_wire(max_size=room, want_shuffle=False)
    except dns.exception.TooBig:
        if not udp:
            raise
    short = _empty(reply, reply.rcode())
    short.flags |= Flag.TC
    return short.to_wire(max_size=room)


def _spoken(reply: Message) -> str:
    """The answer in a few words for the record."""
    if reply.rcode() != Rcode.NOERROR:
        return dns.rcode.to_text(reply.rcode())
    return ", ".join(rdata.to_text() for rrset in reply.answer for rdata in rrset) or "NODATA"

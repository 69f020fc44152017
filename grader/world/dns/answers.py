"""What the world's nameserver answers: authoritative for its zones, and a resolver for whoever asks."""

from __future__ import annotations

from grader.formats.dns import LONGEST_MESSAGE
from grader.formats.dns.octets import INTERNET, data_text, name_text, type_text
from grader.formats.dns.packets import QUERY, BadPacket, Request, request, response
from grader.model.traffic import Query
from grader.world.dns.zones import NOERROR, NXDOMAIN, SERVFAIL, YXDOMAIN, Lookup, Zones
from grader.world.transcript import Clock

FORMERR, NOTIMP, REFUSED = 1, 4, 5
RCODES = {
    FORMERR: "FORMERR",
    SERVFAIL: "SERVFAIL",
    NXDOMAIN: "NXDOMAIN",
    NOTIMP: "NOTIMP",
    REFUSED: "REFUSED",
    YXDOMAIN: "YXDOMAIN",
}
IXFR, AXFR = 251, 252

HEADER_OCTETS = 12
SMALLEST_UDP = 512
LARGEST_UDP = 1232
"""What fits an IPv6 packet on every path (DNS flag day 2020)."""

MOST_QUERIES = 20_000
MOST_CHARACTERS = 2_000_000
"""Of names and answers on record: a student's own records may be long, and asked for without end."""
MOST_KNOWN = 4096
LARGEST_KNOWN = 2048
"""Octets of a request and its response that are remembered: mail servers' have less, and a host may ask anything."""


class Answers:
    """Answers every question and records it. It listens nowhere itself."""

    def __init__(self, zones: Zones, clock: Clock) -> None:
        self.queries: list[Query] = []
        self.notes: list[str] = []
        self._room = MOST_CHARACTERS
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
            if len(self._known) < MOST_KNOWN and len(packet) + len(known[0]) <= LARGEST_KNOWN:
                self._known[udp, packet[2:]] = known
        said, name, kind, spoken = known
        self._record(client, name, kind, spoken)
        return packet[:2] + said

    def _record(self, client: str, name: str, kind: str, said: str) -> None:
        if self.notes:
            return
        self._room -= len(name) + len(said)
        if len(self.queries) < MOST_QUERIES and self._room >= 0:
            self.queries.append(Query(self._clock(), client, name, kind, said))
        else:
            self.notes.append(f"Only the first {len(self.queries)} DNS queries were recorded.")

    def _work_out(self, packet: bytes, udp: bool) -> tuple[bytes, str, str, str]:
        """The response without its identifier, and name, type and answer for the record."""
        try:
            asked = request(packet)
        except BadPacket as error:
            return _refusal(packet, FORMERR), "", "", f"FORMERR: {error}"
        question = asked.questions[0] if len(asked.questions) == 1 else None
        name = name_text(question.name) if question is not None else ""
        kind = type_text(question.rdtype) if question is not None else ""
        try:
            found = self._find(asked)
            said = _packed(asked, found, udp)
        except Exception:
            # Whatever a zone does to this name costs this name alone: the others are still asked for.
            found = _nothing(SERVFAIL)
            said = response(asked, found.rcode, offered=LARGEST_UDP)
        return said[2:], name, kind, _spoken(found)

    def _find(self, asked: Request) -> Lookup:
        if asked.opcode != QUERY:
            return _nothing(NOTIMP)
        if len(asked.questions) != 1:
            return _nothing(FORMERR)
        name, rdtype, rdclass = asked.questions[0]
        if rdclass != INTERNET or rdtype in (AXFR, IXFR):
            return _nothing(REFUSED)
        return self._zones.look_up(name, rdtype)


def _nothing(rcode: int) -> Lookup:
    return Lookup(rcode, [], [])


def _refusal(packet: bytes, rcode: int) -> bytes:
    """A bare header, all that can be said about a packet that cannot be read; without its identifier."""
    flags = 0x8080 | (packet[2] & 0x79) << 8 | rcode
    return flags.to_bytes(2, "big") + bytes(8)


def _packed(asked: Request, found: Lookup, udp: bool) -> bytes:
    """The response, or one that asks to come back over TCP (RFC 2181 section 9).

    Raises ``OverflowError`` for one that no message holds.
    """
    said = response(asked, found.rcode, found.answer, found.authority, offered=LARGEST_UDP)
    if len(said) <= (_room(asked) if udp else LONGEST_MESSAGE):
        return said
    if not udp:
        raise OverflowError
    return response(asked, found.rcode, offered=LARGEST_UDP, truncated=True)


def _room(asked: Request) -> int:
    """How large a datagram the client takes (RFC 6891 section 6.2.3)."""
    return SMALLEST_UDP if asked.payload is None else min(max(asked.payload, SMALLEST_UDP), LARGEST_UDP)


def _spoken(found: Lookup) -> str:
    """The answer in a few words for the record."""
    if found.rcode != NOERROR:
        return RCODES[found.rcode]
    return (
        ", ".join(data_text(several.type, data) for several in found.answer for data in several.data)
        or "NODATA"
    )

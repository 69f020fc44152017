"""The way of a message: its Received fields as hops, the oldest first (RFC 5321 section 4.4)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct

from grader.formats.message.moments import Reading
from grader.formats.message.parse import Field
from grader.formats.message.received import Lookup, read_received
from grader.lesson.analyser.findings import HeaderFinding, duration, finding, neighbours, readable

MOST_HOPS = 100
SLOW = 300
"""Seconds after which a hop's delay is told."""
DAY = 86400
LOOP = 50
"""Received fields at which Postfix takes a message for one that goes in a circle (hopcount_limit)."""
ROUNDS = 3
"""Times that a host has taken a message for one recipient from elsewhere when that is no chance any more."""
HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.[A-Za-z0-9-]*[A-Za-z][A-Za-z0-9-]*")
"""A host's full name. An address is none."""
_INNER = {"internal", "intranet", "private", "corp", "home", "lan", "local", "localdomain"}
"""Last labels of names that organisations give their hosts for themselves (RFC 6762 appendix G)."""
_PRIVATE = re.compile(
    r"10\..*|127\..*|192\.168\..*|172\.(?:1[6-9]|2[0-9]|3[01])\..*|169\.254\..*"
    r"|100\.(?:6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\..*|0\.0\.0\.0|f[cd].*|fe[89ab].*|::1?",
    re.IGNORECASE,
)
_LOOPBACK = re.compile(r"127\..*|::1|localhost(?:\..*)?", re.IGNORECASE | re.ASCII)
_IPV4 = re.compile(r"([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})")
UNCONFIRMED = ("qmail", "helo-word")
"""Dialects of servers that write the name of an address as its owner gave it, without looking the name up."""
_LOGGED_IN = re.compile(r"(?:utf8)?(?:esmtp|lmtp)s?a|asmtp|https?.*", re.IGNORECASE | re.ASCII)


class Hop(Struct, frozen=True):
    """A Received field. ``source`` is what the client called itself, ``host`` and ``address`` what the server saw.

    ``time`` is in seconds since 1970, ``delay`` in seconds since the hop before; both ``None`` where unknown.
    ``lookup`` says whether the server found a name for the address, ``reading`` how its date was read. ``tls`` is
    ``None`` where the line does not tell. ``offset`` is the field's place in the message. ``dialect`` names the row of
    the table of dialects.
    """

    number: int
    source: str
    host: str
    address: str
    private: bool
    lookup: Lookup
    by: str
    by_address: str
    protocol: str
    tls: bool | None
    id: str
    recipient: str
    date: str
    reading: Reading
    time: int | None
    delay: int | None
    kind: Literal["hop", "local", "fetched"]
    dialect: str
    offset: int


def read_hops(fields: Sequence[Field], written: int | None) -> list[Hop]:
    """The newest ``MOST_HOPS`` hops, the oldest first. ``written`` is the moment of Date."""
    received = [field for field in fields if field.key == "received"][:MOST_HOPS]
    hops: list[Hop] = []
    before = written
    for number, field in enumerate(reversed(received), 1):
        hop = _hop(number, field, before)
        before = hop.time if hop.time is not None else before
        hops.append(hop)
    return hops


def _hop(number: int, field: Field, before: int | None) -> Hop:
    told = read_received(field.text)
    time = told.moment.seconds
    local = told.kind == "hop" and bool(
        _LOOPBACK.fullmatch(told.address or told.name or told.claimed or told.either)
    )
    return Hop(
        number=number, source=readable(told.claimed or told.either), host=readable(told.name), address=told.address,
        private=bool(_PRIVATE.fullmatch(told.address)), lookup=told.lookup, by=readable(told.by),
        by_address=told.by_address, protocol=readable(told.protocol), tls=told.tls, id=readable(told.id),
        recipient=readable(told.recipient), date=readable(told.moment.text), reading=told.moment.reading, time=time,
        delay=time - before if time is not None and before is not None else None,
        kind="local" if local else told.kind, dialect=told.dialect, offset=field.offset,
    )  # fmt: skip


def hop_findings(hops: Sequence[Hop], total: int, written: int | None) -> Iterator[HeaderFinding]:
    """What the hops themselves show. ``total`` is how many Received fields there are."""
    if not hops:
        yield finding("no-hops")
        return
    yield from _loop_findings(hops, total)
    yield from _written_findings(hops[0], written)
    for place, hop in enumerate(hops):
        yield from _time_findings(hop, first=place == 0)
        yield from _name_findings(hop)
        if place and not _continues(hops[place - 1], hop):
            source = hop.host or hop.source
            yield finding("gap", hop.number, hop.offset, source=source, by=hops[place - 1].by)


def _loop_findings(hops: Sequence[Hop], total: int) -> Iterator[HeaderFinding]:
    if total > len(hops):
        yield finding("too-many-hops", count=total, shown=len(hops))
    if total >= LOOP:
        yield finding("loop", count=total, limit=LOOP)
    counted: Counter[tuple[str, str]] = Counter()
    last = ""
    for hop in hops:
        if hop.kind == "hop" and HOST.fullmatch(hop.by) and not neighbours(hop.by, last):
            key = hop.by.lower(), hop.recipient
            counted[key] += 1
            if hop.recipient and counted[key] == ROUNDS:
                yield finding(
                    "circle", hop.number, hop.offset, by=hop.by, recipient=hop.recipient, count=ROUNDS
                )
        last = hop.by if HOST.fullmatch(hop.by) else last


def _written_findings(hop: Hop, written: int | None) -> Iterator[HeaderFinding]:
    delay = hop.delay
    if written is None or delay is None:
        return
    if delay < -DAY:
        yield finding("written-days", 1, hop.offset, time=duration(delay))
    elif delay < -60:
        yield finding("written-later", 1, hop.offset, time=duration(delay))
    elif delay > DAY:
        yield finding("written-earlier", 1, hop.offset, time=duration(delay))


def _time_findings(hop: Hop, *, first: bool) -> Iterator[HeaderFinding]:
    if hop.reading == "none":
        yield finding("no-time", hop.number, hop.offset)
    elif hop.reading == "impossible":
        yield finding("impossible-time", hop.number, hop.offset, date=hop.date)
    elif hop.reading == "zone":
        yield finding("unknown-zone", hop.number, hop.offset, date=hop.date)
    elif hop.reading == "lenient":
        yield finding("lenient-time", hop.number, hop.offset, date=hop.date)
    if hop.delay is None or first or hop.kind == "fetched":
        return
    by = hop.by or "an unnamed host"
    if hop.delay < -DAY:
        yield finding("clock-days", hop.number, hop.offset, by=by, time=duration(hop.delay))
    elif hop.delay < 0:
        yield finding("clock", hop.number, hop.offset, by=by, time=duration(hop.delay))
    elif hop.delay >= SLOW:
        yield finding("slow", hop.number, hop.offset, by=by, time=duration(hop.delay))


def _name_findings(hop: Hop) -> Iterator[HeaderFinding]:
    if hop.address and not possible(hop.address):
        yield finding("impossible-address", hop.number, hop.offset, address=hop.address)
        return
    if hop.private or hop.kind != "hop":
        return
    if (
        hop.lookup == "name"
        and HOST.fullmatch(hop.host)
        and HOST.fullmatch(hop.source)
        and not neighbours(hop.host, hop.source)
    ):
        yield finding("name-differs", hop.number, hop.offset, claimed=hop.source, found=hop.host)
    if hop.lookup == "none" and hop.source and hop.address and not _LOGGED_IN.fullmatch(hop.protocol):
        yield finding("no-name", hop.number, hop.offset, claimed=hop.source, address=hop.address)
    if hop.address and hop.tls is False:
        yield finding("plain-hop", hop.number, hop.offset, by=hop.by or "an unnamed host")


def possible(address: str) -> bool:
    """Whether a connection can come from an address: four numbers up to 255, the first below those of multicast."""
    if ":" in address:
        return True
    found = _IPV4.fullmatch(address)
    return found is not None and all(int(part) < 256 for part in found.groups()) and int(found[1]) < 224


def _continues(before: Hop, hop: Hop) -> bool:
    """Whether the server that took the message before may be the client of this hop, as far as their names tell.

    Hosts within one organisation, private addresses and a host that hands a message to itself tell nothing.
    """
    names = [name for name in (hop.host, hop.source) if HOST.fullmatch(name)]
    if hop.kind != "hop" or hop.private or not names or not HOST.fullmatch(before.by):
        return True
    if inner(before.by) or _LOOPBACK.fullmatch(before.by) or neighbours(before.by, hop.by):
        return True
    if before.by_address and before.by_address == hop.address:
        return True
    return any(neighbours(before.by, name) for name in names) or same_host(hop, before.by)


def inner(name: str) -> bool:
    """Whether a host's name means something to its own organisation alone, and so does not tell which that is."""
    return name.rpartition(".")[2].lower() in _INNER


def from_elsewhere(hop: Hop) -> bool:
    """Whether a line tells of a client with a public address, which some servers write in the place of its name."""
    source = hop.source.strip("[]")
    written = source if _IPV4.fullmatch(source) or ":" in source else ""
    address = hop.address or written
    return hop.kind == "hop" and bool(address) and not _PRIVATE.fullmatch(address)


def beside_server(hop: Hop) -> bool:
    """Whether a client is in the network of the server, as far as their addresses tell.

    That is the same /16 of IPv4 or the same /24 of IPv6, which is what the largest providers have. Exchange tells its
    own address wherever strangers come in, so a line of Exchange without one is of an inner server.
    """
    if not hop.by_address:
        return hop.dialect == "exchange"
    if ":" not in hop.address:
        return hop.address.split(".")[:2] == hop.by_address.split(".")[:2]
    return _network(hop.address) == _network(hop.by_address)


def _network(address: str) -> str:
    """The first 24 bits of an IPv6 address, in hexadecimal. Microsoft's servers are in two networks."""
    first, _, rest = address.lower().partition(":")
    groups = first.zfill(4) + rest.partition(":")[0].zfill(4)
    return "260310" if groups == "2a010111" else groups[:6]


def is_client(hop: Hop, name: str) -> bool:
    """Whether the client of a hop is the host of this name, or has this private address, as far as the line tells."""
    return same_host(hop, name) or (hop.private and hop.address == name)


def same_host(hop: Hop, name: str) -> bool:
    """Whether a hop's client and a name are one host in two domains, as those of large providers are."""
    label = name.lower().partition(".")[0]
    return len(label) > 4 and label in (one.lower().partition(".")[0] for one in (hop.host, hop.source))

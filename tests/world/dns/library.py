"""What zones say, as dnspython, which is somebody else's, has it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from grader.formats.dns.octets import Name, RecordSet
from grader.world.dns.zones import Zones


class Found(NamedTuple):
    """See ``grader.world.dns.zones.Lookup``."""

    rcode: dns.rcode.Rcode
    answer: list[dns.rrset.RRset]


def labels(name: str) -> Name:
    """A name for the zones."""
    return tuple(filter(None, dns.name.from_text(name).labels))


def asked(zones: Zones, name: str, type_: str) -> Found:
    """What the zones know of a name."""
    found = zones.look_up(labels(name), int(dns.rdatatype.from_text(type_)))
    return Found(dns.rcode.Rcode(found.rcode), rrsets(found.answer))


def rrsets(sets: Iterable[RecordSet]) -> list[dns.rrset.RRset]:
    """Records, each set as the library's."""
    return [
        dns.rrset.from_rdata_list(
            dns.name.Name((*owner, b"")),
            ttl,
            [
                dns.rdata.from_wire(dns.rdataclass.IN, dns.rdatatype.RdataType(type_), data, 0, len(data))
                for data in several
            ],
        )
        for owner, type_, ttl, several in sets
    ]


def record_set(rrset: dns.rrset.RRset) -> RecordSet:
    """A set of the library's as the nameserver has it."""
    data = tuple(rdata.to_wire() or b"" for rdata in rrset)
    return RecordSet(labels(rrset.name.to_text()), int(rrset.rdtype), rrset.ttl, data)

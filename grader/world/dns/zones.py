"""What DNS says: zones in master-file format, looked up as a resolver looks them up (RFC 1034 section 4.3.2)."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple

import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.rrset
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.TXT import TXT

from grader.formats.dns.masterfile import ServedRecord, read_records
from grader.formats.dns.names import Key, answering, existing, key_of, plain
from grader.model.dns import KeyRecord
from grader.model.errors import LabError
from grader.model.plan import Zone

LONGEST_CHAIN = 8
"""Aliases (CNAME and DNAME) followed for one answer."""

NEGATIVE_SECONDS = 300
_NOWHERE = f"a.invalid. nobody.invalid. 1 3600 600 86400 {NEGATIVE_SECONDS}"
_SIGNATURES = (RdataType.RRSIG, RdataType.SIG)

Data = dict[RdataType, list[ServedRecord]]
"""The records of a name by type."""


class Lookup(NamedTuple):
    """What is known of a name: response code, records of the answer and of the authority section."""

    rcode: dns.rcode.Rcode
    answer: list[dns.rrset.RRset]
    authority: list[dns.rrset.RRset]


class Zones:
    """All zones of a world. Raises ``LabError`` for a zone that cannot be read."""

    def __init__(self, zones: list[Zone]) -> None:
        self._names: dict[Key, Data] = {}
        self._authorities: dict[Key, ServedRecord] = {}
        self._apexes: set[Key] = set()
        self._cuts: set[Key] = set()
        for zone in zones:
            self._load(zone)

    def look_up(self, name: dns.name.Name, rdtype: RdataType) -> Lookup:
        """Everything a resolver knows of the name, aliases followed. Names of no zone do not exist."""
        answer: list[dns.rrset.RRset] = []
        for _ in range(LONGEST_CHAIN):
            if (renamed := self._renamed(name)) is not None:
                answer += [rrset for rrset in renamed if rrset not in answer]
                if renamed[-1].rdtype != RdataType.CNAME:
                    return Lookup(dns.rcode.YXDOMAIN, answer, [])
                if rdtype in (RdataType.CNAME, RdataType.ANY):
                    return Lookup(dns.rcode.NOERROR, answer, [])
                name = renamed[-1][0].target
                continue
            if (cut := self._cut(name)) is not None:
                rcode = dns.rcode.NOERROR if cut == key_of(name) else dns.rcode.NXDOMAIN
                return Lookup(rcode, answer, self._authority(name))
            source = answering(key_of(name), self._names)
            if source is None:
                return Lookup(dns.rcode.NXDOMAIN, answer, self._authority(name))
            found = self._names[source]
            matching = [records for kind, records in found.items() if rdtype in (kind, RdataType.ANY)]
            aliases = found.get(RdataType.CNAME, [])
            if matching or not aliases:
                answer += [rrset for records in matching for rrset in _rrsets(name, records)]
                return Lookup(dns.rcode.NOERROR, answer, [] if matching else self._authority(name))
            answer += _rrsets(name, aliases)
            name = aliases[0].rdata.target
        return Lookup(dns.rcode.SERVFAIL, [], [])

    def name_of(self, address: str) -> str | None:
        """The name of a server: what its address leads back to, or whoever points at it."""
        wanted = ipaddress.ip_address(address)
        pointer = dns.name.from_text(wanted.reverse_pointer)
        for rrset in self.look_up(pointer, RdataType.PTR).answer:
            if rrset.rdtype == RdataType.PTR:
                return plain(rrset[0].target) or None
        for types in self._names.values():
            for record in [*types.get(RdataType.A, []), *types.get(RdataType.AAAA, [])]:
                if ipaddress.ip_address(record.rdata.to_text()) == wanted and not record.owner.is_wild():
                    return plain(record.owner)
        return None

    def hold(self, origin: str, records: list[ServedRecord]) -> None:
        """Answer for a zone with these records, all of which lie in it."""
        apex = key_of(dns.name.from_text(origin))
        owners = [key_of(record.owner) for record in records]
        self._apexes.add(apex)
        for key in sorted(existing(owners, apex)):
            self._names.setdefault(key, {})
        for key, record in zip(owners, records, strict=True):
            of_type = self._names[key].setdefault(record.rdata.rdtype, [])
            of_type.append(record)
            if record.rdata.rdtype == RdataType.SOA:
                self._authorities[apex] = record
            if record.rdata.rdtype == RdataType.NS and key != apex:
                self._cuts.add(key)

    def _renamed(self, name: dns.name.Name) -> list[dns.rrset.RRset] | None:
        """The DNAME above a name, with the CNAME that follows from it unless that is too long (RFC 6672 section 3.2).

        What lies below a DNAME does not exist (section 2.4), so the one nearest to the root counts.
        """
        key = key_of(name)
        for length in range(len(key)):
            records = self._names.get(key[:length], {}).get(RdataType.DNAME)
            if not records:
                continue
            above, below = name.labels[-length - 1 :], name.labels[: -length - 1]
            rrsets = _rrsets(dns.name.Name(above), records)
            try:
                target = dns.name.Name(below).concatenate(records[0].rdata.target)
            except dns.name.NameTooLong:
                return rrsets
            return [*rrsets, _rrset(name, "CNAME", records[0].ttl, target.to_text())]
        return None

    def _cut(self, name: dns.name.Name) -> Key | None:
        """Where a zone gives a name away to the servers of another one (RFC 1034 section 4.2.1).

        What others answer there is not known here, unless their zone is held as well: nothing, then. What the zone
        itself has at such names is seen by nobody, as it is not its own to say.
        """
        if not self._cuts:
            return None
        key = key_of(name)
        held = max((length for length in range(len(key) + 1) if key[:length] in self._apexes), default=0)
        return next(
            (key[:length] for length in range(held + 1, len(key) + 1) if key[:length] in self._cuts), None
        )

    def _authority(self, name: dns.name.Name) -> list[dns.rrset.RRset]:
        """The SOA record that a denial carries (RFC 2308 section 3)."""
        key = key_of(name)
        for length in range(len(key), -1, -1):
            if (start := self._authorities.get(key[:length])) is not None:
                return _rrsets(start.owner, [start])
        return [_rrset(dns.name.root, "SOA", NEGATIVE_SECONDS, _NOWHERE)]

    def _load(self, zone: Zone) -> None:
        file = read_records(zone.text.encode(), zone.origin)
        if file.faults:
            fault = file.faults[0]
            raise LabError(
                f"zone {zone.origin}: not a master file (RFC 1035 section 5): line {fault.place.line + 1}, "
                f"column {fault.place.column + 1}: {fault.sentence}"
            )
        self.hold(zone.origin, [*file.served, *map(_served, zone.records)])


def _served(record: KeyRecord) -> ServedRecord:
    """A key to publish as a record to serve."""
    rdata: dns.rdata.Rdata
    if record.type == "TXT":
        rdata = TXT(RdataClass.IN, RdataType.TXT, record.data)
    else:
        rdata = dns.rdata.from_text(RdataClass.IN, RdataType.CNAME, f"{record.data[0].decode('ascii')}.")
    return ServedRecord(dns.name.from_text(record.name), NEGATIVE_SECONDS, rdata)


def _rrsets(name: dns.name.Name, records: list[ServedRecord]) -> list[dns.rrset.RRset]:
    """Records of one type under the name that was asked for, in the case in which it was asked.

    Of a type of which a name has one at most, the first; signatures are each a set of their own to dnspython.
    """
    kind = records[0].rdata.rdtype
    if dns.rdatatype.is_singleton(kind):
        records = records[:1]
    groups = [[record] for record in records] if kind in _SIGNATURES else [records]
    return [
        dns.rrset.from_rdata_list(
            name, min(record.ttl for record in group), [record.rdata for record in group]
        )
        for group in groups
    ]


def _rrset(name: dns.name.Name, type_: str, ttl: int, data: str) -> dns.rrset.RRset:
    return dns.rrset.from_text(name, ttl, "IN", type_, data)

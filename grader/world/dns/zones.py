"""What DNS says: zones in master-file format, looked up as a resolver looks them up (RFC 1034 section 4.3.2)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import NamedTuple

from grader.formats.dns import octets
from grader.formats.dns.octets import Name, Record, RecordSet
from grader.formats.dns.ordinary import read_ordinary
from grader.formats.dns.tree import WILDCARD, Key, answering, existing, key_of_labels
from grader.model.dns import KeyRecord
from grader.model.errors import LabError
from grader.model.plan import Zone

LONGEST_CHAIN = 8
"""Aliases (CNAME and DNAME) followed for one answer."""

NOERROR, SERVFAIL, NXDOMAIN, YXDOMAIN = 0, 2, 3, 6
ANY = octets.TYPES["ANY"]
NEGATIVE_SECONDS = 300

_NXT, _NSEC = 30, 47
_ONE_AT_MOST = (octets.CNAME, octets.SOA, octets.DNAME, _NXT, _NSEC)
"""Types of which a name has one record."""
_SIGNATURES = (24, 46)
"""SIG and RRSIG: each signs a set of its own."""

_NOWHERE = RecordSet(
    (), octets.SOA, NEGATIVE_SECONDS, (
        octets.written((b"a", b"invalid")) + octets.written((b"nobody", b"invalid"))
        + b"".join(number.to_bytes(4, "big") for number in (1, 3600, 600, 86400, NEGATIVE_SECONDS)),
    ),
)  # fmt: skip

Data = dict[int, list[Record]]
"""The records of a name by type."""


class Lookup(NamedTuple):
    """What is known of a name: response code, records of the answer and of the authority section."""

    rcode: int
    answer: list[RecordSet]
    authority: list[RecordSet]


class Zones:
    """All zones of a world. Raises ``LabError`` for a zone that cannot be read."""

    def __init__(self, zones: list[Zone]) -> None:
        self._names: dict[Key, Data] = {}
        self._authorities: dict[Key, Record] = {}
        self._apexes: set[Key] = set()
        self._cuts: set[Key] = set()
        self._renames = False
        for zone in zones:
            self._load(zone)

    def look_up(self, name: Name, rdtype: int) -> Lookup:
        """Everything a resolver knows of the name, aliases followed. Names of no zone do not exist."""
        answer: list[RecordSet] = []
        for _ in range(LONGEST_CHAIN):
            key = key_of_labels(name)
            if (renamed := self._renamed(name, key)) is not None:
                answer += [found for found in renamed if found not in answer]
                if renamed[-1].type != octets.CNAME:
                    return Lookup(YXDOMAIN, answer, [])
                if rdtype in (octets.CNAME, ANY):
                    return Lookup(NOERROR, answer, [])
                name, _ = octets.read_name(renamed[-1].data[0], 0)
                continue
            if (cut := self._cut(key)) is not None:
                return Lookup(NOERROR if cut == key else NXDOMAIN, answer, self._authority(key))
            source = answering(key, self._names)
            if source is None:
                return Lookup(NXDOMAIN, answer, self._authority(key))
            found = self._names[source]
            matching = [records for kind, records in found.items() if rdtype in (kind, ANY)]
            aliases = found.get(octets.CNAME, [])
            if matching or not aliases:
                answer += [one for records in matching for one in _sets(name, records)]
                return Lookup(NOERROR, answer, [] if matching else self._authority(key))
            answer += _sets(name, aliases)
            name = octets.name_in(aliases[0])
        return Lookup(SERVFAIL, [], [])

    def name_of(self, address: str) -> str | None:
        """The name of a server: what its address leads back to, or whoever points at it."""
        wanted = ipaddress.ip_address(address)
        pointer = tuple(wanted.reverse_pointer.encode("ascii").split(b"."))
        for found in self.look_up(pointer, octets.PTR).answer:
            if found.type == octets.PTR:
                return _plain(octets.read_name(found.data[0], 0)[0]) or None
        for types in self._names.values():
            for record in [*types.get(octets.A, []), *types.get(octets.AAAA, [])]:
                if record.data == wanted.packed and record.owner[:1] != (WILDCARD,):
                    return _plain(record.owner)
        return None

    def hold(self, origin: Name, records: Iterable[Record]) -> None:
        """Answer for a zone with these records, all of which lie in it."""
        apex = key_of_labels(origin)
        keyed = [(key_of_labels(record.owner), record) for record in records]
        self._apexes.add(apex)
        for key in sorted(existing((key for key, _ in keyed), apex)):
            self._names.setdefault(key, {})
        for key, record in keyed:
            self._names[key].setdefault(record.type, []).append(record)
            if record.type == octets.SOA:
                self._authorities[apex] = record
            if record.type == octets.NS and key != apex:
                self._cuts.add(key)
            self._renames = self._renames or record.type == octets.DNAME

    def _renamed(self, name: Name, key: Key) -> list[RecordSet] | None:
        """The DNAME above a name, with the CNAME that follows from it unless that is too long (RFC 6672 section 3.2).

        What lies below a DNAME does not exist (section 2.4), so the one nearest to the root counts.
        """
        for length in range(len(key) if self._renames else 0):
            records = self._names.get(key[:length], {}).get(octets.DNAME)
            if not records:
                continue
            below, above = name[: len(name) - length], name[len(name) - length :]
            sets = _sets(above, records)
            target = octets.written((*below, *octets.name_in(records[0])))
            if len(target) > octets.LONGEST_NAME:
                return sets
            return [*sets, RecordSet(name, octets.CNAME, records[0].ttl, (target,))]
        return None

    def _cut(self, key: Key) -> Key | None:
        """Where a zone gives a name away to the servers of another one (RFC 1034 section 4.2.1).

        What others answer there is not known here, unless their zone is held as well: nothing, then. What the zone
        itself has at such names is seen by nobody, as it is not its own to say.
        """
        if not self._cuts:
            return None
        held = max((length for length in range(len(key) + 1) if key[:length] in self._apexes), default=0)
        return next(
            (key[:length] for length in range(held + 1, len(key) + 1) if key[:length] in self._cuts), None
        )

    def _authority(self, key: Key) -> list[RecordSet]:
        """The SOA record that a denial carries (RFC 2308 section 3)."""
        for length in range(len(key), -1, -1):
            if (start := self._authorities.get(key[:length])) is not None:
                return _sets(start.owner, [start])
        return [_NOWHERE]

    def _load(self, zone: Zone) -> None:
        origin = octets.labels_of(zone.origin)
        records = None if origin is None else read_ordinary(zone.text.encode(), origin)
        if origin is None or records is None:
            from grader.world.dns.unusual import read_unusual

            origin, records = read_unusual(zone)
        self.hold(origin, [*records, *map(_served, zone.records)])


def _sets(name: Name, records: list[Record]) -> list[RecordSet]:
    """Records of one type under the name that was asked for, in the case in which it was asked.

    Of a type of which a name has one at most, the first; each signature is a set of its own. What is given twice is
    one (RFC 2181 section 5).
    """
    kind = records[0].type
    if kind in _ONE_AT_MOST:
        records = records[:1]
    groups = [[record] for record in records] if kind in _SIGNATURES else [records]
    found: list[RecordSet] = []
    for group in groups:
        different: dict[bytes, bytes] = {}
        for record in group:
            different.setdefault(octets.alike(kind, record.data), record.data)
        found.append(RecordSet(name, kind, min(record.ttl for record in group), tuple(different.values())))
    return found


def _served(record: KeyRecord) -> Record:
    """A key to publish as a record to serve."""
    owner = _labels(record.name)
    if record.type == "TXT":
        return Record(owner, octets.TXT, NEGATIVE_SECONDS, octets.text_data(record.data))
    return Record(
        owner, octets.CNAME, NEGATIVE_SECONDS, octets.written(_labels(record.data[0].decode("ascii")))
    )


def _labels(text: str) -> Name:
    name = octets.labels_of(text)
    if name is None:
        raise LabError(f"{text!a} is no name that DNS could serve")
    return name


def _plain(name: Name) -> str:
    """The name as text without the dot at its end; the root is empty."""
    return octets.name_text(name)[:-1]

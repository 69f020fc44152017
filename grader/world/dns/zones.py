"""What DNS says: zones in master-file format, looked up as a resolver looks them up (RFC 1034 section 4.3.2)."""

from __future__ import annotations

import copy
import ipaddress
from typing import Any, NamedTuple

from dnslib import CLASS, CNAME, QTYPE, RCODE, RR, SOA, TXT, DNSLabel
from dnslib.dns import DNSError, ZoneParser

from grader.model.dns import KeyRecord
from grader.model.errors import LabError
from grader.model.plan import Zone

LONGEST_CHAIN = 8
"""CNAME records followed for one answer."""

NEGATIVE_SECONDS = 300

Key = tuple[bytes, ...]
"""A name's labels in lower case, the last one first, so that a name's ancestors are its prefixes."""


class Answer(NamedTuple):
    """What is known of a name: response code (``RCODE``), records of the answer and of the authority section."""

    rcode: int
    records: list[Any]
    authority: list[Any]


def key_of(name: DNSLabel) -> Key:
    """The name for comparison (RFC 4343: case does not matter)."""
    return tuple(label.lower() for label in reversed(name.label))


class _Parser(ZoneParser):  # type: ignore[misc]
    """dnslib's own leaves the target of SRV (RFC 2782) relative to the root."""

    def parse_rr(self, words: list[str]) -> Any:
        """See ``dnslib``; ``words`` are owner, TTL and class where given, type, and data."""
        if "SRV" in words[1:4] and not words[-1].endswith("."):
            words[-1] = str(self.origin.add(words[-1]))
        return super().parse_rr(words)


class Zones:
    """All zones of a world. Raises ``LabError`` for a zone that cannot be read."""

    def __init__(self, zones: list[Zone]) -> None:
        self._names: dict[Key, dict[int, list[Any]]] = {}
        self._authorities: dict[Key, Any] = {}
        for zone in zones:
            self._load(zone)

    def look_up(self, name: DNSLabel, qtype: int) -> Answer:
        """Everything a resolver knows of the name, CNAME records followed. Names of no zone do not exist."""
        records: list[Any] = []
        for _ in range(LONGEST_CHAIN):
            found = self._find(name)
            if found is None:
                return Answer(RCODE.NXDOMAIN, records, self._authority(name))
            matching = [rr for kind, rrs in found.items() if qtype in (kind, QTYPE.ANY) for rr in rrs]
            aliases = found.get(QTYPE.CNAME, [])
            if matching or not aliases:
                records += matching
                return Answer(RCODE.NOERROR, records, [] if matching else self._authority(name))
            records.append(aliases[0])
            name = aliases[0].rdata.label
        return Answer(RCODE.SERVFAIL, [], [])

    def name_of(self, address: str) -> str | None:
        """The name of a server: what its address leads back to, or whoever points at it."""
        pointer = DNSLabel(ipaddress.ip_address(address).reverse_pointer)
        for rr in self.look_up(pointer, QTYPE.PTR).records:
            if rr.rtype == QTYPE.PTR:
                return str(rr.rdata.label).rstrip(".") or None
        wanted = ipaddress.ip_address(address)
        for types in self._names.values():
            for rr in [*types.get(QTYPE.A, []), *types.get(QTYPE.AAAA, [])]:
                if ipaddress.ip_address(str(rr.rdata)) == wanted and b"*" not in rr.rname.label:
                    return str(rr.rname).rstrip(".")
        return None

    def _find(self, name: DNSLabel) -> dict[int, list[Any]] | None:
        """Records of a name by type, wildcards included (RFC 4592 section 3.3); ``None`` if it does not exist."""
        key = key_of(name)
        if (found := self._names.get(key)) is not None:
            return {kind: [_owned(rr, name) for rr in rrs] for kind, rrs in found.items()}
        for length in range(len(key) - 1, -1, -1):
            if key[:length] in self._names:
                wild = self._names.get((*key[:length], b"*"))
                return wild and {kind: [_owned(rr, name) for rr in rrs] for kind, rrs in wild.items()}
        return None

    def _authority(self, name: DNSLabel) -> list[Any]:
        """The SOA record that a denial carries (RFC 2308 section 3)."""
        key = key_of(name)
        for length in range(len(key), -1, -1):
            if key[:length] in self._authorities:
                return [self._authorities[key[:length]]]
        times = (1, 3600, 600, 86400, NEGATIVE_SECONDS)
        return [RR(".", QTYPE.SOA, CLASS.IN, NEGATIVE_SECONDS, SOA("a.invalid", "nobody.invalid", times))]

    def _load(self, zone: Zone) -> None:
        origin = DNSLabel(zone.origin)
        try:
            records = list(_Parser(zone.text, origin, NEGATIVE_SECONDS))
        except (
            DNSError,
            ValueError,
            IndexError,
            KeyError,
            AttributeError,
            StopIteration,
            RuntimeError,
        ) as error:
            raise LabError(f"zone {zone.origin}: not a master file (RFC 1035 section 5): {error}") from error
        self.hold(zone.origin, [*records, *map(_rr, zone.records)])

    def hold(self, origin: str, records: list[Any]) -> None:
        """Answer for a zone with these records of dnslib. Raises ``LabError`` for one that does not lie in it."""
        apex = key_of(DNSLabel(origin))
        self._add(apex)
        for rr in records:
            key = key_of(rr.rname)
            if key[: len(apex)] != apex:
                raise LabError(f"zone {origin}: {rr.rname} does not lie in it; give it a zone of its own")
            self._add(key).setdefault(rr.rtype, []).append(rr)
            for length in range(len(apex), len(key)):
                self._add(key[:length])
            if rr.rtype == QTYPE.SOA:
                self._authorities[apex] = rr

    def _add(self, key: Key) -> dict[int, list[Any]]:
        return self._names.setdefault(key, {})


def _rr(record: KeyRecord) -> Any:
    data = TXT(record.data) if record.type == "TXT" else CNAME(record.data[0].decode("ascii"))
    return RR(record.name, getattr(QTYPE, record.type), CLASS.IN, NEGATIVE_SECONDS, data)


def _owned(rr: Any, name: DNSLabel) -> Any:
    """The record under the name that was asked for, in the case in which it was asked."""
    mine = copy.copy(rr)
    mine.rname = name
    return mine

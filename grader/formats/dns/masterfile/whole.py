"""What holds for a zone as a whole: whatever else keeps a nameserver such as BIND from loading it.

The sentences name the fix: a zone that does not load is no answer to a task, but a file that cannot be read.
"""

from __future__ import annotations

import ipaddress
import re
from collections import defaultdict
from collections.abc import Iterator

import dns.name
from dns.rdatatype import RdataType, to_text

from grader.formats.dns import LONGEST_MESSAGE
from grader.formats.dns.entries import MOST_FAULTS
from grader.formats.dns.masterfile.file import ServedRecord, ZoneFile
from grader.formats.dns.names import key_of, plain
from grader.formats.dns.tree import Key, answering, existing
from grader.model.diagnostic import Diagnostic, Span, fault_in

BESIDE_ALIAS = (RdataType.CNAME, RdataType.RRSIG, RdataType.NSEC)
"""What may stand at the name of a CNAME (RFC 4034 sections 3 and 4)."""

_ORIGIN = re.compile(r"\$ORIGIN[ \t]+([^ \t;]+)", re.IGNORECASE)

_HEADER, _OPT, _QUESTION, _HEAD = 12, 11, 4, 12
"""Octets of an answer beside names and data: header, OPT, type and class of the question, the head of each record."""


def mark_fault(file: ZoneFile) -> Diagnostic:
    """What to say of a byte order mark."""
    return fault_in(
        Span(0, 0, min(1, len(file.lines[0])) if file.lines else 0),
        "an invisible byte order mark (U+FEFF) stands before this, and a nameserver takes it for the beginning of a "
        "name: save the file as UTF-8 without it",
    )


def zone_faults(file: ZoneFile, zone: dns.name.Name) -> list[Diagnostic]:
    """Why a nameserver would not load the zone although each of its records is one."""
    whole = _Whole(file, zone)
    faults = [
        *whole.start(),
        *whole.times(),
        *whole.aliases(),
        *whole.name_servers(),
        *whole.sizes(),
    ]
    return sorted(faults, key=lambda fault: (fault.place.line, fault.place.column))[:MOST_FAULTS]


class _Whole:
    """A zone by names and types: each record with the place where it begins."""

    def __init__(self, file: ZoneFile, zone: dns.name.Name) -> None:
        self._file = file
        self._apex = key_of(zone)
        self._spoken = (plain(zone) or ".").lower()
        self._found: dict[Key, dict[RdataType, list[tuple[ServedRecord, Span]]]] = defaultdict(dict)
        known = set()
        for served, record in zip(file.served, file.records, strict=True):
            key, rdata = key_of(served.owner), served.rdata
            # To DNS a record that is given twice is one (RFC 2181 section 5).
            if (key, rdata) not in known:
                known.add((key, rdata))
                self._found[key].setdefault(rdata.rdtype, []).append((served, record.place))
        self._names = existing(self._found, self._apex)

    def _all(self, rdtype: RdataType) -> Iterator[tuple[ServedRecord, Span]]:
        for types in self._found.values():
            yield from types.get(rdtype, [])

    def start(self) -> Iterator[Diagnostic]:
        """A zone begins with one SOA record, at its own name (RFC 1035 section 5.2)."""
        starts = list(self._all(RdataType.SOA))
        if not starts:
            yield fault_in(
                Span(0, 0, 0),
                "there is no SOA record, with which a zone begins: add one, such as “@ SOA ns hostmaster 1 4h 1h 2w "
                "5m”",
            )
        for _, place in starts[1:]:
            yield fault_in(place, "a second SOA record: a zone has exactly one, so delete one of the two")
        if starts and key_of(starts[0][0].owner) != self._apex:
            yield self._misplaced(*starts[0])

    def _misplaced(self, start: ServedRecord, place: Span) -> Diagnostic:
        """A SOA record of another name; the ``$ORIGIN`` without a dot that made it so, if one did."""
        for number in range(place.line, -1, -1):
            if found := _ORIGIN.match(self._file.lines[number]):
                if not found[1].endswith("."):
                    return fault_in(
                        Span(number, found.start(1), len(found[1])),
                        f"without a dot at its end, {found[1]} is completed to {found[1]}.{self._spoken}, and so is "
                        f"what follows: write {found[1]}. (RFC 1035 section 5.1)",
                    )
                break
        return fault_in(
            place,
            f"the SOA record belongs to {self._spoken} itself, and this is one of {_spoken(start)}: write @ for its "
            "name",
        )

    def times(self) -> Iterator[Diagnostic]:
        """A record has a time to live (RFC 1035 section 5.1)."""
        if (record := self._file.untimed) is not None and any(self._all(RdataType.SOA)):
            yield fault_in(
                record.place,
                "this record has no time to live, and nothing before it gives one: begin the file with $TTL, such as "
                "“$TTL 1h” (RFC 2308 section 4)",
            )

    def aliases(self) -> Iterator[Diagnostic]:
        """An alias stands alone, and leads to one name (RFC 1034 section 3.6.2, RFC 6672 section 2.4)."""
        for key, types in self._found.items():
            aliases = types.get(RdataType.CNAME, [])
            others = [
                *aliases[1:],
                *(of for kind, found in types.items() if kind not in BESIDE_ALIAS for of in found),
            ]
            if aliases and others:
                (first, place), (other, there) = aliases[0], others[0]
                fix = "delete the CNAME" if key == self._apex else "delete one of the two"
                yield fault_in(
                    place,
                    f"{_spoken(first)} has a CNAME record, so it can have no other (RFC 1034 section 3.6.2), and line "
                    f"{there.line + 1} gives it {_type(other)}: {fix}",
                )
            for record, place in types.get(RdataType.DNAME, [])[1:]:
                yield fault_in(
                    place,
                    f"a second DNAME record of {_spoken(record)}: a name has one at most (RFC 6672 section 2.4), so "
                    "delete one of the two",
                )

    def name_servers(self) -> Iterator[Diagnostic]:
        """A zone names its nameservers, and gives those that lie in it an address (RFC 1034 section 4.2.1)."""
        for record, place in self._all(RdataType.NS):
            if record.owner.is_wild():
                sentence = (
                    "a wildcard can have no NS record: write the name of each zone that others answer for"
                )
                yield fault_in(place, sentence)
        starts = list(self._all(RdataType.SOA))
        servers = self._found.get(self._apex, {}).get(RdataType.NS, [])
        if starts and not servers:
            yield fault_in(
                starts[0][1],
                f"{self._spoken} has no NS record, so nobody knows who answers for it: add one, such as “@ NS ns”",
            )
        for record, _ in servers:
            if (trouble := self._unreachable(record.rdata.target)) is not None:
                yield fault_in(record.place, trouble)

    def _unreachable(self, server: dns.name.Name) -> str | None:
        """Why nobody could reach a nameserver of the zone; ``None`` where they could, or others know."""
        key, name = key_of(server), plain(server).lower()
        if key[: len(self._apex)] != self._apex:
            return None
        for length in range(len(self._apex), len(key)):
            if RdataType.DNAME in self._found.get(key[:length], {}):
                above = ".".join(label.decode("ascii", "replace") for label in reversed(key[:length]))
                return (
                    f"the nameserver {name} lies below the DNAME record of {above}, so it does not exist: name a "
                    "server elsewhere"
                )
        cuts = (key[:length] for length in range(len(self._apex) + 1, len(key) + 1))
        if any(RdataType.NS in self._found.get(cut, {}) for cut in cuts):
            return None
        source = answering(key, self._names)
        types = self._found.get(source, {}) if source is not None else {}
        if RdataType.CNAME in types:
            return (
                f"the nameserver {name} is an alias (CNAME), and an NS record names no alias (RFC 2181 section 10.3): "
                "name the server that it leads to, or give it an address in place of the CNAME"
            )
        if RdataType.A in types or RdataType.AAAA in types:
            return None
        return f"the nameserver {name} has no address in this zone, so nobody can ask it: {self._address_for(name)}"

    def _address_for(self, name: str) -> str:
        """How to give a nameserver its address."""
        written = name.removesuffix(f".{self._spoken}")
        if written.endswith(f".{self._spoken}") or written == self._spoken:
            return f"write a dot at the end of {written}., or the zone's name is added to it once more"
        try:
            ipaddress.ip_address(written)
        except ValueError:
            return f"add an A record of {name}, or name a server that has one"
        return f"an NS record takes the name of a server, so give {written} a name with an A record, and write it here"

    def sizes(self) -> Iterator[Diagnostic]:
        """All records of a type at a name fit one answer (RFC 1035 section 4.2.2)."""
        for types in self._found.values():
            for kind, found in types.items():
                owner = len(found[0][0].owner.to_wire() or b"")
                octets = _HEADER + _OPT + owner + _QUESTION
                for record, place in found:
                    octets += _HEAD + len(record.rdata.to_wire())
                    if octets > LONGEST_MESSAGE:
                        yield fault_in(
                            place,
                            f"with this one, {_spoken(record)} has more {to_text(kind)} records than fit the longest "
                            f"answer of DNS, {LONGEST_MESSAGE} octets (RFC 1035 section 4.2.2): give the name fewer "
                            "or shorter ones",
                        )
                        break


def _spoken(record: ServedRecord) -> str:
    return (plain(record.owner) or ".").lower()


def _type(record: ServedRecord) -> str:
    kind = to_text(record.rdata.rdtype)
    return "another CNAME record" if kind == "CNAME" else f"a record of type {kind}"

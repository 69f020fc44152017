"""From entries to records: owners, times to live, classes, types and data, and what holds for a zone as a whole."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from grader.formats.dns.masterfile.data import BadData, data_of, name_of
from grader.formats.dns.masterfile.tokens import Entry, Scanner, Token, displayed, lines_of
from grader.model.diagnostic import Span
from grader.model.dns import ZoneFault, ZoneRecord

MOST_FAULTS = 20
MOST_RECORDS = 5_000
LARGEST_TTL = 2**31 - 1
"""RFC 2181 section 8."""

DEFAULT_TTL = 3600
_TTL = re.compile(r"(?:\d+[wdhms]?)+", re.IGNORECASE)
_UNIT = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1, "": 1}
_CLASSES = ("IN", "CH", "HS", "CS")
_REFUSED = {
    "$INCLUDE": "$INCLUDE is not taken: it would read files of whoever serves the zone. Write the records here",
    "$GENERATE": "$GENERATE is not taken: one line could make a million records. Write out those that you need",
}


@dataclass
class ZoneFile:
    """A master file as it was read. ``served`` are owner, TTL and data of each record, for a nameserver."""

    lines: list[str]
    faults: list[ZoneFault] = field(default_factory=list)
    records: list[ZoneRecord] = field(default_factory=list)
    served: list[tuple[dns.name.Name, int, Any]] = field(default_factory=list)


class _BadEntry(Exception):
    """An entry that is none: the place and the sentence."""

    def __init__(self, place: Span, sentence: str) -> None:
        super().__init__(sentence)
        self.place = place


def read_zone(data: bytes, origin: str) -> ZoneFile:
    """Read the zone of ``origin``. What is wrong is in ``faults``, up to 20, in the file's order; nothing is raised."""
    return _Reader(data, origin).read()


class _Reader:
    def __init__(self, data: bytes, origin: str) -> None:
        self._zone = dns.name.from_text(origin)
        self._origin = self._zone
        self._owner: dns.name.Name | None = None
        self._ttl: int | None = None
        self._lines = lines_of(data)
        self._file = ZoneFile([displayed(line) for line in self._lines])

    def read(self) -> ZoneFile:
        """Read everything."""
        scanner = Scanner(self._lines)
        faults = self._file.faults
        for entry in scanner.entries():
            if len(faults) + len(scanner.faults) >= MOST_FAULTS:
                break
            if len(self._file.records) >= MOST_RECORDS:
                faults.append(
                    ZoneFault(
                        entry.tokens[0].whole,
                        f"more than {MOST_RECORDS} records: no zone of a lab needs them",
                    )
                )
                break
            try:
                self._entry(entry)
            except _BadEntry as bad:
                faults.append(ZoneFault(bad.place, str(bad)))
        faults += scanner.faults
        if not faults:
            faults += _zone_faults(self._file, self._zone)
        faults.sort(key=lambda fault: (fault.place.line, fault.place.column))
        return self._file

    def _entry(self, entry: Entry) -> None:
        first = entry.tokens[0]
        if first.source.startswith("$") and not first.quoted and not entry.continues:
            self._directive(entry)
            return
        tokens = list(entry.tokens)
        if not entry.continues:
            token = tokens.pop(0)
            self._owner = self._name(token)
            if not self._owner.is_subdomain(self._zone):
                raise _BadEntry(
                    token.whole,
                    f"{_spoken(self._owner)} does not lie in the zone {_spoken(self._zone)}: nobody asks for it here",
                )
        elif self._owner is None:
            raise _BadEntry(first.whole, "the first record begins with a blank, so it has no owner")
        ttl, rdtype, rest, last = self._head(entry, tokens)
        try:
            data = data_of(rdtype, rest, last, self._origin)
        except BadData as bad:
            raise _BadEntry(bad.place, str(bad)) from bad
        self._keep(entry, ttl, rdtype, data, rest)

    def _head(
        self, entry: Entry, tokens: list[Token]
    ) -> tuple[int, dns.rdatatype.RdataType, list[Token], Token]:
        """TTL and class, in either order and each optional, then the type; the tokens after it; the type's token."""
        ttl: int | None = None
        last = entry.tokens[0]
        while tokens:
            last = tokens.pop(0)
            if not last.quoted and last.source.upper() in _CLASSES:
                if last.source.upper() != "IN":
                    raise _BadEntry(last.whole, f"the class {last.source} is not the Internet's: write IN")
            elif ttl is None and not last.quoted and _TTL.fullmatch(last.source):
                ttl = _seconds(last)
            else:
                return self._ttl_of(ttl), _type(last), tokens, last
        raise _BadEntry(last.whole, "the record ends before it says its type and data")

    def _ttl_of(self, ttl: int | None) -> int:
        if ttl is not None:
            self._ttl = self._ttl if self._ttl is not None else ttl
            return ttl
        return DEFAULT_TTL if self._ttl is None else self._ttl

    def _keep(
        self, entry: Entry, ttl: int, rdtype: dns.rdatatype.RdataType, data: Any, rest: list[Token]
    ) -> None:
        owner = self._owner
        assert owner is not None
        found = dns.rdatatype.to_text(rdtype)
        strings = found in ("TXT", "SPF")
        self._file.records.append(
            ZoneRecord(
                owner=_spoken(owner).lower(),
                type=found,
                ttl=ttl,
                data=data.rdata.to_text(),
                place=entry.tokens[0].whole,
                texts=data.texts,
                cut=entry.comment if strings and not all(token.quoted for token in rest) else None,
                names=data.relative,
            )
        )
        self._file.served.append((owner, ttl, data.rdata))

    def _directive(self, entry: Entry) -> None:
        first, arguments = entry.tokens[0], entry.tokens[1:]
        word = first.source.upper()
        if word in _REFUSED:
            raise _BadEntry(first.whole, _REFUSED[word])
        if word not in ("$TTL", "$ORIGIN"):
            raise _BadEntry(
                first.whole, f"{first.source} is no directive: a master file knows $ORIGIN and $TTL"
            )
        if len(arguments) != 1:
            raise _BadEntry(first.whole, f"{word} takes exactly one value")
        if word == "$TTL":
            self._ttl = _seconds(arguments[0])
        else:
            self._origin = self._name(arguments[0])

    def _name(self, token: Token) -> dns.name.Name:
        try:
            return name_of(token, self._origin)
        except BadData as bad:
            raise _BadEntry(bad.place, str(bad)) from bad


def _type(token: Token) -> dns.rdatatype.RdataType:
    try:
        if token.quoted or dns.rdatatype.is_metatype(found := dns.rdatatype.from_text(token.source)):
            raise ValueError
    except (dns.exception.DNSException, ValueError) as error:
        from grader.model.templates import nearest

        hint = nearest("%s", token.source.upper(), ("A", "AAAA", "CNAME", "MX", "NS", "SOA", "SRV", "TXT"))
        raise _BadEntry(token.whole, f"“{token.source[:40]}” is no type of record{hint}") from error
    return found


def _seconds(token: Token) -> int:
    if token.quoted or not _TTL.fullmatch(token.source) or len(token.source) > 40:
        raise _BadEntry(token.whole, "a time to live is a number of seconds, or such as 1h or 2d")
    parts = re.findall(r"(\d+)([a-z]?)", token.source.lower())
    total = sum(int(number) * _UNIT[unit] for number, unit in parts)
    if total > LARGEST_TTL:
        raise _BadEntry(token.whole, f"a time to live is at most {LARGEST_TTL} seconds (RFC 2181 section 8)")
    return total


def _zone_faults(file: ZoneFile, zone: dns.name.Name) -> list[ZoneFault]:
    """What holds for a zone as a whole: one SOA and NS at the top (RFC 1035 5.2); an alias alone (RFC 1034 3.6.2)."""
    faults: list[ZoneFault] = []
    apex = _spoken(zone).lower()
    starts = [record for record in file.records if record.type == "SOA"]
    top = Span(0, 0, 0)
    if not starts:
        faults.append(ZoneFault(top, "there is no SOA record, with which a zone begins"))
    for record in starts[1:]:
        faults.append(ZoneFault(record.place, "a second SOA record: a zone has exactly one"))
    if starts and starts[0].owner != apex:
        faults.append(ZoneFault(starts[0].place, f"the SOA record belongs to {apex} itself"))
    if starts and not any(record.type == "NS" and record.owner == apex for record in file.records):
        faults.append(
            ZoneFault(starts[0].place, f"{apex} has no NS record, so nobody knows who answers for it")
        )
    aliases = {record.owner: record for record in file.records if record.type == "CNAME"}
    for record in file.records:
        alias = aliases.get(record.owner)
        if (
            alias is not None
            and record is not alias
            and (record.type, record.data) != (alias.type, alias.data)
        ):
            faults.append(
                ZoneFault(
                    record.place,
                    f"{record.owner} has a CNAME record, so it can have no other (RFC 1034 section 3.6.2)",
                )
            )
    return faults[:MOST_FAULTS]


def _spoken(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True)

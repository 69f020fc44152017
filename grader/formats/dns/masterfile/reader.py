"""From entries to records: names, types and data, as evidence keeps them and as a nameserver serves them."""

from __future__ import annotations

import dns.exception
import dns.name
import dns.rdatatype

from grader.formats.dns.entries import BadEntry, Entries
from grader.formats.dns.masterfile.data import BadData, Data, data_of, name_of
from grader.formats.dns.masterfile.file import ServedRecord, ZoneFile
from grader.formats.dns.masterfile.whole import mark_fault, zone_faults
from grader.formats.dns.names import plain
from grader.formats.dns.slips import wide_text
from grader.formats.dns.tokens import ZoneEntry, ZoneToken, begins_with_mark, displayed, lines_of
from grader.model.diagnostic import Span, fault_in
from grader.model.dns import ZoneRecord

DEFAULT_TTL = 3600


def read_zone(data: bytes, origin: str) -> ZoneFile:
    """Read the zone of ``origin``, whole, as a nameserver would load it.

    What is wrong is in ``faults``, up to 20, in the file's order; nothing is raised.
    """
    if (lines := wide_text(data)) is not None:
        sentence = (
            "the file is in UTF-16, which some editors call Unicode: no nameserver reads it; save it as UTF-8"
        )
        return ZoneFile(lines, [fault_in(Span(0, 0), sentence)])
    file = read_records(data, origin)
    if not file.faults:
        file.faults += zone_faults(file, dns.name.from_text(origin))
    if begins_with_mark(data):
        file.faults.insert(0, mark_fault(file))
    return file


def read_records(data: bytes, origin: str, *, inside: bool = True) -> ZoneFile:
    """Read records that are part of the zone of ``origin``, ``inside`` it or wherever their owners say.

    What is wrong is in ``faults``, up to 20, in the file's order; nothing is raised.
    """
    lines = lines_of(data)
    records = _Records(lines, dns.name.from_text(origin), inside=inside)
    records.read()
    records.file.faults = records.faults
    return records.file


class _Records(Entries[dns.name.Name]):
    def __init__(self, lines: list[str], zone: dns.name.Name, *, inside: bool) -> None:
        super().__init__(lines, zone)
        self.file = ZoneFile([displayed(line) for line in lines])
        self._zone = zone
        self._inside = inside
        self._last_ttl: int | None = None

    def name(self, token: ZoneToken, origin: dns.name.Name) -> dns.name.Name:
        """See ``Entries``."""
        try:
            return name_of(token, origin)
        except BadData as bad:
            raise BadEntry(bad.place, str(bad)) from bad

    def record(
        self,
        entry: ZoneEntry,
        owner: dns.name.Name,
        ttl: int | None,
        type_: ZoneToken,
        data: list[ZoneToken],
        origin: dns.name.Name,
    ) -> None:
        """See ``Entries``."""
        if self._inside and not owner.is_subdomain(self._zone):
            if entry.continues:
                return  # what is wrong was told of the record whose name it shares
            zone = plain(self._zone)
            raise BadEntry(
                entry.tokens[0].whole,
                f"{plain(owner)} does not lie in the zone {zone}, and nobody asks for it here: RFC 1035 section 5.2 "
                "makes that an error; NSD loads nothing then, BIND all but this record",
            )
        try:
            read = data_of(_type(type_), data, type_, origin)
        except BadData as bad:
            raise BadEntry(bad.place, str(bad)) from bad
        self._keep(entry, owner, self._seconds_of(ttl, read), type_, read, data)

    def _keep(
        self,
        entry: ZoneEntry,
        owner: dns.name.Name,
        ttl: int | None,
        type_: ZoneToken,
        data: Data,
        tokens: list[ZoneToken],
    ) -> None:
        found = dns.rdatatype.to_text(data.rdata.rdtype)
        strings = found in ("TXT", "SPF")
        record = ZoneRecord(
            owner=(plain(owner) or ".").lower(),
            type=found,
            ttl=DEFAULT_TTL if ttl is None else ttl,
            data=data.rdata.to_text(),
            place=entry.tokens[0].whole,
            texts=data.texts,
            cut=entry.comment if strings and not all(token.quoted for token in tokens) else None,
            names=data.relative,
        )
        self.file.records.append(record)
        self.file.served.append(ServedRecord(owner, record.ttl, data.rdata, data.place, type_.whole))
        if ttl is None and self.file.untimed is None:
            self.file.untimed = record

    def _seconds_of(self, ttl: int | None, data: Data) -> int | None:
        """The time to live: given, else that of ``$TTL`` (RFC 2308 section 4), else of the record before.

        A zone's first record, its SOA, may leave all of them away: its minimum then stands for them, as in BIND.
        """
        if ttl is None:
            ttl = self._last_ttl if self.default_ttl is None else self.default_ttl
        if ttl is None and data.rdata.rdtype == dns.rdatatype.SOA:
            ttl = data.rdata.minimum
        self._last_ttl = ttl
        return ttl


def _type(token: ZoneToken) -> dns.rdatatype.RdataType:
    if token.quoted:
        raise BadEntry(token.whole, "a type of record stands without quotation marks")
    try:
        if dns.rdatatype.is_metatype(found := dns.rdatatype.from_text(token.source)):
            raise ValueError
    except (dns.exception.DNSException, ValueError) as error:
        from grader.model.templates import nearest

        hint = nearest("%s", token.source.upper(), ("A", "AAAA", "CNAME", "MX", "NS", "SOA", "SRV", "TXT"))
        raise BadEntry(token.whole, f"“{token.source[:40]}” is no type of record{hint}") from error
    return found

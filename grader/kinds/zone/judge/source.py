"""From a text in DNS back to the characters of the file that wrote it."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Literal

from msgspec import Struct

from grader.formats.dmarc import VERSION as DMARC_VERSION
from grader.formats.dns.names import key
from grader.formats.dns.tree import Key, answering, existing
from grader.formats.spf import VERSION as SPF_VERSION
from grader.formats.taglist import TagList, read_tags
from grader.kinds.zone.facts import ZoneFacts
from grader.model.diagnostic import Span
from grader.model.dns import ZoneRecord
from grader.model.pointer import Pointer

About = Literal["spf", "dmarc", "dkim", "names"]

MOST_ALIASES = 8
"""Aliases that one question leads through; a ring of them never ends."""


class Remark(Struct, frozen=True):
    """Something odd: a code for it, what it concerns, the place, and a sentence."""

    code: str
    about: About
    place: Span
    sentence: str


class TxtRecord(Struct, frozen=True, dict=True):
    """A TXT record as readers see it: its strings joined, each octet with its place in the file."""

    record: ZoneRecord

    @cached_property
    def _octets(self) -> list[tuple[int, Span]]:
        found = []
        for text in self.record.texts:
            octets = text.octets()
            begins = sorted({offset for _, offset in octets})
            ends = dict(zip(begins, [*begins[1:], len(text.source)], strict=False))
            for octet, offset in octets:
                place = Span(text.place.line, text.place.column + offset, ends[offset] - offset)
                found.append((octet, place))
        return found

    @cached_property
    def text(self) -> str:
        """The text, one character an octet, so that offsets are octets."""
        return bytes(octet for octet, _ in self._octets).decode("latin-1")

    @property
    def owner(self) -> Span:
        """Where the record begins: its owner, where it is written."""
        return self.record.place

    def place(self, start: int, end: int) -> Span:
        """The characters that write the octets from ``start`` to before ``end``, as far as they share a line."""
        inside = self._octets[start : max(end, start + 1)] or self._octets[-1:]
        if not inside:
            return self.record.place
        first = inside[0][1]
        last = [place for _, place in inside if place.line == first.line][-1]
        return Span(first.line, first.column, last.column + last.length - first.column)

    def value(self, tag: str) -> Span | None:
        """Where a tag with its value stands in a list of tags (RFC 6376 section 3.2, RFC 9989 section 4.7)."""
        found = self.tags.tags.get(tag)
        return self.place(found.start, found.end) if found else None

    @cached_property
    def tags(self) -> TagList:
        """The text as a list of tags, names in lower case."""
        return read_tags(self.text, any_case=True)


class TxtRecords:
    """All TXT records of a zone."""

    def __init__(self, zone: ZoneFacts) -> None:
        self.zone = zone
        self.all = [TxtRecord(record) for record in zone.records if record.texts]

    @cached_property
    def _found(self) -> dict[Key, list[TxtRecord]]:
        found: dict[Key, list[TxtRecord]] = {}
        for txt_record in self.all:
            if txt_record.record.type == "TXT" and (owner := key(txt_record.record.owner)) is not None:
                found.setdefault(owner, []).append(txt_record)
        return found

    @cached_property
    def _names(self) -> set[Key]:
        owners = (owner for record in self.zone.records if (owner := key(record.owner)) is not None)
        return existing(owners, key(self.zone.origin) or ())

    def at(self, owner: str) -> list[TxtRecord]:
        """The TXT records that answer for a name, behind aliases, by a wildcard where it does not exist (RFC 4592)."""
        name = key(self.way(owner)[0])
        source = None if name is None else answering(name, self._names)
        return [] if source is None else self._found.get(source, [])

    def way(self, owner: str) -> tuple[str, list[ZoneRecord]]:
        """The name that is asked in the end, and the aliases that lead there (RFC 1034 section 3.6.2, RFC 6672)."""
        name, passed = owner.lower().rstrip("."), list[ZoneRecord]()
        while len(passed) < MOST_ALIASES and (alias := self._alias(name)) is not None:
            ending = alias.owner if alias.type == "DNAME" else name
            name = name.removesuffix(ending) + alias.data.lower().rstrip(".")
            passed.append(alias)
        return name, passed

    def _alias(self, owner: str) -> ZoneRecord | None:
        if not any(self._leading.values()) or (name := key(owner)) is None:
            return None
        dnames = self._leading["DNAME"]
        above = (name[:length] for length in range(1, len(name)) if dnames)
        found = next((dnames[place] for place in above if place in dnames), None)
        source = answering(name, self._names) if found is None else None
        return found if source is None else self._leading["CNAME"].get(source)

    @cached_property
    def _leading(self) -> dict[str, dict[Key, ZoneRecord]]:
        found: dict[str, dict[Key, ZoneRecord]] = {"CNAME": {}, "DNAME": {}}
        for record in self.zone.records:
            if record.type in found and (owner := key(record.owner)) is not None:
                found[record.type][owner] = record
        return found

    def types(self, owner: str) -> set[str]:
        """The types of the records that answer for a name; ``NS`` alone where other servers are to be asked.

        For a name outside the zone nothing is known of it either.
        """
        owner = self.way(owner)[0]
        name, apex = key(owner), key(self.zone.origin)
        if name is None or apex is None or name[: len(apex)] != apex:
            return {"NS"}
        if self.given_away(owner) is not None:
            return {"NS"}
        return {record.type for record in self._answering(owner)} - {"NS"}

    def given_away(self, name: str) -> ZoneRecord | None:
        """The record that leaves a name to other servers (RFC 1034 section 4.2.1)."""
        place, apex = key(name), key(self.zone.origin) or ()
        if place is None or place[: len(apex)] != apex:
            return None
        above = (place[:length] for length in range(len(apex) + 1, len(place) + 1))
        return next((self._cuts[cut] for cut in above if cut in self._cuts), None)

    def existing(self, name: str) -> str:
        """The name itself if the zone has it, else the nearest above that it has: below that, nothing is (RFC 4592)."""
        labels = name.lower().rstrip(".").split(".")
        above = (".".join(labels[start:]) for start in range(len(labels)))
        return next((one for one in above if key(one) in self._names), name)

    def passed_over(self, owner: str, type_: str, begins: re.Pattern[str] | None = None) -> ZoneRecord | None:
        """The nearest wildcard's record of a type above a name that exists, for which it does not speak (RFC 4592).

        A text is one that begins so.
        """
        labels = owner.lower().rstrip(".").split(".")
        for start in range(1, len(labels)):
            place = key(".".join(["*", *labels[start:]]))
            for record in self._by_owner.get(place, []) if place is not None else []:
                if record.type == type_ and (begins is None or begins.match(TxtRecord(record).text)):
                    return record
        return None

    def data(self, owner: str, type_: str) -> list[str]:
        """The data of the records of a type that answer for a name."""
        return [record.data for record in self._answering(self.way(owner)[0]) if record.type == type_]

    def _answering(self, owner: str) -> list[ZoneRecord]:
        name = key(owner)
        source = None if name is None else answering(name, self._names)
        return [] if source is None else self._by_owner.get(source, [])

    @cached_property
    def _by_owner(self) -> dict[Key, list[ZoneRecord]]:
        found: dict[Key, list[ZoneRecord]] = {}
        for record in self.zone.records:
            if (owner := key(record.owner)) is not None:
                found.setdefault(owner, []).append(record)
        return found

    @cached_property
    def _cuts(self) -> dict[Key, ZoneRecord]:
        found: dict[Key, ZoneRecord] = {}
        for record in self.zone.records:
            if record.type == "NS" and (owner := key(record.owner)) is not None:
                found.setdefault(owner, record)
        return found

    def name(self, owner: str) -> Span | None:
        """The first record that answers for a name, whatever its type."""
        return next((record.place for record in self._answering(owner)), None)

    def elsewhere(self, begins: re.Pattern[str], part: str = "") -> TxtRecord | None:
        """The first TXT record whose text begins so, at whatever name that holds this part."""
        found = (txt_record for txt_record in self.all if part in txt_record.record.owner)
        return next((txt_record for txt_record in found if begins.match(txt_record.text)), None)

    def carried_on(self, begins: re.Pattern[str]) -> TxtRecord | None:
        """The first TXT record whose text begins so, in a line that has the name of the record before it."""
        lines = self.zone.lines
        found = (one for one in self.all if lines[one.record.place.line][:1] in (" ", "\t"))
        return next((txt_record for txt_record in found if begins.match(txt_record.text)), None)

    def spf(self, domain: str) -> list[TxtRecord]:
        """The SPF records of a domain."""
        return [txt_record for txt_record in self.at(domain) if SPF_VERSION.match(txt_record.text)]

    def dmarc(self, domain: str) -> list[TxtRecord]:
        """The DMARC records of a domain."""
        return [
            txt_record for txt_record in self.at(f"_dmarc.{domain}") if DMARC_VERSION.match(txt_record.text)
        ]


def pointer(place: Span) -> Pointer:
    """The place as a pointer into the evidence."""
    return Pointer("zone", place.line, span=(place.column, place.length))


def spoken(place: Span) -> str:
    """The place in words, counted from one: ``line 9, column 20``."""
    return f"line {place.line + 1}, column {place.column + 1}"

"""From a text in DNS back to the characters of the file that wrote it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from grader.formats.dns.names import Key, answering, existing, key
from grader.kinds.zone.facts import ZoneFacts
from grader.model.diagnostic import Span
from grader.model.dns import ZoneRecord
from grader.model.pointer import Pointer

SPF = re.compile(r"v=spf1(?: |$)", re.IGNORECASE)
"""How an SPF record begins (RFC 7208 section 4.5)."""
DMARC = re.compile(r"v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)")
"""How a DMARC record begins (RFC 9989 section 4.8)."""

About = Literal["spf", "dmarc", "dkim", "names"]


@dataclass(frozen=True)
class Remark:
    """Something odd: a code for it, what it concerns, the place, and a sentence."""

    code: str
    about: About
    place: Span
    sentence: str


@dataclass(frozen=True)
class TxtRecord:
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

    def find(self, part: str) -> Span | None:
        """Where a part of the text stands, taken as a whole word; ``None`` where it does not occur."""
        found = re.search(rf"(?<!\S){re.escape(part)}(?!\S)", self.text, re.IGNORECASE)
        return self.place(*found.span()) if part and found else None

    def value(self, tag: str) -> Span | None:
        """Where a tag with its value stands in a list of tags (RFC 6376 section 3.2, RFC 9989 section 4.7)."""
        for name, _, start, end in self.tags():
            if name == tag:
                return self.place(start, end)
        return None

    def tags(self) -> Iterator[tuple[str, str, int, int]]:
        """Each tag in lower case, its value, and where both begin and end; a part without ``=`` has an empty tag."""
        at = 0
        for part in self.text.split(";"):
            stripped = part.strip()
            start = at + len(part) - len(part.lstrip())
            at += len(part) + 1
            if stripped:
                name, equals, value = stripped.partition("=")
                yield name.strip().lower() if equals else "", value.strip(), start, start + len(stripped)

    def terms(self) -> Iterator[tuple[str, int, int]]:
        """The terms of an SPF record behind its version, and where each begins and ends."""
        for found in re.finditer(r"[^ ]+", self.text):
            if found.start():
                yield found[0], *found.span()


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
        """The TXT records that answer for a name, by a wildcard above it where it does not exist (RFC 4592)."""
        name = key(owner)
        source = None if name is None else answering(name, self._names)
        return [] if source is None else self._found.get(source, [])

    def elsewhere(self, part: str) -> TxtRecord | None:
        """The first TXT record at a name with a label, or several, that hold this part."""
        return next((txt_record for txt_record in self.all if part in txt_record.record.owner), None)

    def spf(self, domain: str) -> list[TxtRecord]:
        """The SPF records of a domain."""
        return [txt_record for txt_record in self.at(domain) if SPF.match(txt_record.text)]

    def dmarc(self, domain: str) -> list[TxtRecord]:
        """The DMARC records of a domain."""
        return [txt_record for txt_record in self.at(f"_dmarc.{domain}") if DMARC.match(txt_record.text)]


def pointer(place: Span) -> Pointer:
    """The place as a pointer into the evidence."""
    return Pointer("zone", place.line, span=(place.column, place.length))


def spoken(place: Span) -> str:
    """The place in words, counted from one: ``line 9, column 20``."""
    return f"line {place.line + 1}, column {place.column + 1}"

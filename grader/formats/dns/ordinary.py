"""Zones in master-file format of which every record is ordinary, as a lab's own are, read without a library for DNS.

What is out of the ordinary, or wrong, is not read here: ``masterfile`` knows it all, and says where a fault stands.
"""

from __future__ import annotations

import ipaddress
import struct

from grader.formats.dns.entries import LARGEST_TTL, Entries
from grader.formats.dns.octets import (
    AAAA,
    CNAME,
    LONGEST_NAME,
    MX,
    NS,
    PTR,
    SOA,
    TXT,
    TYPES,
    A,
    Name,
    Record,
    labels_of,
    text_data,
    written,
)  # fmt: skip
from grader.formats.dns.tokens import ZoneEntry, ZoneToken, lines_of
from grader.formats.dns.tree import key_of_labels

LONGEST_TEXTS = 4_096
"""Octets of a TXT record's data, as of any in ``masterfile``."""

_LARGEST = {MX: 65_535, SOA: LARGEST_TTL}
_MOST_DIGITS = 10


class _Unusual(Exception):
    """Something that is left to the library."""


def read_ordinary(data: bytes, zone: Name) -> list[Record] | None:
    """The records of a zone; ``None`` where one of them, or anything else in the file, is out of the ordinary."""
    entries = _Ordinary(lines_of(data), zone)
    try:
        entries.read()
    except _Unusual:
        return None
    return None if entries.faults else entries.found


class _Ordinary(Entries[Name]):
    def __init__(self, lines: list[str], zone: Name) -> None:
        super().__init__(lines, zone)
        self.found: list[Record] = []
        self._zone = key_of_labels(zone)

    def name(self, token: ZoneToken, origin: Name) -> Name:
        """See ``Entries``."""
        if token.quoted:
            raise _Unusual
        if token.source == "@":
            return origin
        labels = labels_of(token.source)
        if labels is None:
            raise _Unusual
        name = labels if token.source.endswith(".") else labels + origin
        if sum(map(len, name)) + len(name) + 1 > LONGEST_NAME:
            raise _Unusual
        return name

    def record(
        self,
        entry: ZoneEntry,
        owner: Name,
        ttl: int | None,
        type_: ZoneToken,
        data: list[ZoneToken],
        origin: Name,
    ) -> None:
        """See ``Entries``."""
        seconds = self.default_ttl if ttl is None else ttl
        number = 0 if type_.quoted else TYPES.get(type_.source.upper(), 0)
        if seconds is None or key_of_labels(owner)[: len(self._zone)] != self._zone:
            raise _Unusual
        self.found.append(Record(owner, number, seconds, self._data(number, data, origin)))

    def _data(self, type_: int, tokens: list[ZoneToken], origin: Name) -> bytes:
        if type_ == TXT:
            return _texts(tokens)
        if type_ in (NS, CNAME, PTR) and len(tokens) == 1:
            return written(self.name(tokens[0], origin))
        if type_ == MX and len(tokens) == 2:
            return struct.pack("!H", _number(tokens[0], type_)) + written(self.name(tokens[1], origin))
        if type_ == SOA and len(tokens) == 7:
            names = (written(self.name(token, origin)) for token in tokens[:2])
            return b"".join(names) + struct.pack("!5L", *(_number(token, type_) for token in tokens[2:]))
        if type_ in (A, AAAA) and len(tokens) == 1 and not tokens[0].quoted:
            try:
                address = (ipaddress.IPv4Address if type_ == A else ipaddress.IPv6Address)(tokens[0].source)
            except ValueError:
                raise _Unusual from None
            # An address with a zone (RFC 4007) is none that DNS could hold.
            if "%" not in tokens[0].source:
                return address.packed
        raise _Unusual


def _number(token: ZoneToken, type_: int) -> int:
    digits = token.source
    if token.quoted or not digits.isascii() or not digits.isdigit() or len(digits) > _MOST_DIGITS:
        raise _Unusual
    if int(digits) > _LARGEST[type_]:
        raise _Unusual
    return int(digits)


def _texts(tokens: list[ZoneToken]) -> bytes:
    if not tokens or any("\\" in token.source or not token.source.isascii() for token in tokens):
        raise _Unusual
    try:
        data = text_data(token.source.encode("ascii") for token in tokens)
    except ValueError:
        raise _Unusual from None
    if len(data) > LONGEST_TEXTS:
        raise _Unusual
    return data

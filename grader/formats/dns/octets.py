"""Names and records as they stand in messages (RFC 1035 section 3): read, written, and told in words.

Without a library for DNS, which takes longer to load than all answers of a run. Only what is seldom asked for or said
is left to it.
"""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Iterable
from typing import NamedTuple

from grader.formats.dns.wire import RECORD

Name = tuple[bytes, ...]
"""A name's labels as they are written, the first one first, without the root's empty one."""

INTERNET = 1
"""The class of all records here."""

LONGEST_NAME = 255
LONGEST_LABEL = 63
"""Octets (RFC 1035 section 2.3.4)."""

A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, DNAME = 1, 2, 5, 6, 12, 15, 16, 28, 39
TYPES = {
    "A": A, "NS": NS, "CNAME": CNAME, "SOA": SOA, "PTR": PTR, "MX": MX, "TXT": TXT, "AAAA": AAAA, "DNAME": DNAME,
    "SRV": 33, "DS": 43, "DNSKEY": 48, "TLSA": 52, "SVCB": 64, "HTTPS": 65, "SPF": 99, "ANY": 255, "CAA": 257,
}  # fmt: skip
"""The types of records that mail servers ask for, or a lab's zones hold."""
_TYPE_NAMES = {number: name for name, number in TYPES.items()}

_NAME_AT = {NS: 0, CNAME: 0, PTR: 0, DNAME: 0, MX: 2}
"""Octets before the name with which the data of some types end."""
_NUMBERS = struct.Struct("!5L")
"""What follows the two names of a SOA record."""
_SHORTENED = (NS, CNAME, PTR, MX)
"""The types of ``_NAME_AT`` in whose data a name may be compressed, as everybody knows them (RFC 3597 section 4)."""

_ORDINARY = re.compile(r"(?:[A-Za-z0-9_*-]{1,63}\.)*[A-Za-z0-9_*-]{1,63}\.?")
_TO_ESCAPE = b'"().;\\@$'
_NEVER_ESCAPED = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"


class Record(NamedTuple):
    """A record: its data are octets in which every name is whole."""

    owner: Name
    type: int
    ttl: int
    data: bytes


class RecordSet(NamedTuple):
    """Records of one owner and type."""

    owner: Name
    type: int
    ttl: int
    data: tuple[bytes, ...]


class BadName(Exception):
    """Octets that are no name."""


def labels_of(text: str) -> Name | None:
    """The labels of an absolute name, with or without the dot at its end; ``None`` for one out of the ordinary."""
    if text in ("", "."):
        return ()
    if not _ORDINARY.fullmatch(text) or len(text) > LONGEST_NAME - 2:
        return None
    return tuple(text.removesuffix(".").encode("ascii").split(b"."))


def read_name(octets: bytes, at: int) -> tuple[Name, int]:
    """The name at a place, compressed or not, and where it ends. Raises ``BadName`` and ``IndexError``."""
    labels: list[bytes] = []
    end, before, length = 0, at, 1
    while count := octets[at]:
        if count <= LONGEST_LABEL:
            labels.append(octets[at + 1 : at + 1 + count])
            at += 1 + count
            length += 1 + count
        elif count >= 0xC0:
            end = end or at + 2
            at = (count & 0x3F) << 8 | octets[at + 1]
            if at >= before:
                raise BadName("a pointer that does not lead back")
            before = at
        else:
            raise BadName("a label of no known kind")
        if length > LONGEST_NAME:
            raise BadName("a name of more than 255 octets")
    return tuple(labels), end or at + 1


def written(name: Name) -> bytes:
    """A name as octets, whole."""
    return b"".join(bytes((len(label),)) + label for label in name) + b"\0"


def put_name(packet: bytearray, name: Name, known: dict[Name, int]) -> None:
    """Write a name into a packet; what of it stands there, as ``known``, as a pointer (RFC 1035 section 4.1.4)."""
    lowered = tuple(map(bytes.lower, name))
    for at, label in enumerate(name):
        if (place := known.get(lowered[at:])) is not None:
            packet += (0xC000 | place).to_bytes(2, "big")
            return
        if len(packet) < 0x4000:
            known[lowered[at:]] = len(packet)
        packet.append(len(label))
        packet += label
    packet.append(0)


def put_records(packet: bytearray, sets: Iterable[RecordSet], known: dict[Name, int]) -> int:
    """Write records into a packet; how many. Raises ``struct.error`` where one has more data than a packet holds."""
    count = 0
    for owner, type_, ttl, several in sets:
        for data in several:
            put_name(packet, owner, known)
            packet += RECORD.pack(type_, INTERNET, ttl, len(data))
            if type_ in _SHORTENED or type_ == SOA:
                begin = len(packet)
                _put_names(packet, type_, data, known)
                packet[begin - 2 : begin] = struct.pack("!H", len(packet) - begin)
            else:
                packet += data
        count += len(several)
    return count


def _put_names(packet: bytearray, type_: int, data: bytes, known: dict[Name, int]) -> None:
    if type_ == SOA:
        for name in _names_of_start(data):
            put_name(packet, name, known)
        packet += data[-_NUMBERS.size :]
    else:
        at = _NAME_AT[type_]
        packet += data[:at]
        put_name(packet, read_name(data, at)[0], known)


def _names_of_start(data: bytes) -> tuple[Name, Name]:
    primary, at = read_name(data, 0)
    return primary, read_name(data, at)[0]


def name_in(record: Record) -> Name:
    """The name in the data of a CNAME, DNAME, NS, PTR or MX record."""
    return read_name(record.data, _NAME_AT[record.type])[0]


def alike(type_: int, data: bytes) -> bytes:
    """Data in a form in which those that only differ in the case of a name are the same (RFC 4343)."""
    if type_ == SOA:
        return data[: -_NUMBERS.size].lower() + data[-_NUMBERS.size :]
    at = _NAME_AT.get(type_)
    # What says how long a label is is less than any letter.
    return data if at is None else data[:at] + data[at:].lower()


def type_text(type_: int) -> str:
    """The name of a type: ``MX``, or ``TYPE65280``."""
    if known := _TYPE_NAMES.get(type_):
        return known
    from grader.formats.dns import anytype

    return anytype.type_text(type_)


def name_text(name: Name) -> str:
    """A name as people write it, with the dot at its end."""
    return "".join(f"{_escaped(label)}." for label in name) or "."


def data_text(type_: int, data: bytes) -> str:
    """Data as a master file has them (RFC 1035 section 5.1)."""
    if type_ in (A, AAAA):
        return socket.inet_ntop(socket.AF_INET if type_ == A else socket.AF_INET6, data)
    if type_ == TXT:
        return " ".join(f'"{_quotable(string)}"' for string in strings(data))
    if type_ == MX:
        return f"{int.from_bytes(data[:2], 'big')} {name_text(read_name(data, 2)[0])}"
    if type_ in _NAME_AT:
        return name_text(read_name(data, 0)[0])
    if type_ == SOA:
        numbers = _NUMBERS.unpack(data[-_NUMBERS.size :])
        return " ".join([*map(name_text, _names_of_start(data)), *map(str, numbers)])
    from grader.formats.dns import anytype

    return anytype.data_text(type_, data)


def text_data(strings: Iterable[bytes]) -> bytes:
    """The data of a TXT record of these strings. Raises ``ValueError`` for one of more than 255 octets."""
    return b"".join(bytes((len(string),)) + string for string in strings)


def strings(data: bytes) -> list[bytes]:
    """The strings of a TXT record."""
    found, at = [], 0
    while at < len(data):
        found.append(data[at + 1 : at + 1 + data[at]])
        at += 1 + data[at]
    return found


def _escaped(label: bytes) -> str:
    if not label.translate(None, _NEVER_ESCAPED):
        return label.decode("ascii")
    return "".join(
        f"\\{chr(octet)}" if octet in _TO_ESCAPE else chr(octet) if 0x20 < octet < 0x7F else f"\\{octet:03d}"
        for octet in label
    )


def _quotable(string: bytes) -> str:
    return "".join(
        f"\\{chr(octet)}" if octet in b'"\\' else chr(octet) if 0x20 <= octet < 0x7F else f"\\{octet:03d}"
        for octet in string
    )

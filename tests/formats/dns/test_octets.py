"""Names and data are told as dnspython, which is somebody else's, tells them."""

from __future__ import annotations

import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.formats.dns.octets import (
    TYPES,
    BadName,
    alike,
    data_text,
    labels_of,
    name_text,
    put_name,
    read_name,
    strings,
    text_data,
    type_text,
    written,
)
from tests.tables import every

LABELS = st.lists(st.binary(min_size=1, max_size=20), max_size=8).map(tuple)


@given(LABELS)
def test_a_name_is_written_and_told_as_by_the_library(labels: tuple[bytes, ...]) -> None:
    known = dns.name.Name((*labels, b""))
    assert (written(labels), name_text(labels)) == (known.to_wire(), known.to_text())
    assert read_name(b"\0\0" + written(labels) + b"\1", 2) == (labels, 2 + len(written(labels)))


@given(st.lists(LABELS, max_size=5))
def test_names_in_one_packet_are_read_again_however_they_are_shortened(
    names: list[tuple[bytes, ...]],
) -> None:
    packet, known, begun = bytearray(12), dict[tuple[bytes, ...], int](), []
    for name in names:
        begun.append(len(packet))
        put_name(packet, name, known)
    for at, name in zip(begun, names, strict=True):
        read, _ = read_name(bytes(packet), at)
        assert [label.lower() for label in read] == [label.lower() for label in name]
        assert dns.name.from_wire(bytes(packet), at)[0].labels == (*read, b"")


@given(st.binary(max_size=80), st.integers(0, 20))
def test_octets_are_a_name_where_they_are_one_to_the_library(octets: bytes, at: int) -> None:
    try:
        known, used = dns.name.from_wire(octets, at)
    except Exception:
        with pytest.raises((BadName, IndexError)):
            read_name(octets, at)
    else:
        assert read_name(octets, at) == (tuple(filter(None, known.labels)), at + used)


@every(
    ("type_", "text"),
    [
        ("A", "192.0.2.1"),
        ("AAAA", "2001:db8::1"),
        ("AAAA", "::ffff:192.0.2.1"),
        ("AAAA", "::"),
        ("NS", "Ns.Example.com."),
        ("CNAME", r"a\.b.example.com."),
        ("PTR", "."),
        ("DNAME", "example.net."),
        ("MX", "10 mail.example.com."),
        ("SOA", "ns.example.com. hostmaster.example.com. 1 3600 600 86400 4294967295"),
        ("TXT", r'"v=spf1" "a \"b\" \\ ; \000\255"'),
        ("SRV", "0 1 587 mail.example.com."),
        ("CAA", '0 issue "ca.example"'),
        ("TYPE65280", r"\# 2 ffff"),
    ],
)
def test_data_are_told_as_by_the_library(type_: str, text: str) -> None:
    rdtype = dns.rdatatype.from_text(type_)
    known = dns.rdata.from_text(dns.rdataclass.IN, rdtype, text)
    assert data_text(int(rdtype), known.to_wire() or b"") == known.to_text()
    assert type_text(int(rdtype)) == type_


def test_every_type_has_the_librarys_number() -> None:
    assert {name: int(dns.rdatatype.from_text(name)) for name in TYPES} == TYPES
    assert [type_text(number) for number in range(300)] == [
        dns.rdatatype.to_text(dns.rdatatype.RdataType.make(number)) for number in range(300)
    ]


@pytest.mark.parametrize(
    ("type_", "one", "other", "same"),
    [
        ("MX", b"\x00\x41\x01A\x00", b"\x00\x41\x01a\x00", True),
        ("MX", b"\x00\x41\x01a\x00", b"\x00\x61\x01a\x00", False),
        ("TXT", b"\x01A", b"\x01a", False),
        ("SOA", b"\x01A\x00\x00" + b"A" * 20, b"\x01a\x00\x00" + b"A" * 20, True),
        ("SOA", b"\x01a\x00\x00" + b"A" * 20, b"\x01a\x00\x00" + b"a" * 20, False),
    ],
)
def test_case_does_not_matter_in_a_name_alone(type_: str, one: bytes, other: bytes, same: bool) -> None:
    assert (alike(TYPES[type_], one) == alike(TYPES[type_], other)) is same


@given(st.lists(st.binary(max_size=255), max_size=4))
def test_strings_of_a_text_are_read_as_they_were_written(parts: list[bytes]) -> None:
    assert strings(text_data(parts)) == parts


@every(
    ("text", "labels"),
    [
        ("Mail.example.com", (b"Mail", b"example", b"com")),
        ("_dmarc.example.com.", (b"_dmarc", b"example", b"com")),
        ("*.example", (b"*", b"example")),
        (".", ()),
        ("", ()),
        ("a..b", None),
        (".a", None),
        (r"a\.b", None),
        ("b\u00fccher.example", None),
        ("a" * 64 + ".example", None),
        (".".join(["a" * 63] * 4), None),
    ],
)
def test_an_ordinary_name_needs_no_library(text: str, labels: tuple[bytes, ...] | None) -> None:
    assert labels_of(text) == labels
    if labels is not None:
        assert dns.name.from_text(text).labels == (*labels, b"")

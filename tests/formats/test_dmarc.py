"""DMARC records: what they say, and which tag is at fault."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.formats.dmarc import read_record
from tests.tables import every


@every(
    ("text", "fault", "tag"),
    [
        ("v=DMARC1; p=reject", None, ""),
        ("v=DMARC1;P=Reject;SP=none", None, ""),
        ("V = DMARC1 ; p=reject", None, ""),
        ("v=DMARC1; rua=mailto:a@b.example", "no-policy", "p"),
        ("v=DMARC1", "no-policy", "p"),
        ("v=DMARC1; p=rejected", "bad-policy", "p"),
        ("v=DMARC1; p=none; sp=quarantene", "bad-policy", "sp"),
        ("v=DMARC1; p=none; np=", "bad-policy", "np"),
        ("v=DMARC1; p=reject; sp=reject; SP=none", "twice", "sp"),
        ("v=DMARC1; p=reject; x-note=a; x-note=b", None, ""),
    ],
)
def test_the_tag_at_fault(text: str, fault: str | None, tag: str) -> None:
    record = read_record(text)
    assert record
    assert (record.fault, record.wrong_tag) == (fault, tag)


@pytest.mark.parametrize(
    "text", ["v=dmarc1; p=none", "V=Dmarc1", "p=none; v=DMARC1", " v=DMARC1", "v=DMARC1 p=none", ""]
)
def test_what_is_no_record(text: str) -> None:
    assert read_record(text) is None


def test_addresses_with_their_places() -> None:
    text = "v=DMARC1; p=none; rua=mailto:a@b.example!5m , https://c.example/x, d@e.example"
    record = read_record(text)
    assert record
    assert record.addresses == ["a@b.example"]
    assert [(text[uri.start : uri.end], uri.valid) for uri in record.uris()] == [
        ("mailto:a@b.example!5m", True),
        ("https://c.example/x", True),
        ("d@e.example", False),
    ]


@given(st.text(alphabet="vDMARC1=; prua,mailto:@.!x", max_size=60))
def test_any_text_can_be_read(text: str) -> None:
    record = read_record(f"v=DMARC1;{text}")
    assert record
    assert record.valid == (record.fault is None)
    assert all(0 <= uri.start <= uri.end <= len(record.text) for uri in record.uris())

"""The fields of a header, with their places."""

from __future__ import annotations

import pytest

from grader.formats.message.parse import header_fields, line_of


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_fields_with_their_lines(end: bytes) -> None:
    raw = end.join([b"From me Mon Nov 23", b"A: 1", b"\tmore", b"Bee:2", b"", b"C: 3", b""])
    found = header_fields(raw)
    assert [(line_of(raw, field.offset), field.name, field.key, field.text) for field in found] == [
        (1, "A", "a", " 1\tmore"),
        (3, "Bee", "bee", "2"),
    ]


def test_a_line_that_is_no_field_ends_the_header_as_it_does_for_servers() -> None:
    assert [field.name for field in header_fields(b"A: 1\nodd line\nB: 2\n\n")] == ["A"]


def test_octets_beyond_ascii_are_kept() -> None:
    (field,) = header_fields(b"Subject: \xe4\xff\n\n")
    assert field.text.encode("ascii", "surrogateescape") == b" \xe4\xff"

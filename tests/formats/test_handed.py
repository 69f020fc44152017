"""Text files as editors save them."""

from __future__ import annotations

import pytest

from grader.formats.handed import without_mark

TEXT = "Grüße\r\nEHLO a\r\n"


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_text_is_the_same_however_it_was_saved(charset: str) -> None:
    assert without_mark(TEXT.encode(charset)) == TEXT.encode()


def test_the_other_order_of_octets_is_read_as_well() -> None:
    assert without_mark(("\ufeff" + TEXT).encode("utf-16-be")) == TEXT.encode()


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe", b"\xff\xfe\x00", b"\xfe\xff\xd8\x00", b"\x00\xef\xbb\xbf", b"\xef\xbb"]
)
def test_what_is_no_text_stays_as_it_is(data: bytes) -> None:
    assert without_mark(data) == data

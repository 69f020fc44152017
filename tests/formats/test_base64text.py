"""Base64 means the same to every Python that runs this."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.formats.base64text import octets_of, padded_too_far
from tests.tables import every


@given(st.binary(max_size=100))
def test_what_was_encoded_comes_back(octets: bytes) -> None:
    text = base64.b64encode(octets).decode()
    assert octets_of(text) == octets
    assert not padded_too_far(text)
    assert padded_too_far(text + "=")


@every(
    "text",
    ["=", "====", "YQ", "YQ=", "YQ===", "YWI==", "YWJj=", "YQ==YQ==", "Y Q==", "YQ==\n", "Y-_=", "Yé=="],
)
def test_nothing_else_is_read(text: str) -> None:
    with pytest.raises(ValueError, match="no base64"):
        octets_of(text)


@every(
    "text, expected",
    [
        ("YQ===", True),
        ("YWJj=", True),
        ("YQ=", False),
        ("Y====", False),
        ("YQ==YQ===", False),
        ("Y-====", False),
    ],
)
def test_only_signs_at_the_end_are_too_many(text: str, expected: bool) -> None:
    assert padded_too_far(text) is expected

"""Tag lists, with their places."""

from __future__ import annotations

import pytest
from dkim.util import InvalidTagValueList, parse_tag_value
from hypothesis import given
from hypothesis import strategies as st

from grader.formats.taglist import read_tags

LISTS = st.text(alphabet="ab1_;= \t\r\né.", max_size=40)


def test_names_and_values_with_their_places() -> None:
    text = "v=DKIM1 ;\tk = rsa; n=a b;;p="
    assert [(part.name, part.value, part.fault) for part in read_tags(text).parts] == [
        ("v", "DKIM1", None),
        ("k", "rsa", None),
        ("n", "a b", None),
        ("", "", "empty"),
        ("p", "", None),
    ]
    k = read_tags(text).tags["k"]
    assert (text[k.start : k.end], text[k.value_start : k.end]) == ("k = rsa", "rsa")


@pytest.mark.parametrize("text", ["", " ", "a=1;", "a=1; "])
def test_a_semicolon_may_stand_at_the_end(text: str) -> None:
    assert read_tags(text).malformed is None


@pytest.mark.parametrize(
    ("text", "part", "fault"),
    [
        ("a=1; b; c=2", "b", "no-equals"),
        ("a=1;;c=2", "", "empty"),
        ("a=1; =2", "=2", "bad-name"),
        ("a=1; 2=x", "2=x", "bad-name"),
        ("a=1; b c=x", "b c=x", "bad-name"),
    ],
)
def test_a_part_that_is_no_tag_is_kept(text: str, part: str, fault: str) -> None:
    found = read_tags(text).malformed
    assert found
    assert (text[found.start : found.end], found.fault) == (part, fault)


def test_the_second_of_two_is_the_duplicate_and_the_first_is_taken() -> None:
    found = read_tags("p=1; q=2; p=3")
    assert found.duplicate
    assert (found.duplicate.value, found.values) == ("3", {"p": "1", "q": "2"})
    assert read_tags("P=1; p=2").duplicate is None
    assert read_tags("P=1; p=2", any_case=True).duplicate


@given(LISTS)
def test_every_part_is_where_it_is_said_to_be(text: str) -> None:
    at = 0
    for part in read_tags(text).parts:
        assert at <= part.start <= part.value_start <= part.end <= len(text)
        assert text[part.value_start : part.end] == part.value
        assert text[part.start : part.end].startswith(part.name)
        at = part.end


@given(st.text(alphabet="ab1_;= \t.", max_size=40))
def test_values_are_those_that_dkimpy_reads(text: str) -> None:
    found = read_tags(text)
    try:
        expected = parse_tag_value(text.encode())
    except InvalidTagValueList:
        assert found.malformed or found.duplicate
        return
    if found.malformed is None:
        assert {name.decode(): value.decode() for name, value in expected.items()} == found.values

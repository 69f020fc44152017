"""An author is drawn whom the patterns of the submission know nothing of."""

from __future__ import annotations

import hashlib

import pytest

from grader.kinds.server.plan.authors import Authors
from grader.labs.variant import RandomStream
from grader.labs.world import WordLists, read_world

MANY = 60


@pytest.fixture(scope="module")
def words() -> WordLists:
    return read_world().words


def drawn(table: str, words: WordLists) -> list[str]:
    authors = Authors([table.encode()])
    streams = (RandomStream(hashlib.sha256(b"%d" % number).digest()) for number in range(MANY))
    return [authors.draw(stream, words) for stream in streams]


def test_where_no_pattern_is_narrow_an_author_has_two_names(words: WordLists) -> None:
    for table in ("*@example.com mail\n", "alice@example.com mail\n", "# a*@example.com\n* mail\n", ""):
        assert all(author.count(".") == 1 for author in drawn(table, words))


def test_authors_begin_with_no_letter_that_a_pattern_names(words: WordLists) -> None:
    letters = "abcdefghijklm"
    table = "".join(f"{letter}*@example.com mail\n" for letter in letters)
    assert all(author[0] not in letters for author in drawn(table, words))


def test_where_patterns_know_every_letter_an_author_begins_with_a_digit(words: WordLists) -> None:
    table = "".join(f"{chr(letter)}*@example.com mail\n" for letter in range(ord("a"), ord("z") + 1))
    assert all(author[0].isdigit() for author in drawn(table, words))


def test_authors_lack_what_a_pattern_wants_between_or_at_the_end(words: WordLists) -> None:
    assert all("." not in author for author in drawn("*.*@example.com mail\n", words))
    assert not any(author.endswith(("n", "r")) for author in drawn("*n@*\n*r@example.com mail\n", words))


def test_a_pattern_of_hundreds_of_stars_takes_no_time(words: WordLists) -> None:
    assert len(drawn(("a*" * 31 + "@example.com mail\n") * 300, words)) == MANY

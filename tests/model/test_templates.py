"""Names in texts and in files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.model.errors import LabError
from grader.model.templates import fill, fill_file, left_over, names_in

NAMES = {"domain": "example.com", "host": "mail.example.com", "host_v4": "203.0.113.10"}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("alice@{domain}", "alice@example.com"),
        ("alice@[{host_v4}]", "alice@[203.0.113.10]"),
        ("{{domain}}", "{domain}"),
        ("{ domain }", "{ domain }"),
        ("{Domain} {} {1}", "{Domain} {} {1}"),
        ("-o smtpd_x={ a, b }", "-o smtpd_x={ a, b }"),
    ],
)
def test_texts(text: str, filled: str) -> None:
    assert fill(text, NAMES) == filled


def test_an_unknown_name_is_an_error_with_the_nearest_one() -> None:
    with pytest.raises(LabError, match=r"^relay: there is no name \{hots\}; did you mean \{host\}\?"):
        fill("{hots}", NAMES, "relay")


def test_a_value_is_not_filled_again() -> None:
    assert fill("{domain}", {"domain": "{host}", "host": "x"}) == "{host}"


def test_names_in() -> None:
    assert names_in("{a} {{b}} {c_1} { d }") == {"a", "c_1"}


@pytest.mark.parametrize(
    ("data", "filled"),
    [
        (b"alice@@domain@", b"alice@example.com"),
        (b"@domain@ @host@", b"example.com mail.example.com"),
        (b"a@b@domain", b"a@b@domain"),
        (b"jane@other@host@", b"jane@othermail.example.com"),
        (b"@unknown@ @domain@", b"@unknown@ example.com"),
        (b"@host_v4@", b"203.0.113.10"),
        (b"smtpd_x = { $domain } {domain} \xff", b"smtpd_x = { $domain } {domain} \xff"),
    ],
)
def test_files(data: bytes, filled: bytes) -> None:
    assert fill_file(data, NAMES) == filled


@given(st.text())
def test_a_text_without_braces_stays_as_it_is(text: str) -> None:
    plain = text.replace("{", "")
    assert fill(plain, {}) == plain


@given(st.text())
def test_doubled_braces_keep_any_word(text: str) -> None:
    word = "".join(letter for letter in text if letter.isascii() and letter.isalnum()) or "x"
    assert fill("{{" + word + "}}", {}) == "{" + word + "}"


@given(st.binary())
def test_a_file_without_known_names_stays_as_it_is(data: bytes) -> None:
    assert fill_file(data, {"nothingofthekind": "x"}) == data


@pytest.mark.parametrize("line", ["myhostname = @host@", "*@@host@ key", "@host@,other", "(@host@)"])
def test_a_name_of_the_lab_that_was_left_in_a_file_is_named(line: str) -> None:
    said = left_over({"main.cf": f"# a\n{line}\n".encode(), "x": b"\0\xff"}, {"host": "mail.example.com"})
    assert said == ["main.cf, line 2: @host@ stands for a name of the lab; yours is mail.example.com."]


@pytest.mark.parametrize("line", ["a@host@b", "a@host.example", "@other@", "user@hosts@", "@@"])
def test_addresses_are_no_names_of_the_lab(line: str) -> None:
    assert left_over({"main.cf": line.encode()}, {"host": "mail.example.com"}) == []
    assert left_over({"main.cf": line.encode()}, {}) == []

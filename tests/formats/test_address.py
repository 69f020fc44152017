"""Addresses in parts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from grader.formats.address import domain_of, split_address
from tests.tables import every


@every(
    ("text", "route", "local", "domain"),
    [
        ("alice@example.com", "", "alice", "example.com"),
        ("postmaster", "", "postmaster", ""),
        ("", "", "", ""),
        ("@example.com", "", "", "example.com"),
        ('"a@b"@example.com', "", '"a@b"', "example.com"),
        ('"a@b"', "", '"a@b"', ""),
        ('"a\\"@b"@c.example', "", '"a\\"@b"', "c.example"),
        ("a@b@example.com", "", "a@b", "example.com"),
        ("@a.example:alice@example.com", "@a.example", "alice", "example.com"),
        ("@a.example,@b.example:alice@example.com", "@a.example,@b.example", "alice", "example.com"),
        ("alice@[192.0.2.1]", "", "alice", "[192.0.2.1]"),
        ("alice%b@example.com", "", "alice%b", "example.com"),
    ],
)
def test_parts(text: str, route: str, local: str, domain: str) -> None:
    found = split_address(text)
    assert (found.route, found.local, found.domain) == (route, local, domain)
    assert found.at == (text.rfind("@") if domain else -1)


def test_the_domain_for_comparing() -> None:
    assert domain_of("Alice@EXAMPLE.com.") == "example.com"
    assert split_address("Alice@EXAMPLE.com").same == ("Alice", "example.com")


@given(st.text(alphabet='ab@":,\\. ', max_size=20))
def test_the_parts_make_the_whole(text: str) -> None:
    found = split_address(text)
    head = f"{found.route}:" if found.route else ""
    assert text == head + found.local + ("" if found.at < 0 else f"@{found.domain}")

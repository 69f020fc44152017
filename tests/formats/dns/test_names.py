"""Which name's records answer for a name: the zone of RFC 4592 section 2.2.1, and what it leaves open."""

from __future__ import annotations

import dns.name

from grader.formats.dns.names import key, key_of, plain
from grader.formats.dns.tree import Key, answering, existing
from tests.tables import every

OWNERS = (
    "example",
    "*.example",
    "sub.*.example",
    "host1.example",
    "_ssh._tcp.host1.example",
    "_ssh._tcp.host2.example",
    "subdel.example",
)


def known(name: str) -> Key:
    found = key(name)
    assert found is not None
    return found


@every(
    ("name", "source"),
    [
        ("host3.example", "*.example"),
        ("foo.bar.example", "*.example"),
        ("HOST1.Example.", "host1.example"),
        ("host1.example", "host1.example"),
        ("sub.*.example", "sub.*.example"),
        ("*.example", "*.example"),
        ("example", "example"),
        ("host2.example", "host2.example"),
        ("_tcp.host2.example", "_tcp.host2.example"),
        ("_telnet._tcp.host1.example", None),
        ("x.host2.example", None),
        ("ghost.*.example", None),
        ("host1.example.org", None),
        ("org", None),
    ],
)
def test_a_wildcard_answers_for_names_that_do_not_exist_alone(name: str, source: str | None) -> None:
    names = existing((known(owner) for owner in OWNERS), known("example"))
    assert answering(known(name), names) == (None if source is None else known(source))


def test_names_between_an_owner_and_the_apex_exist_and_none_above_it() -> None:
    assert existing([known("a.b.example.com")], known("example.com")) == {
        known("a.b.example.com"),
        known("b.example.com"),
        known("example.com"),
    }


def test_a_key_is_of_the_name_and_not_of_how_it_is_written() -> None:
    assert key("A\\.b.Example.") == key("a\\046b.example") == (b"example", b"a.b")
    assert key(".") == key_of(dns.name.root) == ()
    assert key("a..b") is None
    assert key("a" * 64 + ".example") is None


def test_a_name_as_people_write_it() -> None:
    assert plain(dns.name.from_text("Mail.Example.com.")) == "Mail.Example.com"
    assert plain(dns.name.root) == ""

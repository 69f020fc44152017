"""What the world's DNS knows: wildcards as in RFC 4592, aliases of whole trees as in RFC 6672."""

from __future__ import annotations

import dns.rcode
import dns.rdatatype
import pytest

from grader.model.plan import Zone
from grader.world.dns.zones import Zones
from tests.tables import every
from tests.world.dns.library import Found, asked

HEAD = "$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 300\n@ NS ns\nns A 203.0.113.53\n"

WILD = """$TTL 3600
@ SOA ns.example.com. hostmaster.example.com. 1 3600 600 86400 300
@ NS ns.example.com.
@ NS ns.example.net.
* TXT "this is a wildcard"
* MX 10 host1
sub.* TXT "this is not a wildcard"
host1 A 192.0.2.1
_ssh._tcp.host1 SRV 0 1 22 host1
_ssh._tcp.host2 SRV 0 1 22 host2
"""
"""The zone of RFC 4592 section 2.2.1."""


def texts(found: Found) -> list[str]:
    return [rdata.to_text() for rrset in found.answer for rdata in rrset]


@every(
    ("name", "type_", "rcode", "answer"),
    [
        ("host3.example", "MX", "NOERROR", ["10 host1.example."]),
        ("host3.example", "A", "NOERROR", []),
        ("foo.bar.example", "TXT", "NOERROR", ['"this is a wildcard"']),
        ("host1.example", "MX", "NOERROR", []),
        ("host2.example", "TXT", "NOERROR", []),
        ("sub.*.example", "MX", "NOERROR", []),
        ("_telnet._tcp.host1.example", "SRV", "NXDOMAIN", []),
        ("x.host2.example", "TXT", "NXDOMAIN", []),
        ("ghost.*.example", "MX", "NXDOMAIN", []),
    ],
)
def test_a_wildcard_answers_only_where_no_name_is(
    name: str, type_: str, rcode: str, answer: list[str]
) -> None:
    found = asked(Zones([Zone("example", WILD)]), name, type_)
    assert (dns.rcode.to_text(found.rcode), texts(found)) == (rcode, answer)


def test_an_answer_from_a_wildcard_bears_the_name_that_was_asked_for() -> None:
    (rrset,) = asked(Zones([Zone("example", WILD)]), "Foo.Bar.example", "TXT").answer
    assert rrset.name.to_text() == "Foo.Bar.example."


@every(
    ("owner", "target", "name", "leads_to"),
    [
        ("example.com", "example.net", "a.example.com", "a.example.net."),
        ("example.com", "example.net", "a.b.example.com", "a.b.example.net."),
        ("example.com", "y.example.net", "a.example.com", "a.y.example.net."),
        ("x.example.com", "example.net", "a.x.example.com", "a.example.net."),
        ("example.com", "c.example.com", "cyc.example.com", "cyc.c.example.com."),
        ("example.com", "", "org.example.com", "org."),
        ("example.com", "example.net", "example.com", None),
        ("b.example.com", "example.net", "ab.example.com", None),
    ],
)
def test_a_dname_renames_all_below_it(owner: str, target: str, name: str, leads_to: str | None) -> None:
    zone = HEAD + f"{owner}. DNAME {target}.\n"
    found = asked(Zones([Zone("example.com", zone)]), name, "CNAME")
    if leads_to is None:
        assert texts(found) == []
        return
    renamed, alias = found.answer
    assert (renamed.name.to_text(), renamed.rdtype) == (f"{owner}.", dns.rdatatype.DNAME)
    assert (alias.name.to_text(), alias.ttl, texts(found)[1]) == (f"{name}.", 300, leads_to)


def test_what_a_dname_leads_to_is_followed_and_what_lies_below_it_is_not_there() -> None:
    zone = HEAD + 'old 60 DNAME new\nkey.old TXT "old"\nkey.new TXT "new"\nalias CNAME key.old\n'
    zones = Zones([Zone("example.com", zone)])
    assert texts(asked(zones, "key.old.example.com", "TXT")) == [
        "new.example.com.",
        "key.new.example.com.",
        '"new"',
    ]
    assert texts(asked(zones, "alias.example.com", "TXT"))[-1] == '"new"'
    assert asked(zones, "other.old.example.com", "TXT").rcode == dns.rcode.NXDOMAIN
    assert texts(asked(zones, "old.example.com", "DNAME")) == ["new.example.com."]


def test_a_name_that_a_dname_makes_too_long_is_told_so() -> None:
    zone = HEAD + f"old DNAME {'.'.join(['n' * 60] * 3)}\n"
    name = ".".join(["x" * 60] * 2) + ".old.example.com"
    assert asked(Zones([Zone("example.com", zone)]), name, "TXT").rcode == dns.rcode.YXDOMAIN


def test_a_dname_that_leads_below_itself_ends() -> None:
    zone = HEAD + "old DNAME x.old\n"
    assert asked(Zones([Zone("example.com", zone)]), "a.old.example.com", "A").rcode == dns.rcode.SERVFAIL


def test_a_record_that_is_given_twice_is_one() -> None:
    zone = HEAD + 'a 60 TXT "x"\na TXT "x"\na TXT "y"\n'
    (rrset,) = asked(Zones([Zone("example.com", zone)]), "a.example.com", "TXT").answer
    assert ([rdata.to_text() for rdata in rrset], rrset.ttl) == (['"x"', '"y"'], 60)


@pytest.mark.parametrize(
    ("name", "type_", "rcode", "answer"),
    [
        ("sub.example.com", "A", "NOERROR", []),
        ("www.sub.example.com", "A", "NXDOMAIN", []),
        ("alias.example.com", "A", "NXDOMAIN", ["www.sub.example.com."]),
        ("deep.held.example.com", "A", "NOERROR", ["192.0.2.9"]),
        ("example.com", "NS", "NOERROR", ["ns.example.com."]),
    ],
)
def test_what_a_zone_gives_away_it_does_not_answer_for(
    name: str, type_: str, rcode: str, answer: list[str]
) -> None:
    parent = "sub NS ns\nsub A 192.0.2.1\nwww.sub A 192.0.2.2\n* A 192.0.2.3\nalias CNAME www.sub\n"
    parent += "held NS ns\nheld A 192.0.2.4\n"
    zones = Zones([Zone("example.com", HEAD + parent), Zone("held.example.com", HEAD + "deep A 192.0.2.9\n")])
    found = asked(zones, name, type_)
    assert (dns.rcode.to_text(found.rcode), texts(found)) == (rcode, answer)

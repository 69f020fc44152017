"""The book of a world's zones: what is declared, what is added, and what is there already."""

from __future__ import annotations

from grader.formats.dns.masterfile import read_zone
from grader.labs.world_dns import ZoneBook

DECLARED = """\
$TTL 300
@ SOA ns hostmaster 1 3600 600 86400 300
  NS  ns
ns A  203.0.113.53
@  MX 10 Mail
Mail 60 A 203.0.113.10
"""


def book() -> ZoneBook:
    found = ZoneBook("203.0.113.53")
    found.declare("example.com", DECLARED)
    return found


def test_what_a_zone_declares_is_held_however_it_is_written() -> None:
    assert book().holds("mail.example.com", "A", "AAAA")
    assert book().holds("EXAMPLE.com", "MX")
    assert book().holds("example.com", "NS"), "an owner left out is that of the record before"
    assert not book().holds("mail.example.com", "AAAA")
    assert not book().holds("example.com", "A")


def test_what_is_added_goes_into_the_zone_that_it_lies_in() -> None:
    zones = book()
    zones.address("web.example.com", "2001:db8::80")
    zones.address("mail.elsewhere.example", "198.51.100.25")
    zones.pointer("198.51.100.25", "mail.elsewhere.example")
    zones.pointer("198.51.100.25", "another.example")
    assert zones.holds("web.example.com", "AAAA")
    found = {zone.origin: read_zone(zone.text.encode(), zone.origin) for zone in zones.zones()}
    assert [file.faults for file in found.values()] == [[]] * len(found)
    added = [
        (origin, r.owner, r.data) for origin, file in found.items() for r in file.records if r.type != "SOA"
    ]
    assert ("example.com", "web.example.com", "2001:db8::80") in added
    assert ("elsewhere.example", "mail.elsewhere.example", "198.51.100.25") in added
    pointers = [(owner, data) for _, owner, data in added if owner.endswith("in-addr.arpa") and data != "ns."]
    assert ("25.100.51.198.in-addr.arpa", "mail.elsewhere.example.") in pointers
    assert "another.example." not in [data for _, data in pointers]

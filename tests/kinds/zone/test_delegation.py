"""Who answers for a domain and the names below it, and what a report says where that is somebody else."""

from __future__ import annotations

from grader.formats.dns.masterfile import read_zone
from grader.kinds.zone.declare import ServerRequest, ZoneExpect, ZoneMessage
from grader.kinds.zone.facts import Delegations
from grader.kinds.zone.run import delegation
from tests.kinds.zone.beds import HEAD, world
from tests.kinds.zone.test_verdicts import verdict
from tests.tables import every

OWN = "203.0.113.53"
REQUEST = ServerRequest("example.com", [OWN])
GIVEN_AWAY = ZoneExpect(nobody_else=True)


def followed(zone: str, allowed: list[str] | None = None) -> Delegations:
    """The servers of example.com."""
    request = ServerRequest("example.com", allowed or [OWN])
    records = read_zone((HEAD + zone).encode(), "example.com").records
    with world(example_com=zone, third_example="") as resolver:
        return delegation.follow(resolver, "1", request, records)


@every(
    "zone",
    [
        "",
        "@ NS ns2\nns2 A 203.0.113.53\n",
        "sub NS ns\n",
        "sub NS ns.sub\nns.sub A 203.0.113.53\n",
        "sub NS ns.sub\n",
        "sub NS x.w\n*.w A 203.0.113.53\n",
    ],
)
def test_names_that_the_domains_own_servers_answer_for(zone: str) -> None:
    for expect in (GIVEN_AWAY, ZoneExpect(served=True)):
        check, _ = verdict(zone, expect, servers=[REQUEST])
        assert check.status == "pass", check.observed


@every(
    ("zone", "told", "marked"),
    [
        (
            "sub NS ns.third.example.\n",
            "The NS record of sub.example.com leaves it to ns.third.example",
            ["sub"],
        ),
        ("_dmarc NS ns.third.example.\n", "all that there is of _dmarc.example.com", ["_dmarc"]),
        ("sub NS ns.gone.invalid.\nsub NS ns\n", "leaves it to ns.gone.invalid:", ["sub"]),
        ("sub NS ns.sub\nns.sub A 198.51.100.7\n", "ns.sub.example.com at 198.51.100.7", ["sub", "ns.sub"]),
        ("sub NS x.w\n*.w A 198.51.100.7\n", "x.w.example.com at 198.51.100.7", ["sub"]),
        ("a NS x.example.\nb NS y.example.\n", "The same goes for b.example.com.", ["a", "b"]),
        ("@ NS ns2\nns2 A 198.51.100.7\n", "name ns2.example.com at 198.51.100.7", ["@", "ns2"]),
        ("ns AAAA 2001:db8::53\n", "name ns.example.com at 2001:db8::53, which is not its own", ["@", "ns"]),
        ("@ NS ns.third.example.\n", "name ns.third.example, which is not its own server", ["@"]),
    ],
)
def test_names_that_others_answer_for(zone: str, told: str, marked: list[str]) -> None:
    check, found = verdict(zone, GIVEN_AWAY, servers=[REQUEST])
    assert check.status == "fail"
    assert told in check.observed
    assert found == marked
    assert verdict(zone, ZoneExpect(served=True), servers=[REQUEST])[0].status == "pass"


@every(
    ("allowed", "status"),
    [(["192.0.2.1"], "fail"), (["ns.example.com"], "pass"), (["2001:DB8:0::53", OWN], "pass")],
)
def test_a_zone_is_served_where_one_of_its_own_servers_answers(allowed: list[str], status: str) -> None:
    zone, request = "ns AAAA 2001:db8::53\n", ServerRequest("example.com", allowed)
    check, marked = verdict(zone, ZoneExpect(served=True), servers=[request])
    assert check.status == status
    if status == "fail":
        assert (
            "lead to ns.example.com (203.0.113.53, 2001:db8::53), and not to its nameserver, 192.0.2.1"
            in check.observed
        )
        assert marked == ["@", "ns", "ns"]
    assert verdict(zone, GIVEN_AWAY, servers=[request])[0].status == status


def test_a_server_of_another_name_is_allowed_by_its_address_for_the_domain_alone() -> None:
    assert followed("@ NS ns.third.example.\n").own.servers[1].allowed
    assert not followed("sub NS ns.third.example.\n").others[0].servers[0].allowed
    assert followed("sub NS ns.third.example.\n", ["NS.third.example."]).others == []


def test_many_names_given_away_are_told_in_time() -> None:
    found = followed("".join(f"s{n} NS ns.x{n}.example.\n" for n in range(3000)))
    assert len(found.others) == delegation.MOST_OTHERS


def test_many_servers_of_its_own_hide_none_of_others() -> None:
    many = "".join(f"sub NS n{n}\nn{n} A {OWN}\n" for n in range(50))
    check, _ = verdict(many + "sub NS ns.third.example.\n", GIVEN_AWAY, servers=[REQUEST])
    assert "leaves it to ns.third.example:" in check.observed


def test_a_delegation_explains_what_is_not_found_below_it() -> None:
    message = ZoneMessage("192.0.2.1", "x@sub.example.com", "x@example.com")
    check, _ = verdict("sub NS ns.third.example.\n", ZoneExpect(spf=["fail"]), messages=[message])
    assert "The NS record of sub.example.com leaves it to ns.third.example" in check.observed

"""Where senders bring the mail for a domain, and what a report says where that is not its server."""

from __future__ import annotations

import pytest

from grader.kinds.zone.declare import DeliveryRequest, ZoneExpect
from grader.kinds.zone.facts import Delivery
from grader.kinds.zone.run import delivery
from tests.kinds.zone.beds import world
from tests.kinds.zone.test_verdicts import verdict
from tests.tables import every

SERVER = ["192.0.2.1", "2001:db8::1"]
REQUEST = DeliveryRequest("example.com", SERVER)
HOST = "m A 192.0.2.1\nm AAAA 2001:db8:0::1\n"


def followed(zone: str) -> Delivery:
    """Where mail for example.com goes."""
    with world(example_com=zone, third_example="mx A 198.51.100.7\n") as resolver:
        return delivery.follow(resolver, "1", REQUEST)


def test_every_mx_is_followed_to_its_addresses_the_best_first() -> None:
    found = followed("@ MX 20 mx.third.example.\n@ MX 10 m\n" + HOST)
    assert [(one.name, one.addresses) for one in found.exchangers] == [
        ("m.example.com", SERVER),
        ("mx.third.example", ["198.51.100.7"]),
    ]


def test_many_names_of_the_server_hide_none_elsewhere() -> None:
    many = "".join(f"@ MX 10 m{number}\nm{number} A 192.0.2.1\n" for number in range(25))
    check, marked = verdict(
        many + "@ MX 20 zz\nzz A 192.0.2.9\n", ZoneExpect(delivered=True), deliveries=[REQUEST]
    )
    assert check.status == "fail"
    assert marked == ["@", "zz"]


def test_without_an_mx_mail_goes_to_the_domain_itself() -> None:
    found = followed("@ A 192.0.2.1\n")
    assert found.implicit
    assert [one.addresses for one in found.exchangers] == [["192.0.2.1"]]


@pytest.mark.parametrize(
    "zone",
    [
        "@ MX 10 m\n" + HOST,
        "@ MX 10 m\n@ MX 20 n\n" + HOST + "n A 192.0.2.1\n",
        "@ MX 10 four\n@ MX 10 six\nfour A 192.0.2.1\nsix AAAA 2001:db8::1\n",
        "@ A 192.0.2.1\n@ AAAA 2001:db8::1\n",
        "@ MX 10 m\nm A 192.0.2.1\n",
    ],
)
def test_mail_that_reaches_its_server_by_whatever_name(zone: str) -> None:
    check, _ = verdict(zone, ZoneExpect(delivered=True), deliveries=[REQUEST])
    assert check.status == "pass", check.observed


@every(
    ("zone", "told", "marked"),
    [
        ("@ MX 10 m\nm A 192.0.2.9\nm AAAA 2001:db8::1\n", "which is at 192.0.2.9:", ["@", "m"]),
        ("@ MX 10 m\nm A 192.0.2.1\nm A 192.0.2.9\nm AAAA 2001:db8::1\n", "which is at 192.0.2.9:", ["@", "m"]),
        ("@ MX 10 m\n@ MX 20 n\n" + HOST + "n A 192.0.2.9\n", "(preference 20, where senders bring it", ["@", "n"]),
        ("@ MX 5 n\n@ MX 20 m\n" + HOST + "n A 192.0.2.9\n", "(preference 5, the best preference", ["@", "n"]),
        ("@ MX 10 n\nn CNAME m\n" + HOST, "an alias (CNAME)", ["@", "n"]),
        ("@ MX 10 m\nm AAAA 2001:db8::1\n", "no A record for 192.0.2.1: a sender with IPv4 alone", ["@"]),
        ("@ MX 10 gone.third.example.\n", "which has no address, so that no sender", ["@"]),
        ("@ MX 0 .\n@ A 192.0.2.1\n@ AAAA 2001:db8::1\n", "is the null MX (RFC 7505)", ["@"]),
        ("@ A 192.0.2.9\n", "has no MX record, so that its mail goes to the domain itself, which is at", ["@"]),
        ("@ TXT x\n", "has neither an MX record nor an address", []),
    ],
)  # fmt: skip
def test_mail_that_goes_astray(zone: str, told: str, marked: list[str]) -> None:
    check, places = verdict(zone, ZoneExpect(delivered=True), deliveries=[REQUEST])
    assert check.status == "fail"
    assert told in check.observed
    assert places[: len(marked)] == marked

"""Forged mail from every name that a zone holds, and reports that it lets come: both derived from the zone."""

from __future__ import annotations

import pytest

from grader.formats.dns.masterfile import read_zone
from grader.kinds.zone.declare import AuthorRequest, PermitRequest, ZoneExpect
from grader.kinds.zone.facts import Reception
from grader.kinds.zone.run import authors, permits
from grader.kinds.zone.run.inverse import Owners
from tests.kinds.zone.beds import HEAD, world
from tests.kinds.zone.test_verdicts import verdict
from tests.tables import every

DMARC = '_dmarc TXT "v=DMARC1; p=quarantine; sp=reject"\n'
REQUEST = AuthorRequest("example.com", ["192.0.2.1"])


def forged(zone: str) -> list[Reception]:
    """What is tried below example.com."""
    records = read_zone((HEAD + zone).encode(), "example.com").records
    with world(example_com=zone, third_example='_dmarc TXT "v=DMARC1; p=none"\n') as resolver:
        return authors.forged(resolver, "1", REQUEST, Owners(records))


def weak(zone: str) -> set[str]:
    """The domains in From of which forged mail is not rejected."""
    return {one.author.partition("@")[2] for one in forged(DMARC + zone) if one.dmarc.disposition != "reject"}


@every(
    ("zone", "names"),
    [
        ("www A 192.0.2.80\n", set()),
        ('_dmarc.www TXT "v=DMARC1; p=none"\n', {"www.example.com"}),
        ('_dmarc.a.b TXT "v=DMARC1; p=quarantine"\n', {"a.b.example.com"}),
        ('_dmarc.www TXT "v=DMARC1; p=reject; t=y"\n', {"www.example.com"}),
        ('* TXT "v=DMARC1; p=none"\n', {"anybody.example.com"}),
        ('w A 192.0.2.2\n*.w TXT "v=DMARC1; p=none"\n', {"w.example.com", "anybody.w.example.com"}),
        ('_dmarc.w TXT "v=DMARC1; p=reject; psd=n; sp=none; np=reject"\nx.w A 192.0.2.2\n', {"x.w.example.com"}),
        ('_dmarc.w TXT "v=DMARC1; p=reject; psd=n; np=none"\n', {"anybody.w.example.com"}),
        ("_dmarc.w CNAME _dmarc.third.example.\n", {"w.example.com"}),
        ("w DNAME third.example.\n", {"w.example.com"}),
        ('_dmarc.* TXT "v=DMARC1; p=none"\n', set()),
        ('_dmarc._x TXT "v=DMARC1; p=none"\n_report._dmarc TXT "v=DMARC1"\n', set()),
        ('_dmarc.w TXT "v=DMARC1; p=reject; aspf=s"\nw TXT "v=spf1 ip4:192.0.2.1 -all"\n', set()),
    ],
)  # fmt: skip
def test_every_name_that_mail_could_be_forged_from(zone: str, names: set[str]) -> None:
    assert weak(zone) == names


def test_who_may_use_a_name_that_stands_for_itself_gets_past_its_policy() -> None:
    zone = '_dmarc.w TXT "v=DMARC1; p=reject; psd=n"\nw TXT "v=spf1 ip4:192.0.2.0/30 -all"\n'
    [one] = [one for one in forged(DMARC + zone) if one.dmarc.result == "pass"]
    assert (one.client, one.sender, one.author) == (
        "192.0.2.0",
        "anybody@w.example.com",
        "anybody@w.example.com",
    )


def test_names_that_are_judged_alike_are_told_once() -> None:
    zone = "".join(f"h{number} A 192.0.2.{number}\n" for number in range(1, 200))
    assert [one.dmarc.tag for one in forged(DMARC + zone)] == ["sp"]


@every(
    "names",
    [
        "".join(f'_dmarc.h{number} TXT "v=DMARC1; p=reject"\n' for number in range(30)),
        "".join(f"h{number} A 192.0.2.1\n" for number in range(450)),
    ],
    ids=["with policies", "without"],
)
def test_many_names_hide_no_weak_one(names: str) -> None:
    assert weak(names + '_dmarc.zz TXT "v=DMARC1; p=none"\n') == {"zz.example.com"}


def test_the_first_name_with_a_weak_policy_is_told_and_marked() -> None:
    zone = DMARC + '_dmarc.www TXT "v=DMARC1; p=none"\n'
    check, marked = verdict(zone, ZoneExpect(disposition=["reject"]), authors=[REQUEST])
    assert "Forged mail from www.example.com (198.51.100.66): the record of www.example.com" in check.observed
    assert marked == ["p=none"]
    assert [place for place in check.evidence if place.startswith("case:")] == ["case:1"]


def allowed(zone: str) -> list[tuple[str, str]]:
    """Who may have reports sent although only third.example should."""
    records = read_zone((HEAD + zone).encode(), "example.com").records
    with world(example_com=zone) as resolver:
        found = permits.compute(resolver, "1", PermitRequest("example.com", ["third.example"]), records)
    return [(permit.about, permit.to) for permit in found.outsiders]


@every(
    ("owner", "outsiders"),
    [
        ("third.example._report._dmarc", []),
        ("sub.third.example._report._dmarc", []),
        ("*.third.example._report._dmarc", []),
        ("example.com._report._dmarc", []),
        ("other.example._report._dmarc", [("other.example", "example.com")]),
        ("nothird.example._report._dmarc", [("nothird.example", "example.com")]),
        ("other.example._report._dmarc.www", [("other.example", "www.example.com")]),
        ("*.example._report._dmarc", [("*.example", "example.com")]),
        ("*._report._dmarc", [("*", "example.com")]),
        ("*._dmarc", [("*", "example.com")]),
        ("*", [("*", "example.com"), ("*", "anybody.example.com")]),
        ("*.lists", [("*", "lists.example.com"), ("*", "anybody.lists.example.com")]),
        ("*._dmarc.lists", [("*", "lists.example.com")]),
        ("*._report._dmarc.lists", [("*", "lists.example.com")]),
    ],
)
def test_every_authorization_counts(owner: str, outsiders: list[tuple[str, str]]) -> None:
    assert allowed(f'{owner} TXT "v=DMARC1"\n') == outsiders
    assert allowed(f'{owner} TXT "something else"\n') == []


@every(
    ("zone", "outsiders"),
    [
        (
            '_report._dmarc.www DNAME all\nother.example.all TXT "v=DMARC1"\n',
            [("other.example", "www.example.com")],
        ),
        ('_dmarc.www DNAME all\n*._report.all TXT "v=DMARC1"\n', [("*", "www.example.com")]),
        ('_report._dmarc DNAME all\nthird.example.all TXT "v=DMARC1"\n', []),
    ],
)
def test_what_a_dname_lets_an_authorization_be_called(zone: str, outsiders: list[tuple[str, str]]) -> None:
    assert allowed(zone) == outsiders


def test_who_else_may_have_reports_sent_is_told_and_marked() -> None:
    zone = 'other.example._report._dmarc TXT "v=DMARC1"\n'
    request = PermitRequest("example.com", ["third.example"])
    check, marked = verdict(zone, ZoneExpect(nobody_else=True), permits=[request])
    assert check.status == "fail"
    assert "Reports about other.example may come to addresses at example.com" in check.observed
    assert marked == ["other.example._report._dmarc"]


@pytest.mark.parametrize("alias", ["loop CNAME loop\n", "x DNAME www\n"])
def test_names_of_which_dns_cannot_tell_say_nothing_of_the_others(alias: str) -> None:
    assert weak(alias) == set()
    assert weak(alias + '_dmarc.www TXT "v=DMARC1; p=none"\n') >= {"www.example.com"}


def test_a_policy_that_cannot_be_looked_up_is_none() -> None:
    assert weak("www A 192.0.2.80\n_dmarc.www CNAME _dmarc.www\n") == {"www.example.com"}


def test_without_a_policy_that_can_be_looked_up_nothing_is_rejected() -> None:
    zone = 'www A 192.0.2.80\nwww TXT "v=spf1 +all"\n_dmarc CNAME _dmarc\n'
    assert {one.dmarc.disposition for one in forged(zone)} == {"none"}

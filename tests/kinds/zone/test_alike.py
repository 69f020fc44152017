"""Names that fare alike: of thousands a few are asked about, and none is left out that could fare otherwise."""

from __future__ import annotations

import pytest

from grader.formats.dns.masterfile import read_zone
from grader.kinds.zone.declare import AuthorRequest, SenderRequest
from grader.kinds.zone.run import authors, senders
from grader.kinds.zone.run.alike import KEPT, Alike
from grader.kinds.zone.run.inverse import Owners
from tests.kinds.zone.beds import HEAD, world
from tests.tables import every

MOST_ASKED = 400
"""Questions that a zone of thousands of names may take, where they are alike."""


def spare(zone: str) -> frozenset[str]:
    return Alike(read_zone((HEAD + zone + "\n").encode(), "example.com").records).spare


def names(how: str, count: int = KEPT + 3) -> str:
    return "".join(how.replace("#", str(number)) + "\n" for number in range(count))


@every(
    ("many", "record"),
    [
        ("a# CNAME @", '@ TXT "v=spf1 a -all"'),
        ("a# CNAME b#", '@ TXT "v=spf1 exists:%{ir}._ok.%{d} -all"'),
        ("a# CNAME b#\nb# A 192.0.2.1", ""),
        ('a# TXT "v=spf1 include:www.example.com -all"', 'www TXT "v=spf1 a -all"'),
        ("a#.w A 192.0.2.1", ""),
    ],
)
def test_names_with_the_same_at_them_are_alike(many: str, record: str) -> None:
    assert len([name for name in spare(names(many) + record) if name.startswith("a")]) == 3


@every(
    ("many", "record"),
    [
        ("a# CNAME @", '@ TXT "v=spf1 exists:%{d}._ok.example.com -all"'),
        ("a# CNAME @", '@ TXT "v=spf1 include:%{d}.x.example.com -all"'),
        (
            "a# CNAME w",
            '* TXT "v=spf1 include:i.example.com -all"\ni TXT "v=spf1 exists:%{s}.example.com -all"',
        ),
        ('a# TXT "v=spf1 redirect=%{d}.example.com"', ""),
        ('a# TXT "v=spf1 exists:\\037{l}._ok.example.com -all"', ""),
        ("a# CNAME b#", names('b# TXT "v=spf1 ip4:192.0.2.# -all"')),
        ("a# CNAME @\n_dmarc.a# TXT x", ""),
        ("a#.w# CNAME @", ""),
        ("a# CNAME @", names('s# TXT "v=spf1 include:a#.example.com -all"')),
        ("a# CNAME www.third.example.", "w NS ns.third.example."),
        ("a# CNAME @", "w DNAME third.example."),
        ("a# CNAME a#", ""),
        ("a# CNAME @", '@ TXT "v=spf1 ptr -all"'),
        ("a# CNAME c#\nc# CNAME d#\nd# CNAME c#", ""),
    ],
)
def test_names_that_may_fare_otherwise_are_not(many: str, record: str) -> None:
    assert not [name for name in spare(names(many) + record) if name.startswith("a")]


@every(
    "zone",
    [
        names("a# CNAME a!").replace("!", "1"),
        "".join(f"a{number} CNAME a{number + 1}\n" for number in range(2000)),
        "".join(f'a{n} TXT "v=spf1 include:a{n + 1}.example.com -all"\n' for n in range(1500)),
        "".join(f'a{n} TXT "v=spf1 redirect=a{(n + 1) % 1500}.example.com"\n' for n in range(1500)),
    ],
    ids=["to-one-of-them", "chain", "includes", "ring"],
)
def test_names_that_lead_to_each_other_are_gone_through(zone: str) -> None:
    alike = Alike(read_zone((HEAD + zone).encode(), "example.com").records)
    assert isinstance(alike.spare, frozenset)
    assert alike.answer("a1.example.com") == alike.answer("A1.example.com.")


@every(
    "many",
    [
        names("a# CNAME @", 2500),
        names("a# CNAME b#", 2500),
        names('a# TXT "v=spf1 -all"', 2500),
        names("a#._ok A 127.0.0.2", 2500),
    ],
    ids=["aliases", "dangling", "records", "users"],
)
def test_thousands_of_names_take_few_questions(many: str, monkeypatch: pytest.MonkeyPatch) -> None:
    zone = f'@ TXT "v=spf1 exists:%{{l}}._ok.example.com -all"\n{many}_dmarc TXT "v=DMARC1; p=reject"\n'
    if "_ok A" not in many:
        zone = zone.replace("exists:%{l}._ok.example.com", "a:www.example.com")
    records = read_zone((HEAD + zone).encode(), "example.com").records
    with world(example_com=zone) as resolver:
        found = senders.compute(resolver, "1", SenderRequest("example.com", []), Owners(records))
        authors.forged(resolver, "1", AuthorRequest("example.com", []), Owners(records))
        assert resolver._asked < MOST_ASKED
    assert bool(found.outsiders) is ("_ok A" in many)
    assert found.complete


def test_one_that_is_not_like_the_many_is_found() -> None:
    zone = names("a# CNAME @", 300) + "zz CNAME open\n" + '@ TXT "v=spf1 -all"\nopen TXT "v=spf1 +all"\n'
    records = read_zone((HEAD + zone).encode(), "example.com").records
    with world(example_com=zone) as resolver:
        found = senders.compute(resolver, "1", SenderRequest("example.com", []), Owners(records))
    assert {one.domain for one in found.outsiders} == {"open.example.com", "zz.example.com"}


def test_a_word_is_tried_for_each_of_two_terms() -> None:
    """Who is in both lists fares otherwise than who is in one."""
    lists = names("a#._ok A 127.0.0.2\na#._no A 127.0.0.2") + "zz._ok A 127.0.0.2\n"
    zone = f'@ TXT "v=spf1 -exists:%{{l}}._no.%{{d}} exists:%{{l}}._ok.%{{d}} -all"\n{lists}'
    records = read_zone((HEAD + zone).encode(), "example.com").records
    with world(example_com=zone) as resolver:
        found = senders.compute(resolver, "1", SenderRequest("example.com", []), Owners(records))
    assert {one.sender for one in found.outsiders} == {"zz@example.com"}

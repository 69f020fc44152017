"""SPF verdicts as fields: which limit, which term, which characters, whose record."""

from __future__ import annotations

import pytest

from grader.kinds.zone.facts import Spf
from grader.kinds.zone.run import spf
from tests.kinds.zone.beds import world


def verdict(zone: str, client: str = "192.0.2.9") -> Spf:
    with world(example_com=zone, third_example='@ TXT "v=spf1 rubbish"\n') as resolver:
        return spf.evaluate(resolver, client=client, sender="a@example.com", helo="h.example.com")


@pytest.mark.parametrize(
    ("record", "trouble", "term", "holder", "about"),
    [
        ("mx -all;", "syntax", "-all;", "example.com", ""),
        ("include:third.example -all", "syntax", "rubbish", "third.example", ""),
        ("include:ns.example.com -all", "missing", "include:ns.example.com", "example.com", "ns.example.com"),
        ("redirect=ns.example.com", "missing", "redirect=ns.example.com", "example.com", "ns.example.com"),
        (
            "include:_two.example.com",
            "several",
            "include:_two.example.com",
            "example.com",
            "_two.example.com",
        ),
        ("include:example.com", "loop", "include:example.com", "example.com", "example.com"),
    ],
)
def test_why_a_record_cannot_be_used(record: str, trouble: str, term: str, holder: str, about: str) -> None:
    found = verdict(f'@ TXT "v=spf1 {record}"\n_two TXT "v=spf1 -all"\n_two TXT "v=spf1 ~all"\n')
    assert (found.result, found.trouble, found.limit) == ("permerror", trouble, None)
    assert (found.term, found.holder, found.about) == (term, holder, about)


@pytest.mark.parametrize(
    ("record", "limit", "term"),
    [
        ("a:1.example.com a:2.example.com a:3.example.com -all", "voids", "a:3.example.com"),
        (" ".join(["a:ns.example.com"] * 10) + " mx -all", "lookups", "mx"),
        (
            " ".join(["a:ns.example.com"] * 10) + " include:_b.example.com",
            "lookups",
            "include:_b.example.com",
        ),
        ("mx:m.example.com -all", "mx", "mx:m.example.com"),
    ],
)
def test_which_limit_is_met(record: str, limit: str, term: str) -> None:
    exchanges = "".join(f"m MX {number} ns{number}\n" for number in range(11))
    found = verdict(f'@ TXT "v=spf1 {record}"\n{exchanges}')
    assert (found.trouble, found.limit, found.term) == ("limit", limit, term)


@pytest.mark.parametrize(
    ("record", "result"),
    [
        (" ".join(["a:ns.example.com"] * 10) + " -all", "fail"),
        ("a:1.example.com a:2.example.com -all", "fail"),
        ("REDIRECT=_b.example.com", "softfail"),
        ("note=1 note=2 NOTE=3 ?all", "neutral"),
        ("ip4=192.0.2.9 -all", "fail"),
    ],
)
def test_what_the_limits_and_the_grammar_allow(record: str, result: str) -> None:
    assert verdict(f'@ TXT "v=spf1 {record}"\n_b TXT "v=spf1 ~all"\n').result == result


@pytest.mark.parametrize(
    ("record", "result", "term"),
    [
        # RFC 7208 section 4.6.4 counts terms "for which DNS queries return" nothing, and ptr is one of those that
        # ask. To find no name is no DNS error (section 5), which alone makes ptr fail quietly (section 5.5).
        ("ptr exists:%{d2} -all", "fail", "-all"),
        ("ptr exists:%{d2} a:gone.example.com -all", "permerror", "a:gone.example.com"),
        ("exists:%{d2} a:gone.example.com ptr -all", "permerror", "ptr"),
        # So does a name that is made with %{p}: the address is looked up before the name is.
        ("exists:%{p}.example.com -all", "fail", "-all"),
        ("a:gone.example.com exists:%{p}.example.com -all", "permerror", "exists:%{p}.example.com"),
        # What was found is not void, though it leads to no match; the null MX leads to the root, which has no address.
        ("ptr exists:%{d2} mx:full.example.com -all", "fail", "-all"),
        ("ptr exists:%{d2} mx:null.example.com -all", "permerror", "mx:null.example.com"),
    ],
)
def test_a_look_up_of_names_that_finds_none_is_void(record: str, result: str, term: str) -> None:
    found = verdict(f'@ TXT "v=spf1 {record}"\nnull MX 0 .\nfull MX 0 ns\n')
    assert (found.result, found.term) == (result, term)


def test_names_without_address_are_void_as_well() -> None:
    reverse = "9 PTR gone.example.com.\n9 PTR ns.example.com.\n"
    zones = {"2_0_192_in-addr_arpa": reverse, "example_com": '@ TXT "v=spf1 ptr a:no.example.com -all"\n'}
    with world(**zones) as resolver:
        few = spf.evaluate(resolver, client="192.0.2.9", sender="a@example.com", helo="h.example.com")
    zones["example_com"] = zones["example_com"].replace("ptr", "ptr a:never.example.com")
    with world(**zones) as resolver:
        many = spf.evaluate(resolver, client="192.0.2.9", sender="a@example.com", helo="h.example.com")
    assert (few.result, many.result, many.limit) == ("fail", "permerror", "voids")


def test_the_way_to_a_term_leads_into_the_included_record() -> None:
    text = "v=spf1 mx include:_b.example.com -all"
    found = verdict(f'@ TXT "{text}"\n_b TXT "v=spf1 ip4:192.0.2.9 ~all"\n')
    assert (found.result, found.term, found.holder) == ("pass", "include:_b.example.com", "example.com")
    assert [(step.domain, step.term) for step in found.steps] == [
        ("example.com", "include:_b.example.com"),
        ("_b.example.com", "ip4:192.0.2.9"),
    ]
    assert text[found.steps[0].start : found.steps[0].end] == "include:_b.example.com"


def test_a_record_is_measured_beyond_the_limits() -> None:
    zone = '@ TXT "v=spf1 ' + " ".join(f"a:{n}.example.com" for n in range(12)) + ' -all"\n'
    with world(example_com=zone) as resolver:
        found = spf.measure(resolver, "1", "example.com")
    assert (found.lookups, found.voids) == (12, 12)
    assert found.verdict
    assert found.verdict.limit == "voids"
    assert [lookup.steps[0].term for lookup in found.counted] == [f"a:{n}.example.com" for n in range(12)]
    assert found.counted[3].voids in (["3.example.com A"], ["3.example.com AAAA"])

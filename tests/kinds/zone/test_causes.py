"""That a failure names what causes it, where that is not the record that was asked for: an alias, a tag of another
record, a term that stands elsewhere than its author thought."""

from __future__ import annotations

from typing import Any

from grader.kinds.zone.declare import (
    AuthorRequest,
    Question,
    ReportRequest,
    SenderRequest,
    Signer,
    ZoneExpect,
    ZoneMessage,
)
from grader.kinds.zone.judge.explain import COMPLETED
from tests.kinds.zone.beds import HEAD
from tests.kinds.zone.test_verdicts import verdict
from tests.tables import every

ALIGNED = '@ TXT "v=spf1 -all"\nmail TXT "v=spf1 ip4:192.0.2.1 -all"\n_dmarc TXT "v=DMARC1; p=reject{}"\n'
BOUNCE = [ZoneMessage("192.0.2.1", "x@mail.example.com", "x@example.com", title="a bounce")]


@every(
    ("zone", "told", "marked"),
    [
        (
            ALIGNED.format("; aspf=s") + '_dmarc.mail TXT "v=DMARC1; p=reject; psd=n"\n',
            "by aspf=s (",
            "aspf=s",
        ),
        (ALIGNED.format("; psd=y"), "by psd=y (", "psd=y"),
        (
            ALIGNED.format("") + '_dmarc.mail TXT "v=DMARC1; p=reject; psd=n"\n',
            "by psd=n in the record of mail.example.com (",
            "psd=n",
        ),
        (
            ALIGNED.format("") + '*.mail TXT "v=DMARC1; p=reject; psd=N"\n',
            "by psd=n in the record of mail.example.com (",
            "psd=N",
        ),
    ],
)
def test_the_tag_that_parts_two_names_of_one_domain_is_named(zone: str, told: str, marked: str) -> None:
    check, found = verdict(zone, ZoneExpect(aligned=["spf"]), messages=BOUNCE)
    assert check.status == "fail"
    assert told in check.observed
    assert found[0] == marked


SET_ASIDE = '_dmarc TXT "v=DMARC1; p=quarantine; sp=reject"\n'


@every(
    ("zone", "told", "marked"),
    [
        (
            SET_ASIDE + "_dmarc.www CNAME _dmarc\nwww A 192.0.2.1\n",
            "_dmarc.www.example.com is an alias of _dmarc.example.com",
            "_dmarc.www",
        ),
        (
            SET_ASIDE + "old DNAME example.com.\n",
            "_dmarc.old.example.com is an alias of _dmarc.example.com",
            "old",
        ),
        (
            '_dmarc CNAME policy\npolicy TXT "v=DMARC1; p=none"\nwww A 192.0.2.1\n',
            "_dmarc.example.com is an alias of policy.example.com",
            "p=none",
        ),
    ],
)
def test_the_alias_that_brings_a_policy_to_another_name_is_marked(zone: str, told: str, marked: str) -> None:
    wanted: dict[str, Any] = {"authors": [AuthorRequest("example.com")]}
    check, found = verdict(zone, ZoneExpect(disposition=["reject"]), **wanted)
    assert check.status == "fail"
    assert told in check.observed
    assert found[0] == marked


@every("zone", ["_dmarc CNAME policy.else.example.\n", "_dmarc CNAME a\na CNAME policy.else.example.\n"])
def test_an_alias_that_leads_to_no_policy_is_told(zone: str) -> None:
    check, _ = verdict(zone, ZoneExpect(published=True), policies=["example.com"])
    assert check.status == "fail"
    assert "_dmarc.example.com is an alias of policy.else.example." in check.observed


def test_a_permission_that_is_none_is_marked() -> None:
    zone = 'partner.example._report._dmarc TXT "v=dmarc1"\n'
    asked = [ReportRequest("partner.example", "dmarc@example.com")]
    others = {"partner.example": f'{HEAD}_dmarc TXT "v=DMARC1; p=none; rua=mailto:dmarc@example.com"\n'}
    check, marked = verdict(zone, ZoneExpect(reported=True), others, reports=asked)
    assert "column 37: a DMARC record begins with v=DMARC1, in just these letters" in check.observed
    assert marked == ["v=dmarc1"]


def test_an_alias_by_which_somebody_passes_is_told() -> None:
    zone = '@ TXT "v=spf1 -all"\nshop CNAME web.example.com.\nweb TXT "v=spf1 ip4:192.0.2.9 -all"\n'
    check, _ = verdict(zone, ZoneExpect(nobody_else=True), senders=[SenderRequest("example.com", [])])
    assert "shop.example.com is an alias of web.example.com." in check.observed


OWN = [ZoneMessage("192.0.2.1", "x@example.com", "x@example.com", title="your server")]
HELD = "@ MX 10 mail\nmail A 192.0.2.1\nweb A 192.0.2.2\n"


@every(
    ("zone", "told", "marked"),
    [
        (
            HELD + '@ TXT "v=spf1 redirect=_spf.example.com"\n_spf TXT "v=spf1 mx -all"\n',
            "“mx” in the record of _spf.example.com is about _spf.example.com, which has no MX record",
            "mx",
        ),
        (
            '@ A 192.0.2.1\n@ TXT "v=spf1 include:_a.%{d} ~all"\n_a TXT "v=spf1 a ?all"\n',
            "“a” in the record of _a.example.com is about _a.example.com, which has no address",
            "a",
        ),
        (
            HELD + '@ TXT "v=spf1 ?a mx:mail.example.com -all"\n',
            "“mx:mail.example.com” is about the mail servers of mail.example.com, which has no MX record, and",
            "mx:mail.example.com",
        ),
        # What finds nothing there would not find this client at the domain, either.
        (
            HELD.replace("mail A", "mail A 192.0.2.3\nother A")
            + '@ TXT "v=spf1 include:_a.example.com -all"\n_a TXT "v=spf1 mx"\n',
            "SPF for example.com is fail, by “-all” in the record of example.com.",
            "-all",
        ),
        # Those who include each other are gone through once.
        (
            HELD + '@ TXT "v=spf1 ?exists:a.%{d} -all redirect=example.com"\n',
            "SPF for example.com is fail, by “-all” in the record of example.com.",
            "-all",
        ),
    ],
)
def test_a_mechanism_that_is_about_another_name_than_it_seems_is_named(
    zone: str, told: str, marked: str
) -> None:
    """RFC 7208 section 4.8: without a domain-spec, a and mx are about the name whose record is being read."""
    check, found = verdict(zone, ZoneExpect(spf=["pass"]), messages=OWN)
    assert check.status == "fail"
    assert told in check.observed
    assert found[0] == marked


@every(
    ("zone", "told"),
    [
        (
            "news NS ns.else.example.\n",
            "The NS record of news.example.com leaves it to ns.else.example, which is asked instead.",
        ),
        (
            "a._domainkey.news CNAME k.shop\nshop NS ns\n",
            "is an alias of k.shop.example.com. The NS record of shop.example.com leaves it to ns.example.com",
        ),
        (
            "a._domainkey.news CNAME b\nb CNAME a._domainkey.news\n",
            "is an alias that leads round in a ring, by the alias at b.example.com.",
        ),
        ("a._domainkey.news CNAME b\n", "a._domainkey.news.example.com is an alias of b.example.com."),
    ],
)
def test_where_the_name_of_a_key_leads_is_told(zone: str, told: str) -> None:
    signed = Signer("news.example.com", "a", "newsletter")
    message = ZoneMessage("198.51.100.66", "x@else.example", "x@example.com", signed=signed)
    check, _ = verdict(zone, ZoneExpect(dkim=True), messages=[message])
    assert told in check.observed


def test_who_looks_for_a_key_is_told_that_its_name_was_given_to_other_servers() -> None:
    message = ZoneMessage(
        "198.51.100.66", "x@else.example", "x@example.com", signed=Signer("example.com", "a", "newsletter")
    )
    check, _ = verdict("_domainkey NS ns.else.example.\n", ZoneExpect(dkim=True), messages=[message])
    assert any("leaves _domainkey.example.com, and all names below it" in line for line in check.remarks)


SENT = [ZoneMessage("192.0.2.1", "x@mail.example.com", "x@example.com", title="a bounce")]
NOBODY = '"v=spf1 -all"'


@every(
    ("zone", "expect", "tried", "told", "marked"),
    [
        (
            f"* TXT {NOBODY}\nmail A 192.0.2.1\n",
            ZoneExpect(spf=["fail"]),
            {"messages": SENT},
            "*.example.com does not speak for mail.example.com: a wildcard stands for names that do not exist, and "
            "mail.example.com does",
            "*",
        ),
        (
            f"* TXT {NOBODY}\na.mail.mail A 192.0.2.1\n",
            ZoneExpect(spf=["fail"]),
            {"messages": SENT},
            "mail.example.com does (",
            "*",
        ),
        (
            "* MX 0 .\nmail A 192.0.2.1\n",
            ZoneExpect(answers=["0 ."]),
            {"questions": [Question("mail.example.com", "MX")]},
            "mail.example.com does (",
            "*",
        ),
        (
            '* TXT "v=DMARC1; p=reject"\nx._dmarc TXT "x"\n',
            ZoneExpect(published=True),
            {"policies": ["example.com"]},
            "_dmarc.example.com does (",
            "*",
        ),
    ],
)
def test_a_wildcard_that_does_not_speak_for_a_name_is_told(
    zone: str, expect: ZoneExpect, tried: dict[str, Any], told: str, marked: str
) -> None:
    check, found = verdict(zone, expect, **tried)
    assert check.status == "fail"
    assert told in check.observed
    assert found[0] == marked


def test_a_wildcard_that_holds_something_else_is_not_told() -> None:
    check, _ = verdict('* TXT "hello"\nmail A 192.0.2.1\n', ZoneExpect(spf=["fail"]), messages=SENT)
    assert "wildcard" not in check.observed


def test_an_address_that_stands_in_ruf_is_told() -> None:
    zone = '_dmarc TXT "v=DMARC1; p=none; ruf=mailto:x@example.com; rua=mailto:y@example.com"\n'
    wanted = [ReportRequest("example.com", "x@example.com")]
    check, found = verdict(zone, ZoneExpect(reported=True), reports=wanted)
    assert "stands in ruf" in check.observed
    assert found == ["ruf=mailto:x@example.com"]
    wanted = [ReportRequest("example.com", "z@example.com")]
    assert "ruf" not in verdict(zone, ZoneExpect(reported=True), reports=wanted)[0].observed


@every(
    ("rua", "told"),
    [
        (
            "mailto:x@example.com mailto:y@example.com",
            "“mailto:x@example.com mailto:y@example.com” in rua is no mailto:",
        ),
        ("mailto:<x@example.com>", "“mailto:<x@example.com>” in rua is no mailto:"),
        ("x@example.com", "“x@example.com” in rua is no mailto:"),
        ("mailto:x@example.com mailto:y@example.com", "Between two addresses stands a comma."),
        (
            "mailto:y@example.com; mailto:x@example.com",
            "A semicolon ends the tag: between two addresses stands",
        ),
        ("mailto://x@example.com", "Behind mailto: the address follows at once, without slashes."),
    ],
)
def test_what_is_no_address_for_reports_is_told(rua: str, told: str) -> None:
    wanted = [ReportRequest("example.com", "x@example.com")]
    check, _ = verdict(
        f'_dmarc TXT "v=DMARC1; p=none; rua={rua}"\n', ZoneExpect(reported=True), reports=wanted
    )
    assert told in check.observed


def test_an_included_name_that_others_answer_for_is_told() -> None:
    zone = '@ TXT "v=spf1 include:_p.example.com -all"\n_p NS ns.third.example.\n'
    check, _ = verdict(zone, ZoneExpect(published=True), records=["example.com"])
    assert "The NS record of _p.example.com leaves it to ns.third.example" in check.observed


SERVER = "mail A 192.0.2.1\n"


@every(
    ("zone", "client", "told", "marked"),
    [
        ('@ TXT "v=spf1 a -all"\n' + SERVER, "192.0.2.1", "“a” finds nothing: example.com has no address.",
         ["-all", "a"]),
        ('@ TXT "v=spf1 a:mial.%{d} -all"\n' + SERVER, "192.0.2.1", "mial.example.com has no address.",
         ["-all", "a:mial.%{d}"]),
        # Of a client that has no name in the zone, a term that finds nothing tells nothing.
        ('@ TXT "v=spf1 a -all"\n' + SERVER, "192.0.2.2", "is fail, by “-all” in the record of example.com.", ["-all"]),
        ('example.com TXT "v=spf1 -all"\n', "192.0.2.1", f"One stands at example.com.example.com. {COMPLETED}",
         ["example.com"]),
        ('@ TXT "v=spf1 -all ip4:192.0.2.1 a:x.example exp=why.example"\n', "192.0.2.1",
         "What stands behind it is never tried: “ip4:192.0.2.1 a:x.example”.", ["-all", "ip4:192.0.2.1"]),
        ('_spf TXT "v=spf1 -all"\n', "192.0.2.1", "One stands at _spf.example.com.", ["_spf"]),
        ('www TXT "v=spf1 -all"\n', "192.0.2.1", "as example.com has no SPF record.", []),
    ],
)  # fmt: skip
def test_a_record_that_is_not_what_was_meant(zone: str, client: str, told: str, marked: list[str]) -> None:
    message = ZoneMessage(client, "x@example.com", "x@example.com", title="a letter")
    check, found = verdict(zone, ZoneExpect(spf=["pass"]), messages=[message])
    assert check.observed.endswith(told)
    assert found == marked


@every(
    ("owner", "told"),
    [
        ("third.example._report._dmarc.example.com", f"._report._dmarc.example.com.example.com. {COMPLETED}"),
        ("third._report._dmarc", "One stands at third._report._dmarc.example.com."),
        ("_dmarc", "and receivers send none."),
    ],
)  # fmt: skip
def test_where_an_authorization_stands_instead_is_told(owner: str, told: str) -> None:
    asked = [ReportRequest("third.example", "x@example.com")]
    third = '_dmarc TXT "v=DMARC1; p=none; rua=mailto:x@example.com"\n'
    check, _ = verdict(
        f'{owner} TXT "v=DMARC1; p=none"\n',
        ZoneExpect(reported=True),
        reports=asked,
        others={"third.example": HEAD + third},
    )
    assert check.observed.endswith(told)


def test_a_policy_that_a_comment_cuts_off_is_told() -> None:
    check, _ = verdict("_dmarc TXT v=DMARC1; p=none\n", ZoneExpect(published=True), policies=["example.com"])
    assert "Outside quotation marks a semicolon begins a comment" in check.observed


def test_an_alias_whose_target_lacks_its_dot_is_told() -> None:
    zone = "nl._domainkey CNAME nl._domainkey.provider.example\n"
    message = ZoneMessage(
        "192.0.2.1", "x@example.com", "x@example.com", signed=Signer("example.com", "nl", "newsletter")
    )
    check, found = verdict(zone, ZoneExpect(dkim=True), messages=[message])
    assert f"alias of nl._domainkey.provider.example.example.com. {COMPLETED}" in check.observed
    assert found[0] == "nl._domainkey"

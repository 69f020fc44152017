"""DMARC as RFC 9989 has it, by what receivers conclude from zones that are served over the wire."""

from __future__ import annotations

from grader.kinds.zone.facts import Dkim, Spf
from grader.kinds.zone.run import dmarc
from tests.kinds.zone.beds import world
from tests.tables import every

FAILED = Spf("fail", "stranger.example")


def passed(domain: str) -> Spf:
    """SPF passed for a domain."""
    return Spf("pass", domain)


@every(
    ("record", "author", "disposition", "tag"),
    [
        ("v=DMARC1; p=reject", "example.com", "reject", "p"),
        ("v=DMARC1;p=Quarantine;", "example.com", "quarantine", "p"),
        ("v = DMARC1 ; rua=mailto:a@example.com; p=reject", "example.com", "reject", "p"),
        ("v=DMARC1; p=none", "example.com", "none", "p"),
        ("v=DMARC1; p=reject; t=y", "example.com", "quarantine", "p"),
        ("v=DMARC1; p=quarantine; t=y", "example.com", "none", "p"),
        ("v=DMARC1; p=reject; t=maybe", "example.com", "reject", "p"),
        ("v=DMARC1; p=reject; pct=0", "example.com", "reject", "p"),
        ("v=DMARC1; p=reject; unknown=1; ;=", "example.com", "reject", "p"),
        ("v=DMARC1; p=none; sp=reject", "www.example.com", "reject", "sp"),
        ("v=DMARC1; p=reject; sp=none", "www.example.com", "none", "sp"),
        ("v=DMARC1; p=reject; np=none", "www.example.com", "reject", "p"),
        ("v=DMARC1; p=none; np=reject", "nowhere.example.com", "reject", "np"),
        ("v=DMARC1; p=none; sp=quarantine", "nowhere.example.com", "quarantine", "sp"),
        ("v=DMARC1; p=reject", "nowhere.example.com", "reject", "p"),
        ("v=DMARC1; p=none; sp=reject; t=y", "www.example.com", "quarantine", "sp"),
        ("v=DMARC1; rua=mailto:a@example.com", "example.com", "none", "rua"),
        ("v=DMARC1; p=rejected; rua=mailto:a@example.com", "example.com", "none", "rua"),
        ("v=DMARC1; p=reject; sp=rejected; rua=mailto:a@example.com", "example.com", "none", "rua"),
    ],
)
def test_the_policy_that_applies(record: str, author: str, disposition: str, tag: str) -> None:
    with world(example_com=f'_dmarc TXT "{record}"\nwww A 192.0.2.1\n') as resolver:
        found = dmarc.evaluate(resolver, author, FAILED, None)
    assert (found.result, found.disposition, found.tag) == ("fail", disposition, tag)


@every(
    "zone",
    [
        "",
        '_dmarc TXT "v=DMARC1"',
        '_dmarc TXT "v=DMARC1; p=rejected"',
        '_dmarc TXT "v=DMARC1; rua=nobody"',
        '_dmarc TXT "v=dmarc1; p=reject"',
        '_dmarc TXT "p=reject; v=DMARC1"',
        '_dmarc TXT " v=DMARC1; p=reject"',
        '_dmarc TXT "v=DMARC1 p=reject"',
        '_dmarc TXT "v=DMARC1; p=reject"\n_dmarc TXT "v=DMARC1; p=none"',
        '@ TXT "v=DMARC1; p=reject"',
    ],
)
def test_a_record_that_nobody_goes_by(zone: str) -> None:
    with world(example_com=zone + "\n") as resolver:
        assert dmarc.evaluate(resolver, "example.com", passed("example.com"), None).result == "none"


def test_texts_of_others_beside_it_and_strings_are_no_hindrance() -> None:
    zone = '_dmarc TXT "verify=1"\n_dmarc TXT "v=DMARC1; p=rej" "ect"\n'
    with world(example_com=zone) as resolver:
        assert dmarc.evaluate(resolver, "EXAMPLE.com", FAILED, None).disposition == "reject"


@every(
    ("tags", "authenticated", "aligned"),
    [
        ("", "example.com", True),
        ("", "mail.example.com", True),
        ("", "example.org", False),
        ("aspf=s; adkim=s;", "example.com", True),
        ("aspf=s; adkim=s;", "mail.example.com", False),
        ("aspf=S; adkim=S;", "mail.example.com", False),
        ("aspf=x; adkim=x;", "mail.example.com", True),
        ("psd=y;", "mail.example.com", False),
        ("psd=n;", "mail.example.com", True),
    ],
)
def test_alignment(tags: str, authenticated: str, aligned: bool) -> None:
    with world(example_com=f'_dmarc TXT "v=DMARC1; p=reject; {tags}"\n', example_org="") as resolver:
        by_spf = dmarc.evaluate(resolver, "example.com", passed(authenticated), None)
        by_dkim = dmarc.evaluate(resolver, "example.com", FAILED, Dkim(True, authenticated, "s"))
        broken = dmarc.evaluate(resolver, "example.com", FAILED, Dkim(False, "example.com", "s"))
    assert (by_spf.spf_aligned, by_dkim.dkim_aligned) == (aligned, aligned)
    assert by_spf.result == by_dkim.result == ("pass" if aligned else "fail")
    assert broken.result == "fail"


def test_the_walk_asks_eight_questions_at_most() -> None:
    assert dmarc._steps("a.b.c.d.e.f.g.h.i.j.mail.example.com") == [
        "a.b.c.d.e.f.g.h.i.j.mail.example.com",
        "g.h.i.j.mail.example.com",
        "h.i.j.mail.example.com",
        "i.j.mail.example.com",
        "j.mail.example.com",
        "mail.example.com",
        "example.com",
        "com",
    ]
    assert len(dmarc._steps("a.b.c.d.e.f.g.com")) == 8


def test_the_organizational_domain() -> None:
    """The examples of RFC 9989 section 4.10.2."""
    policy = '"v=DMARC1; p=none"'
    with world(example_com=f"_dmarc.mail TXT {policy}\n_dmarc TXT {policy}\n") as resolver:
        assert dmarc.organization(resolver, "a.mail.example.com") == "example.com"
    with world(
        example_com='_dmarc.mail TXT "v=DMARC1; psd=n; p=none"\n_dmarc TXT "v=DMARC1; p=none"\n'
    ) as resolver:
        assert dmarc.organization(resolver, "a.mail.example.com") == "mail.example.com"
    with world(com='_dmarc TXT "v=DMARC1; psd=y; p=none"\n') as resolver:
        assert dmarc.organization(resolver, "a.mail.example.com") == "example.com"
    with world(example_com="") as resolver:
        assert dmarc.organization(resolver, "a.mail.example.com") == "a.mail.example.com"


def test_a_registry_speaks_for_domains_without_a_record() -> None:
    with world(com='_dmarc TXT "v=DMARC1; psd=y; p=none; np=reject"\nshop A 192.0.2.1\n') as resolver:
        assert dmarc.evaluate(resolver, "never.com", FAILED, None).tag == "np"
        assert dmarc.evaluate(resolver, "shop.com", FAILED, None).disposition == "none"


def test_a_record_between_the_author_and_the_organization_is_passed_over() -> None:
    zone = '_dmarc TXT "v=DMARC1; p=none; sp=quarantine"\n_dmarc.mail TXT "v=DMARC1; p=reject"\na.mail A 192.0.2.1\n'
    with world(example_com=zone) as resolver:
        assert dmarc.evaluate(resolver, "a.mail.example.com", FAILED, None).disposition == "quarantine"
        assert dmarc.evaluate(resolver, "mail.example.com", FAILED, None).disposition == "reject"


@every(
    ("rua", "outside", "sent"),
    [
        ("mailto:x@example.com", "", True),
        ("mailto:x@reports.example.com", "", True),
        ("mailto:x@example.org", "", False),
        ("mailto:x@example.org", 'example.com._report._dmarc TXT "v=DMARC1"', True),
        ("MAILTO:x@Example.ORG!10m", '*._report._dmarc TXT "v=DMARC1;"', True),
        ("mailto:x@example.org", 'example.com._report._dmarc TXT "v=dmarc1"', False),
        ("mailto:x@example.org", 'example.com._dmarc TXT "v=DMARC1"', False),
        ("x@example.org", 'example.com._report._dmarc TXT "v=DMARC1"', False),
        (
            "mailto:x@example.org",
            '*._report._dmarc TXT "v=DMARC1"\n*._report._dmarc TXT "v=DMARC1; x=y"',
            True,
        ),
        ("mailto:x@example.org", '*._report._dmarc TXT "v=DMARC1; rua=mailto:y@example.org"', False),
        ("mailto:y@example.org", '*._report._dmarc TXT "v=DMARC1; rua=mailto:x@example.org"', True),
        ("mailto:y@example.net", '*._report._dmarc TXT "v=DMARC1; rua=mailto:x@example.org"', False),
        ("mailto:y@example.org", 'example.com._report._dmarc TXT "v=DMARC1"', False),
        ("mailto:y@example.com , mailto:x@example.org", 'example.com._report._dmarc TXT "v=DMARC1"', True),
        ("mailto:y@example.com mailto:x@example.org", 'example.com._report._dmarc TXT "v=DMARC1"', False),
    ],
)
def test_reports_go_to_those_who_want_them(rua: str, outside: str, sent: bool) -> None:
    to = "x@" + (
        "reports.example.com"
        if "reports." in rua
        else "example.com"
        if rua.endswith("x@example.com")
        else "example.org"
    )
    with world(
        example_com=f'_dmarc TXT "v=DMARC1; p=none; rua={rua}"\n', example_org=outside + "\n"
    ) as resolver:
        assert dmarc.reporting(resolver, "", "example.com", to).sent is sent


def test_what_is_published_is_told_with_its_fault() -> None:
    with world(example_com='_dmarc TXT "v=DMARC1; p=rejct"\n', example_org="") as resolver:
        assert dmarc.published(resolver, "", "example.com").problem == "p=rejct is no policy"
        assert dmarc.published(resolver, "", "example.org").problem == "no policy record"

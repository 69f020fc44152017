"""What the lab spf-dmarc promises its students, and what it does with work that its author did not think of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grader import labs, outputs, pipeline
from grader.model.errors import SubmissionError
from grader.model.result import Result
from grader.model.variant import Variant

FOLDER = labs.find("spf-dmarc")
LAB = labs.load(FOLDER)
VARIANT = labs.draw_variant(LAB)
SOLUTION = labs.render_submission(FOLDER / "solution", VARIANT).files["example.com.zone"].decode()


def graded(zone: str | bytes, variant: Variant = VARIANT) -> pipeline.Graded:
    """The run of a zone in the canonical variant, or another."""
    name = f"{variant.names['domain']}.zone"
    data = zone if isinstance(zone, bytes) else zone.encode()
    return pipeline.grade(LAB, labs.Submission({name: data}), engine=None, variant=variant)


def lost(result: Result) -> set[str]:
    """Codes of the checks that failed."""
    return {check.code.partition("/")[2] for check in result.checks if check.status == "fail"}


def changed(old: str, new: str) -> str:
    """The solution with one thing changed."""
    assert SOLUTION.count(old) == 1
    return SOLUTION.replace(old, new)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"v=spf1 mx a:www', '"v=spf1 mx/32//128 a:www'),
        ('"v=spf1 mx a:www', '"V=SPF1  +MX a:WWW'),
        ('"v=spf1 mx a:www', '"v=spf1 -ip4:198.51.100.0/24 ~ip4:192.0.2.81 mx exp=why.example.com a:www'),
        ('"v=spf1 mx a:www', '"v=spf1 a:mail.%{d} a:www'),
        ('"v=spf1 a -all"', '"v=spf1 redirect=example.com"'),
        ('"v=spf1 a -all"', '"v=spf1 include:example.com -all"'),
        ("p=quarantine; sp=reject", "t=n; psd=n; aspf=r; adkim=r; p=quarantine; np=reject; sp=reject"),
        ("; sp=reject", " ;sp = reject "),
        ("sp=reject;", "sp=reject; pct=10; rf=afrf; ri=3600; ruf=mailto:abuse@example.org;"),
        (
            '_report._dmarc IN TXT "v=DMARC1"',
            '_report._dmarc 60 TXT "v=DMARC1; rua=mailto:dmarc@example.com"',
        ),
        ("status         IN MX   0 .", "status.example.com. IN MX 0 ."),
        ("$TTL 1h", ""),
    ],
)
def test_another_way_to_write_it_gets_full_marks(old: str, new: str) -> None:
    result = graded(changed(old, new)).result
    assert lost(result) == set()
    assert result.score == 100


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "fails"),
    [
        ("include:_spf.newsletter.example", "ip4:192.0.2.128/26 ip6:2001:db8:4e57::/48", set()),
        ("include:_spf.newsletter.example", "ip4:192.0.2.128/26 ip6:2001:db8:4e57::25", {"newsletter"}),
        ("mx a:www", "mx -ip4:192.0.2.191 a:www", {"newsletter"}),
        ("mx a:www", "mx ?ip4:192.0.2.81 a:www", {"strength"}),
        ("mx a:www", "mx ?ip6:2001:db8:bad::/48 a:www", {"strength"}),
        ("include:_spf.newsletter.example", "ip4:192.0.2.0/24 ip6:2001:db8:4e57::/48", {"strangers"}),
        ("mx a:www", "mx ip6:2001:db8::/32 a:www", {"strangers"}),
        ("mx a:www", "mx include:_spf.partner.example a:www", {"spf-record"}),
        ("mx a:www", "mx include:partner.example a:www", {"strangers"}),
        ("mx a:www", "mx include:example.com a:www", {"spf-record"}),
        ("sp=reject", "sp=quarantine", {"subdomains"}),
        ("mailto:dmarc@example.com,", "mailto:Dmarc@example.com,", {"reports"}),
        ("mailto:dmarc@example.com,", "mailto:dmarc@mail.example.com,", {"reports"}),
        ("www             IN A", '_dmarc.a.b TXT "v=DMARC1; p=quarantine"\nwww IN A', {"subdomains"}),
        ("www             IN A", 'x TXT "v=DMARC1; p=none"\n_dmarc.y CNAME x\nwww IN A', {"subdomains"}),
        (
            "www             IN A",
            '_dmarc.y TXT "v=DMARC1; p=reject; psd=n; np=none"\nwww IN A',
            {"subdomains"},
        ),
        ("www             IN A", '_dmarc._x TXT "v=DMARC1; p=none"\nwww IN A', set()),
        ('"v=DMARC1"', '"v=DMARC1"\n*.org._report._dmarc TXT "v=DMARC1"', {"authorizes-nobody-else"}),
        ('"v=DMARC1"', '"v=DMARC1"\n*.partner.example._report._dmarc TXT "v=DMARC1"', set()),
        ('"v=DMARC1"', '"v=DMARC1"\nb.org._report._dmarc TXT "no"', set()),
        ("IN MX   10 mail.example.com.", "IN MX 10 mail\n@ IN MX 20 mail.example.com.", set()),
        ("IN MX   10 mail.example.com.", "IN MX 10 mail\n@ IN MX 20 www", {"mail-in"}),
        (
            'status         IN TXT  "v=spf1 -all"',
            'status TXT "v=spf1 ip4:198.51.100.200 -all"',
            {"strangers", "quiet-sends-nothing"},
        ),
    ],
)
def test_what_is_subtly_wrong_loses_what_it_breaks(old: str, new: str, fails: set[str]) -> None:
    assert lost(graded(changed(old, new)).result) == fails


def test_what_is_odd_and_works_is_remarked_on_and_costs_nothing() -> None:
    result = graded(changed("p=quarantine;", "p=quarantine; pct=100;")).result
    assert result.score == 100
    assert [note for note in result.notes if "pct" in note] == [
        "line 29, column 50: pct is no longer part of DMARC (RFC 9989): receivers of today ignore it"
    ]


def test_a_failing_check_points_at_the_very_term() -> None:
    run = graded(changed("mx a:www", "mx ip4:203.0.113.0/24 a:www"))
    strangers = next(check for check in run.result.checks if check.code == "spf-dmarc/strangers")
    line, column, length = map(int, strangers.evidence[0].split(":")[1:])
    assert run.evidence.facts.lines[line][column : column + length] == "ip4:203.0.113.0/24"
    assert "“ip4:203.0.113.0/24” in the record of example.com" in strangers.observed


def test_the_same_evidence_gives_the_same_result() -> None:
    for zone in (
        SOLUTION,
        changed("mx a:www", "+all"),
        SOLUTION.encode() + b"\xff\xfe\n",
        b"\xff TXT \xfe\n",
    ):
        run = graded(zone)
        assert pipeline.regrade(outputs.document(run.evidence)) == run.result


def test_two_students_cannot_hand_in_the_same_zone(tmp_path: Path) -> None:
    mine, theirs = labs.draw_variant(LAB, "mine"), labs.draw_variant(LAB, "theirs")
    for name, data in labs.render_submission(FOLDER / "solution", mine).files.items():
        (tmp_path / name).write_bytes(data)
    assert labs.read_submission(LAB, tmp_path, mine.names).files
    with pytest.raises(SubmissionError, match=re.escape(f"holds no {theirs.names['domain']}.zone")):
        labs.read_submission(LAB, tmp_path, theirs.names)


def test_only_the_checks_that_are_asked_for_are_made() -> None:
    name = "example.com.zone"
    files = labs.Submission({name: SOLUTION.encode()})
    result = pipeline.grade(LAB, files, engine=None, variant=VARIANT, only={"website"}).result
    assert [check.code for check in result.checks] == ["spf-dmarc/website"]
    assert result.passed


def _long(text: str) -> str:
    return " ".join(f'"{text[at : at + 255]}"' for at in range(0, len(text), 255))


HOSTILE = {
    "many-mechanisms": f"@ TXT {_long('v=spf1' + ' mx' * 1300)}\n",
    "many-names": "".join(f'n{n} TXT "v=spf1 redirect=a0.example.com"\n' for n in range(15))
    + "".join(
        f"a{n} TXT {_long('v=spf1' + ''.join(f' ?ip4:10.{n}.{i}.1' for i in range(200)))} "
        f'" include:a{n + 1}.example.com ?all"\n'
        for n in range(9)
    ),
    "many-includes": '@ TXT "v=spf1 ' + " ".join(f"include:i{n}.example.com" for n in range(9)) + ' -all"\n'
    + "".join(f"i{n} TXT {_long('v=spf1' + ' ip4:192.0.2.1' * 280)}\n" for n in range(9)),
    "includes-itself": '@ TXT "v=spf1 redirect=example.com"\n_dmarc CNAME a\na CNAME b\nb CNAME a\n',
    "macros": '@ TXT "v=spf1 exists:%{l1r-}.%{ir}.%{d}.%{s}.%{h}.' + "x." * 80 + 'example.com ~all"\n',
    "not-spf": f"@ TXT {_long('=' * 4000)}\na TXT {_long(' ' * 4000)}\n",
    "escapes-for-a-terminal": '@ TXT "v=spf1 \\027[2J ip4:<script>alert(1)</script> -all"\n; \u202e\u2066\n',
    "open-parentheses": "(" * 50_000,
    "binary": "".join(map(chr, range(1, 256))) * 100,
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_work_ends_in_time_and_is_shown_harmlessly(name: str) -> None:
    head = "$TTL 1h\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 203.0.113.53\n"
    run = graded(head + HOSTILE[name])
    assert run.result.status == "graded"
    page = outputs.html(run.result, run.evidence)
    assert b"<script>alert(1)" not in page
    assert b"\x1b" not in page


def first_failure(name: str) -> tuple[str, list[str]]:
    """What was observed of a known fault, and the characters that are marked for it."""
    files = labs.render_submission(FOLDER / "wrong" / name, VARIANT).files
    run = graded(files["example.com.zone"])
    check = run.result.first_failure()
    assert check
    places = [list(map(int, place.split(":")[1:])) for place in check.evidence if place.startswith("zone:")]
    lines = run.evidence.facts.lines
    return check.observed, [lines[line][column : column + length] for line, column, length in places]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "marked", "observed"),
    [
        ("after-all", ["-all", "include:_spf.newsletter.example"], "by “-all”"),
        ("idle-redirect", ["-all", "redirect=_spf.newsletter.example"], "by “-all”"),
        ("strict-alignment", ["aspf=s"], "is not aligned with example.com in From, by aspf=s"),
        ("public-suffix", ["psd=y"], "is not aligned with example.com in From, by psd=y"),
        (
            "authorizes-everybody",
            ["*._report._dmarc"],
            "third.example._report._dmarc.example.com authorizes it",
        ),
        ("authorization-turned-round", ["example.com._report._dmarc"], "has no TXT record v=DMARC1"),
        ("spf-elsewhere", ["spf"], "One stands at spf.example.com."),
        ("key-at-wrong-name", ["nl._domainkey"], "a key stands at nl._domainkey.example.com"),
        ("server-and-three", ["ip6:2001:db8:113::10/126"], "2001:db8:113::12 may not send as example.com"),
        ("mx-network", ["mx//112"], "by “mx//112”"),
        ("open-name-below", ["+all"], "A pass for shop.example.com is aligned with example.com"),
        ("open-wildcard", ["ip6:2000::/3", "/3"], "may not send as anybody.hosts.example.com"),
        ("helo-network", ["a/29"], "may not send as mail.example.com"),
        ("alias-of-third-party", ["stats"], "198.51.100.66 may not send as stats.example.com"),
        ("whoever-has-a-name", ["exists:%{l}._people.example.com"], "with MAIL FROM:<ceo@example.com>"),
        ("em-dash", ["\u2014"], "(em dash), where a hyphen-minus “-” belongs"),
        ("full-stop", ["."], "“-all.” goes on with “.”"),
        ("comment-in-record", ["#"], "“#” is no mechanism"),
        ("slash-for-colon", ["/_spf.newsletter.example"], "which cannot stand behind “include”"),
        ("prefix-too-long", ["/40"], "“/40”, which is no prefix length"),
        ("redirect-twice", ["redirect=_more.example.com"], "is a second “redirect”"),
        ("a-equals", ["a=www.example.com"], "“a=www.example.com” is ignored"),
        ("mx-equals", ["mx=example.com"], "“mx=example.com” is ignored"),
        (
            "branch-with-two-records",
            ["_branch"],
            "_branch.example.com, which “include:_branch.example.com” leads to",
        ),
        ("includes-itself", ["include:example.com"], "leads back to example.com"),
        (
            "names-of-old",
            ["mx:gone.example.com", "exists:former.example.com", "a:moved.example.com", "a:www.example.com"],
            "Nothing is found by “mx:gone.example.com” (gone.example.com MX)",
        ),
        ("too-many-lookups", ["include:_spf.newsletter.example"], "“include:_spf.newsletter.example” 3"),
        ("key-name-hyphen", ["nl._domain-key.news"], "a key stands at nl._domain-key.news.example.com"),
        ("key-for-another-hash", ["h=sha1:sha512"], "h=sha1:sha512 forbids SHA-256"),
        ("dmarc-at-host", ["_dmarc.mail"], "One stands at _dmarc.mail.example.com."),
        (
            "authorization-elsewhere",
            ["rua=mailto:archive@example.com"],
            "sends them to archive@example.com instead",
        ),
        ("testing", ["t=y"], "p=quarantine weakened by t=y"),
        ("weak-np", ["np=none"], "by np=none"),
    ],
)
def test_a_known_fault_is_marked_where_it_is(name: str, marked: list[str], observed: str) -> None:
    said, characters = first_failure(name)
    assert observed in said
    assert characters == marked

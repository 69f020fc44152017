"""What each expectation of a zone lab makes of a zone: served, asked about and judged, one expectation at a time."""

from __future__ import annotations

from typing import Any

import pytest

from grader import labs, pipeline
from grader.kinds.zone.declare import (
    Question,
    ReportRequest,
    SenderRequest,
    Signer,
    ZoneCheck,
    ZoneExpect,
    ZoneLab,
    ZoneMessage,
    ZoneTry,
    ZoneWorld,
)
from grader.kinds.zone.facts import DnsAnswer, ZoneFacts
from grader.kinds.zone.judge import ZoneJudge
from grader.kinds.zone.judge.index import ZoneIndex
from grader.model.evidence import Tried
from grader.model.lab import SubmissionRules
from grader.model.result import CheckResult
from grader.model.submission import Submission
from tests.kinds.zone.beds import HEAD
from tests.tables import every


def demo(expect: ZoneExpect, others: dict[str, str], **tried: Any) -> ZoneLab:
    """A lab of one check, with other people's zones."""
    return ZoneLab(
        id="demo",
        title="Demo",
        version="1",
        summary="s",
        submission=SubmissionRules(required=["{domain}.zone"]),
        zone=ZoneWorld(others=others),
        checks=[
            ZoneCheck(
                code="it", title="it", points=5, why="w", next="n", attempts=[ZoneTry(**tried)], expect=expect
            )
        ],
    )


def verdict(
    zone: str, expect: ZoneExpect, others: dict[str, str] | None = None, **tried: Any
) -> tuple[CheckResult, list[str]]:
    """The result of a check that expects this of a zone for example.com, and the characters that it marks."""
    lab = demo(expect, others or {}, **tried)
    text = HEAD + zone
    files = Submission({"example.com.zone": text.encode()})
    result = pipeline.grade(lab, files, engine=None, variant=labs.draw_variant(lab)).result
    [check] = result.checks
    marked = []
    for place in check.evidence:
        kind, *numbers = place.split(":")
        if kind == "zone":
            line, column, length = map(int, numbers)
            marked.append(text.split("\n")[line][column : column + length])
    return check, marked


MX = [Question("example.com", "MX")]


@every(
    ("zone", "wanted", "status"),
    [
        ("@ MX 10 mail\nmail A 192.0.2.1\n", ["10 mail.example.com."], "pass"),
        ("@ MX 10 mail\nmail A 192.0.2.1\n", ["* MAIL.example.com."], "pass"),
        ("@ MX 10 mail\n@ MX 20 spare\n", ["10 mail.example.com."], "fail"),
        ("@ MX 10 mail\n@ MX 20 spare\n", ["* spare.example.com.", "* mail.example.com."], "pass"),
        ("@ MX 10 mail\n", ["* mail.example.com.", "* mail.example.com."], "fail"),
        ("@ MX 10 mail\n", [], "fail"),
        ("", [], "pass"),
        ("", ["* mail.example.com."], "fail"),
        ("@ MX 10 mail\n", ["1? mail.example.com."], "fail"),
        ("@ MX 10 mail\n", ["10 *example.com.*om."], "fail"),
    ],
)
def test_dns_gives_the_answers_wanted_and_no_others(zone: str, wanted: list[str], status: str) -> None:
    assert verdict(zone, ZoneExpect(answers=wanted), questions=MX)[0].status == status


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("nowhere.example.com", "no such name (NXDOMAIN)"),
        ("ns.example.com", "that there is none"),
        ("example.com", "“10 mail.example.com.”"),
    ],
)
def test_an_answer_that_is_not_wanted_is_told(asked: str, told: str) -> None:
    check, _ = verdict("@ MX 10 mail\n", ZoneExpect(answers=["x"]), questions=[Question(asked, "MX")])
    assert told in check.observed


BOTH = "{0} A 192.0.2.1\n{0} AAAA 2001:db8::1\n"
SPF_OF_TWO = (
    '@ TXT "v=spf1 mx a:www.example.com -all"\n@ MX 10 mail\n' + BOTH.format("mail") + BOTH.format("www")
)


@pytest.mark.parametrize(("most", "status"), [(3, "pass"), (2, "pass"), (1, "fail"), (0, "fail")])
def test_a_record_may_take_as_many_lookups_as_are_allowed(most: int, status: str) -> None:
    check, marked = verdict(SPF_OF_TWO, ZoneExpect(lookups=most), records=["example.com"])
    assert check.status == status
    if status == "fail":
        assert f"takes 2 DNS look-ups, and receivers make no more than {most}" in check.observed
        assert marked == [("mx", "a:www.example.com")[most]], "the first term that is one too many"


@pytest.mark.parametrize(("most", "status"), [(2, "pass"), (1, "pass"), (0, "fail")])
def test_a_record_may_find_nothing_as_often_as_is_allowed(most: int, status: str) -> None:
    zone = '@ TXT "v=spf1 a:gone.example.com a:www.example.com -all"\n' + BOTH.format("www")
    check, _ = verdict(zone, ZoneExpect(voids=most), records=["example.com"])
    assert check.status == status
    assert ("1 DNS look-ups that find nothing" in check.observed) == (status == "fail")


@pytest.mark.parametrize("address", ["A 192.0.2.1", "AAAA 2001:db8::1"])
def test_a_record_is_measured_for_the_client_that_it_costs_most(address: str) -> None:
    # A name with an address of one family finds nothing for a client of the other.
    zone = f'@ TXT "v=spf1 a:www.example.com -all"\nwww {address}\n'
    assert verdict(zone, ZoneExpect(voids=0), records=["example.com"])[0].status == "fail"
    assert verdict(zone, ZoneExpect(voids=1), records=["example.com"])[0].status == "pass"


@pytest.mark.parametrize(
    ("zone", "told", "marked"),
    [
        ("", "has no TXT record that begins with v=spf1", []),
        ('@ TXT "v=spfl a -all"\n', "Line 5, column 8: an SPF record begins with v=spf1", ["v=spfl"]),
        (
            "@ TXT \u201cv=spf1 a -all\u201d\n",
            "`\u201c` (left double quotation mark, U+201C) stands where",
            ["\u201c"],
        ),
        ('spf TXT "v=spf1 -all"\n', "One stands at spf.example.com", ["spf"]),
        (
            'www A 192.0.2.1\n  TXT "v=spf1 -all"\n',
            "One stands at www.example.com: a line that begins with a blank goes on",
            ["TXT"],
        ),
        ('www TXT "v=spf1 -all"\n', "has no TXT record that begins with v=spf1.", []),
        ('@ TXT "v=spf1 -all"\n@ TXT "v=spf1 a -all"\n', "has 2 SPF records", ["@"]),
        ('@ TXT "v=spf1 a mxx -all"\n', "cannot use the SPF record", ["mxx"]),
    ],
)
def test_what_is_wrong_with_an_spf_record_is_marked(zone: str, told: str, marked: list[str]) -> None:
    check, found = verdict(zone, ZoneExpect(published=True), records=["example.com"])
    assert check.status == "fail"
    assert told in check.observed
    assert found == marked


def test_a_limit_that_is_exceeded_is_no_fault_of_the_record_itself() -> None:
    names = [f"h{number}" for number in range(12)]
    many = '@ TXT "v=spf1 ' + " ".join(f"a:{name}.example.com" for name in names) + ' -all"\n'
    many += "".join(map(BOTH.format, names))
    assert verdict(many, ZoneExpect(published=True), records=["example.com"])[0].status == "pass"
    assert verdict(many, ZoneExpect(lookups=10), records=["example.com"])[0].status == "fail"
    nothing = '@ TXT "v=spf1 a:g1.example.com a:g2.example.com a:g3.example.com -all"\n'
    assert verdict(nothing, ZoneExpect(published=True), records=["example.com"])[0].status == "pass"
    assert verdict(nothing, ZoneExpect(voids=2), records=["example.com"])[0].status == "fail"


@pytest.mark.parametrize(
    ("record", "marked"),
    [
        ("v=DMARC1; p=reject; sp=quarantin", "sp=quarantin"),
        ("v=DMARC1; p=reject; np=x; sp=none", "np=x"),
        ("v=DMARC1; pp=reject", "v=DMARC1"),
    ],
)
def test_the_tag_that_spoils_a_policy_is_marked(record: str, marked: str) -> None:
    check, found = verdict(f'_dmarc TXT "{record}"\n', ZoneExpect(published=True), policies=["example.com"])
    assert check.status == "fail"
    assert found[0] == marked


FORGED = [ZoneMessage("198.51.100.66", "x@else.example", "boss@example.com", title="a forger")]


@pytest.mark.parametrize(
    ("record", "wanted", "status", "marked"),
    [
        ("v=DMARC1; p=reject", "reject", "pass", []),
        ("v=DMARC1; p=none", "reject", "fail", ["p=none"]),
        ("v=DMARC1; p=reject; t=y", "reject", "fail", ["t=y"]),
        ("v=DMARC1; p=reject; t=y", "quarantine", "pass", []),
        ("v=DMARC1; p=quarantine; t=y", "quarantine", "fail", ["t=y"]),
        ("v=DMARC1; p=quarantine; t=n", "quarantine", "pass", []),
    ],
)
def test_the_tag_that_decides_what_becomes_of_a_forgery_is_marked(
    record: str, wanted: Any, status: str, marked: list[str]
) -> None:
    zone = f'@ TXT "v=spf1 -all"\n_dmarc TXT "{record}"\n'
    check, found = verdict(zone, ZoneExpect(disposition=[wanted]), messages=FORGED)
    assert check.status == status
    assert [text for text in found if text in record] == marked


@every(
    ("text", "wanted", "status"),
    [
        ('"v=STSv1; id=1;"', "v=STSv1; id=*;", "pass"),
        ('"v=STSv1; " "id=" "1;"', "v=STSv1; id=1;", "pass"),
        ('"v=STSv1; " "id=" "1;"', '"v=STSv1; *"', "pass"),
        ('"v=STSv1; id=1;"', "v=STSv1", "fail"),
        ('"v=spf1 -all"', "v=spf1 ?all", "fail"),
        ('"v=spf1 ?all"', "v=spf1 ?all", "pass"),
        ('"v=stsv1; " "id=\\252;"', "v=STSv1; id=*;", "pass"),
    ],
)
def test_a_text_is_what_readers_get_of_it(text: str, wanted: str, status: str) -> None:
    """Readers join the strings of a TXT record (RFC 7208 section 3.3, RFC 8461 section 3.1)."""
    asked = [Question("t.example.com", "TXT")]
    check, _ = verdict(f"t TXT {text}\n", ZoneExpect(answers=[wanted]), questions=asked)
    assert check.status == status


TO = ReportRequest("example.com", "r@example.com")


@pytest.mark.parametrize(
    ("rua", "reported", "status"),
    [
        ("r@example.com", True, "pass"),
        ("r@example.com", False, "fail"),
        ("R@example.com", True, "fail"),
        ("r@EXAMPLE.com", True, "pass"),
        ("other@example.com", True, "fail"),
        ("other@example.com", False, "pass"),
        ("r@example.com?subject=reports", True, "pass"),
        ("%72@example.com", True, "pass"),
        ("%72%40@example.com", True, "fail"),
        ("r%0d@example.com", True, "fail"),
    ],
)
def test_reports_reach_the_mailbox_that_is_named(rua: str, reported: bool, status: str) -> None:
    zone = f'_dmarc TXT "v=DMARC1; p=none; rua=mailto:{rua}"\n'
    assert verdict(zone, ZoneExpect(reported=reported), reports=[TO])[0].status == status


@pytest.mark.parametrize(
    ("names", "marked"),
    [
        ('*.keys TXT "x"\n', []),
        ('*._domainkey TXT "v=DKIM1; p=%s"\n', ["p="]),
        ('*._domainkey TXT "v=DKIM1; p=%s"\na._domainkey A 192.0.2.1\n', []),
    ],
)
def test_a_wildcard_speaks_only_for_names_that_do_not_exist(names: str, marked: list[str]) -> None:
    """RFC 4592 section 2.2.1: where a name exists, a wildcard beside it gives nothing, and is not what is marked."""
    message = ZoneMessage(
        "198.51.100.66", "x@else.example", "boss@example.com", signed=Signer("example.com", "a", "newsletter")
    )
    zone = names % "" if "%" in names else names
    check, found = verdict(zone, ZoneExpect(dkim=True), messages=[message])
    assert check.status == "fail"
    assert [text[:2] for text in found if text.startswith("p=")] == marked


EVERYBODY = [SenderRequest("example.com", ["192.0.2.1"], below=False)]


@pytest.mark.parametrize(
    ("record", "status", "told", "marked"),
    [
        ("ip4:192.0.2.1 -all", "pass", "", []),
        ("ip4:192.0.2.1 ~all", "pass", "", []),
        (
            "?ip4:203.0.113.0/24 -all",
            "fail",
            "203.0.113.1 may not send as example.com",
            ["?ip4:203.0.113.0/24"],
        ),
        ("-ip4:0.0.0.0/0 ?all", "fail", "2001:db8:bad::66 may not send as example.com", ["?all"]),
        ("ip4:192.0.2.0/30 -all", "fail", "everybody in 192.0.2.2/31, 192.0.2.0/32", ["ip4:192.0.2.0/30"]),
        ("a:1.example.com a:2.example.com a:3.example.com -all", "fail", "permerror", ["a:3.example.com"]),
    ],
)
def test_everybody_else_gets_what_is_wanted(record: str, status: str, told: str, marked: list[str]) -> None:
    expect = ZoneExpect(everybody_else=["fail", "softfail"])
    check, found = verdict(f'@ TXT "v=spf1 {record}"\n', expect, senders=EVERYBODY)
    assert check.status == status
    assert told in check.observed
    assert found == marked


@pytest.mark.parametrize(
    ("record", "result", "client"),
    [
        ("ip4:192.0.2.128/26 -all", "pass", ""),
        ("-ip4:192.0.2.144/28 ip4:192.0.2.128/26 -all", "fail", "192.0.2.145"),
        ("ip4:192.0.2.128/27 -all", "fail", "192.0.2.161"),
        ("exists:%{i}._ok.example.com -all", "fail", "192.0.2.129"),
    ],
)
def test_a_message_from_a_network_comes_from_each_of_its_addresses(
    record: str, result: str, client: str
) -> None:
    message = ZoneMessage("192.0.2.128/26", "a@example.com", "a@example.com")
    zone = f'@ TXT "v=spf1 {record}"\n192.0.2.140._ok A 127.0.0.2\n'
    check, _ = verdict(zone, ZoneExpect(spf=["pass"]), messages=[message])
    assert (check.status == "pass") == (result == "pass")
    assert f"({client})" in check.observed or not client


def test_a_zone_that_cannot_be_read_passes_nothing_that_was_to_be_tried_on_it() -> None:
    check, marked = verdict("@ MX ten mail\n", ZoneExpect(answers=["* mail.example.com."]), questions=MX)
    assert check.status == "fail"
    assert "line 5" in check.observed
    assert marked == ["ten"]


@pytest.mark.parametrize(
    ("kind", "expect"),
    [
        ("receptions", ZoneExpect(spf=["pass"])),
        ("answers", ZoneExpect(answers=[])),
        ("reportings", ZoneExpect(reported=True)),
        ("measured", ZoneExpect(published=True)),
        ("measured", ZoneExpect(lookups=10)),
        ("senders", ZoneExpect(nobody_else=True)),
        ("senders", ZoneExpect(everybody_else=["fail"])),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_was_to_be_tried_and_was_not_is_an_error(kind: str, expect: ZoneExpect) -> None:
    tried = [Tried(id=f"it:{number}", check="it", title="it") for number in (1, 2)]
    facts = ZoneFacts(attempts=tried, file="example.com.zone", origin="example.com", lines=[])
    lab = demo(expect, {})
    assert ZoneJudge(ZoneIndex(facts, {}), lab).judge(lab.checks[0]).status == "error"


def test_one_answer_does_not_speak_for_two_questions() -> None:
    lab = demo(ZoneExpect(answers=[]), {})
    tried = [Tried(id=f"it:{number}", check="it", title="it") for number in (1, 2)]
    answers = [DnsAnswer(attempt="it:1", name="example.com", type="MX", rcode="NOERROR", values=[])]
    facts = ZoneFacts(attempts=tried, file="f", origin="example.com", lines=[], answers=answers)
    assert ZoneJudge(ZoneIndex(facts, {}), lab).judge(lab.checks[0]).status == "error"

"""The analyser: hops, what can be believed, and a message for everything that it can find."""

from __future__ import annotations

import pytest

from grader.lesson.analyser import analyse, wordings
from grader.lesson.analyser.examples import examples
from tests.tables import every

AT = "Sat, 21 Feb 2026 10:00:0{} +0000"
NEWEST = f"Received: from out.example.net (out.example.net [192.0.2.7]) by mx.example.com with ESMTPS; {AT.format(5)}\n"
OLDEST = f"Received: from pc.example.net (pc.example.net [192.0.2.9]) by out.example.net with ESMTPSA; {AT.format(3)}\n"
FROM = f"From: Zoe <zoe@example.net>\nDate: {AT.format(1)}\n"
SIGNED = "DKIM-Signature: v=1; a=rsa-sha256; b=x; bh=y; d=example.net; h=from:to; s=s"
RESULTS = "Authentication-Results: mx.example.com; dmarc={} header.from=example.net\n"
ARC = "ARC-Seal: i=1; cv={}; d=lists.example.org; b=x\nARC-Message-Signature: i=1; b=x\n"
AAR = "ARC-Authentication-Results: i=1; lists.example.org; dmarc=pass header.from=example.net\n"
SHOWING = {
    "no-hops": FROM,
    "too-many-hops": NEWEST * 120 + FROM,
    "loop": NEWEST * 50 + FROM,
    "circle": (NEWEST.replace("with ESMTPS", "with ESMTPS id 1 for <bob@example.com>") + OLDEST) * 3 + FROM,
    "clock-days": NEWEST.replace("21 Feb", "19 Feb") + OLDEST + FROM,
    "impossible-time": NEWEST.replace("21 Feb", "30 Feb") + FROM,
    "unknown-zone": NEWEST.replace("+0000", "CEST") + FROM,
    "lenient-time": NEWEST.replace("2026", "26") + FROM,
    "impossible-address": NEWEST.replace("192.0.2.7", "192.0.2.270") + FROM,
    "written-days": NEWEST + FROM.replace("21 Feb", "23 Feb"),
    "from-another": NEWEST + FROM.replace("Zoe", '"zoe@bank.example via Lists"'),
    "returned-results": NEWEST
    + OLDEST
    + RESULTS.format("pass")
    + OLDEST.replace("by out.example.net", "by mx.example.com")
    + FROM,
    "appended-results": NEWEST.replace("(out.example.net [192.0.2.7])", "([192.0.2.7] helo=out)").replace(
        ";", " (Exim 4.98);", 1
    )
    + OLDEST
    + RESULTS.format("pass")
    + FROM,
    "own-results-below": NEWEST + OLDEST + RESULTS.format("pass") + FROM,
    "dmarc-sealed": RESULTS.format("fail").replace(";", "; arc=pass;", 1) + NEWEST + FROM,
    "arc-failed": NEWEST + ARC.format("fail") + AAR + FROM,
    "clock": NEWEST.replace(AT.format(5), AT.format(0)) + OLDEST + FROM,
    "slow": NEWEST.replace("10:00:05", "10:45:05") + OLDEST + FROM,
    "no-time": NEWEST.replace(AT.format(5), "yesterday") + FROM,
    "gap": NEWEST + OLDEST.replace("by out.example.net", "by other.example.org") + FROM,
    "name-differs": NEWEST.replace("from out.example.net", "from mail.bank.example") + FROM,
    "no-name": NEWEST.replace("(out.example.net [", "(unknown [").replace("with", "(Postfix) with") + FROM,
    "plain-hop": NEWEST.replace("with ESMTPS", "(Postfix) with ESMTP") + FROM,
    "written-later": NEWEST + FROM.replace("10:00:01", "11:00:01"),
    "written-earlier": NEWEST + FROM.replace("Sat, 21", "Thu, 19"),
    "from-hidden": NEWEST + FROM.replace("Zoe", '"zoe@bank.example"'),
    "from-idn": NEWEST + FROM.replace("zoe@", "zoe@xn--bcher-kva."),
    "reply-elsewhere": NEWEST + FROM + "Reply-To: a@example.org\n",
    "envelope-elsewhere": "Return-Path: <a@example.org>\n" + NEWEST + FROM,
    "bounce": "Return-Path: <>\n" + NEWEST + FROM,
    "no-results": NEWEST + FROM,
    "unsure-results": NEWEST + RESULTS.format("pass") + OLDEST + FROM,
    "untrusted-results": NEWEST
    + OLDEST
    + RESULTS.format("pass").replace("mx.example.com", "mx.example.org")
    + FROM,
    "beside-results": NEWEST + RESULTS.format("pass").replace("mx.example.com", "mx.example.org") + FROM,
    "forged-results": NEWEST + OLDEST + RESULTS.format("pass") + OLDEST + FROM,
    "dmarc-failed": RESULTS.format("fail") + NEWEST + FROM,
    "dmarc-passed": RESULTS.format("pass") + NEWEST + FROM,
    "spf-untrusted": NEWEST + OLDEST + "Received-SPF: pass\n" + FROM,
    "unsigned": NEWEST + FROM,
    "signature-broken": NEWEST + SIGNED.replace("s=s", "") + "\n" + FROM,
    "signature-from": NEWEST + SIGNED.replace("from:", "") + "\n" + FROM,
    "signature-sha1": NEWEST + SIGNED.replace("sha256", "sha1") + "\n" + FROM,
    "signature-length": NEWEST + SIGNED + "; l=100\n" + FROM,
    "signature-expired": NEWEST + SIGNED + "; x=1000000000\n" + FROM,
    "signature-aligned": NEWEST + SIGNED + "\n" + FROM,
    "signature-other": NEWEST + SIGNED.replace("d=example.net", "d=example.org") + "\n" + FROM,
    "arc-passed": "Authentication-Results: mx.example.com; arc=pass\n"
    + NEWEST
    + ARC.format("none")
    + AAR
    + FROM,
    "arc-incomplete": NEWEST + ARC.format("none") + FROM,
    "arc-chain": NEWEST + ARC.format("pass") + AAR + FROM,
}


def raw(text: str) -> bytes:
    return (text + "\nHello\n").replace("\n", "\r\n").encode()


def rules(text: str, own: str = "") -> set[str]:
    return {finding.rule for finding in analyse(raw(text), own).findings}


def test_everything_that_can_be_found_is_shown() -> None:
    assert set(SHOWING) == {finding.id for finding in wordings().findings}


@every("rule", SHOWING)
def test_a_message_shows_what_it_is_to_show(rule: str) -> None:
    found = [finding for finding in analyse(raw(SHOWING[rule])).findings if finding.rule == rule]
    assert found
    assert "{" not in found[0].sentence
    assert found[0].sentence.endswith(".")


def test_nothing_is_said_against_a_good_message() -> None:
    good = next(example for example in examples() if example.id == "good")
    assert {finding.grave for finding in analyse(good.raw).findings} == {"good", "note"}


def test_hops_are_told_from_the_oldest_with_their_delays() -> None:
    found = analyse(raw(NEWEST + OLDEST + FROM))
    assert [(hop.by, hop.delay, hop.address) for hop in found.hops] == [
        ("out.example.net", 2, "192.0.2.9"),
        ("mx.example.com", 2, "192.0.2.7"),
    ]
    assert (found.own, found.trusted) == ("example.com", 1)


def test_zones_are_reckoned_with() -> None:
    later = NEWEST.replace("10:00:05 +0000", "19:00:05 +0900 (JST)")
    assert [hop.delay for hop in analyse(raw(later + OLDEST + FROM)).hops] == [2, 2]


def test_a_hop_without_a_name_is_its_neighbours() -> None:
    # Large providers write their inner hops with an address alone, above the one that took the message.
    inner = f"Received: by 2001:db8:5::1 with SMTP id x; {AT.format(6)}\n"
    found = analyse(raw(inner + RESULTS.format("pass") + NEWEST + OLDEST + FROM))
    assert (found.own, found.trusted) == ("example.com", 2)
    assert [one.standing for one in found.results] == ["own"]


def test_results_without_a_servers_name_are_read_where_their_place_vouches_for_them() -> None:
    unnamed = (
        "Authentication-Results: spf=pass (sender IP is 192.0.2.7)\n smtp.mailfrom=example.net; dmarc=fail\n"
    )
    [one] = analyse(raw(unnamed + NEWEST + FROM)).results
    assert (one.server, one.standing) == ("", "own")
    assert [(outcome.method, outcome.result) for outcome in one.outcomes] == [
        ("spf", "pass"),
        ("dmarc", "fail"),
    ]
    assert analyse(raw(NEWEST + OLDEST + unnamed + FROM)).results[0].standing == "foreign"


@pytest.mark.parametrize(
    ("field", "server"),
    [
        ('"mx.example.com"; dmarc=pass', "mx.example.com"),
        ('"mx.example\\.com" 1; dmarc=pass', "mx.example.com"),
        ("(a; b) mx.example.com (c) 1; dmarc=pass", "mx.example.com"),
        ("; dmarc=pass", ""),
        ("dmarc=pass", ""),
        ("mx.example.com;dmarc=pass", "mx.example.com"),
    ],
)
def test_the_name_of_a_server_is_read_in_every_form(field: str, server: str) -> None:
    # RFC 8601 section 2.2: the authserv-id is a value, so it may be a quoted string. Some servers leave it out.
    found = analyse(raw(f"Authentication-Results: {field}\n{NEWEST}{FROM}"))
    [one] = found.results
    assert (one.server, one.standing) == (server, "own")
    assert [(outcome.method, outcome.result) for outcome in one.outcomes] == [("dmarc", "pass")]
    [passed] = [finding for finding in found.findings if finding.rule == "dmarc-passed"]
    assert passed.sentence.startswith(server or "Your server")


def test_nothing_is_called_forged_where_no_line_is_of_the_readers_servers() -> None:
    inside = (
        RESULTS.format("pass") + NEWEST.replace("by mx.example.com", "by mx1.inside.example") + OLDEST + FROM
    )
    assert "untrusted-results" in rules(inside, "example.com")
    assert "forged-results" not in rules(inside, "example.com")


def test_what_stands_beside_ones_own_line_is_not_called_brought_along() -> None:
    """Some providers' filters bear another name than their servers: whether it is one of theirs, the reader knows."""
    results = "".join(
        RESULTS.format("pass").replace("mx.example.com", f"{name}.example.org") for name in ("spf", "dkim")
    )
    found = rules(NEWEST + results + OLDEST + FROM)
    assert "beside-results" in found
    assert not found & {"untrusted-results", "no-results", "dmarc-passed"}
    assert {one.standing for one in analyse(raw(NEWEST + results + OLDEST + FROM)).results} == {"unsure"}
    sentences = [
        one for one in analyse(raw(NEWEST + results + FROM)).findings if one.rule == "beside-results"
    ]
    assert len(sentences) == 1


def test_results_below_that_the_same_server_sealed_above_are_its_own() -> None:
    """Gmail writes its results below its own line, and the same into the ARC field above."""
    sealed = "ARC-" + RESULTS.format("pass").replace("mx.example.com", "i=1; mx.example.com")
    both = analyse(raw(sealed + NEWEST + RESULTS.format("pass") + FROM))
    assert [one.standing for one in both.results] == ["own"]
    assert "dmarc-passed" in {one.rule for one in both.findings}
    other = RESULTS.format("pass").replace("example.net", "bank.example")
    for text in (
        sealed + NEWEST + other + FROM,
        sealed.replace("pass", "fail") + NEWEST + RESULTS.format("pass") + FROM,
        sealed.replace("mx.example.com", "mx.example.org") + NEWEST + RESULTS.format("pass") + FROM,
        NEWEST + sealed + RESULTS.format("pass") + FROM,
    ):
        found = analyse(raw(text))
        assert [one.standing for one in found.results] == ["unsure"]
        assert "dmarc-passed" not in {one.rule for one in found.findings}
    twice = analyse(raw(sealed + NEWEST + RESULTS.format("pass") + other + FROM))
    assert [one.standing for one in twice.results] == ["own", "foreign"]


def test_a_filter_above_does_not_speak_for_the_milter_below() -> None:
    """amavis adds its results where it hands the message back; the milters of the first server wrote below its line."""
    inside = (
        f"Received: from localhost (localhost [127.0.0.1]) by mx.example.com (Postfix) with ESMTP; {AT.format(7)}\n"
        "Authentication-Results: mx.example.com (amavis); dkim=pass header.d=example.net\n"
        f"Received: from mx.example.com ([127.0.0.1]) by localhost (amavis, port 10024); {AT.format(6)}\n"
    )
    found = analyse(raw(inside + NEWEST + RESULTS.format("pass") + FROM))
    assert [one.standing for one in found.results] == ["own", "unsure"]
    directly = analyse(raw(inside + RESULTS.format("pass") + NEWEST + RESULTS.format("pass") + FROM))
    assert [one.standing for one in directly.results] == ["own", "own", "foreign"]


def test_names_for_inner_use_tell_no_organisation() -> None:
    """Above its edge a provider's servers may bear names that nobody else knows."""
    inside = (
        f"Received: from a.internal (a.internal [10.2.2.4]) by b.internal (Postfix) with LMTP; {AT.format(7)}\n"
        f"Received: from mx.example.com (localhost [127.0.0.1]) by a.lan (Postfix) with ESMTP; {AT.format(6)}\n"
    )
    found = analyse(raw(inside + RESULTS.format("pass") + NEWEST + FROM))
    assert (found.own, found.trusted) == ("example.com", 3)
    assert "dmarc-passed" in {one.rule for one in found.findings}
    assert not {one.rule for one in found.findings} & {"gap"}
    # A client from elsewhere ends what an inner name vouches for.
    stranger = inside.split("\n")[0].replace("10.2.2.4", "192.0.2.66") + "\n"
    named = stranger.replace("(a.internal [192.0.2.66]) ", "").replace(
        "from a.internal", "from a.example.org"
    )
    unseen = inside.split("\n")[0].replace("(a.internal [10.2.2.4]) ", "") + "\n"
    for line in (stranger, named, unseen):
        found = analyse(raw(line + RESULTS.format("pass") + NEWEST + FROM))
        assert (found.own, found.trusted) == ("b.internal", 1)
        assert "dmarc-passed" not in {one.rule for one in found.findings}


def test_a_byte_order_mark_hides_no_hop() -> None:
    assert len(analyse("\ufeff".encode() + raw(NEWEST + OLDEST + FROM)).hops) == 2


@pytest.mark.parametrize("zone", ["CEST", "", "A", "+2500"])
def test_a_zone_without_a_certain_meaning_gives_no_delay(zone: str) -> None:
    found = analyse(raw(NEWEST.replace("10:00:05 +0000", f"19:00:05 {zone}") + OLDEST + FROM))
    assert found.hops[1].delay is None
    assert not {finding.rule for finding in found.findings} & {"clock", "clock-days", "slow"}


def test_what_a_milter_wrote_and_what_a_sender_forged_stand_at_one_place() -> None:
    below = analyse(raw(NEWEST + RESULTS.format("pass") + FROM))
    assert [one.standing for one in below.results] == ["unsure"]
    assert "dmarc-passed" not in {finding.rule for finding in below.findings}
    # A server that writes above its own line is not likely to write below it; that it said the contrary is forged.
    both = analyse(raw(RESULTS.format("fail") + NEWEST + RESULTS.format("pass") + FROM))
    assert [one.standing for one in both.results] == ["own", "foreign"]
    assert [finding.line for finding in both.findings if finding.rule == "forged-results"] == [3]
    alike = analyse(raw(RESULTS.format("pass") + NEWEST + RESULTS.format("pass") + FROM))
    assert "unsure-results" in {finding.rule for finding in alike.findings}


def test_the_reader_says_which_servers_are_his() -> None:
    text = NEWEST + RESULTS.format("pass") + OLDEST + FROM
    assert analyse(raw(text), "example.net").trusted == 0
    assert "untrusted-results" in rules(text, "example.net")


@pytest.mark.parametrize(
    "header",
    [b"", b"\x00", b"Received: ;\r\nReceived: (((\r\n", b"From: <<<\r\nARC-Seal: i=99999999999999999999\r\n"],
)
def test_nothing_makes_it_raise(header: bytes) -> None:
    analyse(header + b"\r\n")


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_a_message_of_megabytes_holds_nobody_up() -> None:
    hostile = b"Received: " + b"(" * 300_000 + b"\r\nAuthentication-Results: " + b'"' * 300_000
    hostile += b"\r\nSubject: " + b"=?utf-8?Q?=" * 60_000 + b"\r\nFrom: " + b"a@" * 150_000 + b"\r\n"
    assert analyse(hostile + b"ARC-Seal: " + b"i=1;" * 100_000 + b"\r\n\r\n").findings

"""Remarks on zone files: each with exactly the characters that it is about."""

from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from grader.formats.dns.masterfile import read_zone
from grader.kinds.zone.facts import ZoneFacts
from grader.kinds.zone.judge.lint import lint
from tests.conftest import examples
from tests.tables import every

HEAD = "$TTL 1h\n@ SOA ns hostmaster 1 4h 1h 2w 5m\n@ NS ns\nns A 203.0.113.53\n"


def remarks(text: str) -> list[tuple[str, str]]:
    """The code of each remark with the characters that it marks."""
    file = read_zone((HEAD + text + "\n").encode(), "example.com")
    assert file.faults == []
    found = []
    for remark in lint(ZoneFacts(file="f", origin="example.com", lines=file.lines, records=file.records)):
        line, place = file.lines[remark.place.line], remark.place
        found.append((remark.code, line[place.column : place.column + place.length]))
    return found


@every(
    ("text", "expected"),
    [
        ("w NS ns\nw A 192.0.2.80\nx.w A 192.0.2.81\nxw A 192.0.2.82", [("given-away", "w"), ("given-away", "x.w")]),
        ("w NS ns.w\nw NS n2.w\nns.w A 192.0.2.80\nn2.w AAAA 2001:db8::1\nw DS 1 8 1 " + "00" * 20, []),
        ('@ TXT "v=spf1 exists:x.example +all"', [("all-pass", "+all")]),
        ('@ TXT "v=spf1 exists:x.example all"', [("all-pass", "all")]),
        ('@ TXT "v=spf1 exists:x.example ?all"', [("all-neutral", "?all")]),
        ('@ TXT "v=spf1 exists:x.example"', [("no-all", "e")]),
        ('@ TXT "v=spf1"', [("no-all", "1")]),
        ('@ TXT "v=spf1 a ?mx:www.%{d} a:no.%{d}/24 -all a"\nwww A 192.0.2.1',
         [("finds-nothing", word) for word in ("a", "?mx:www.%{d}", "a:no.%{d}/24")] + [("after-all", "a")]),
        ('_dmarc TXT "v=DMARC1; p=none;\\sp=none"', [("idle-escape", "\\s")]),
        ('_dmarc TXT "v=DMARC1\\; p=none" "; sp=no\\ne"', [("idle-escape", "\\n")]),
        ("@ TYPE99 \\# 12 0b763d73706631202d616c6c", [("type-spf", "@")]),
        ("promo CNAME p.third.example.\nw CNAME ns\nnl._domainkey CNAME nl.example.", [("alias-out", "promo")]),
        ("_dmarc NS ns.example.\nsub NS ns.example.", [("delegation", "_dmarc")]),
        ('@ TXT "v=spf1 ip4:0.0.0.0/0 -all"', [("wide", "/0")]),
        ('@ TXT "v=spf1 ip6:2001::/16 -all"', [("wide", "/16")]),
        ('@ TXT "v=spf1 ip4:192.0.2.7/24 -all"', [("host-bits", "/24")]),
        ('@ TXT "v=spf1 ip6:2001:db8::7/64 -all"', [("host-bits", "/64")]),
        ('@ TXT "v=spf1 ptr -all"', [("ptr", "ptr")]),
        ('@ TXT "v=spf1 ?ptr:example.com -all"', [("ptr", "?ptr:example.com")]),
        ('@ TXT "v=spf1 -all mx a"', [("after-all", "mx")]),
        ('@ TXT "v=spf1 redirect=a.example -all"', [("idle-redirect", "redirect=a.example")]),
        ("@ TXT v=spf1 mx -all", [("joined", "m")]),
        ('@ TXT "v=spf1 mx" "a -all"', [("joined", "a")]),
        ('@ TXT " v=spf1 -all"', [("not-recognized", " ")]),
        ('@ TXT "\\"v=spf1 -all\\""', [("not-recognized", '\\"')]),
        ("@ TXT “v=spf1\\032-all”", [("not-recognized", "“")]),
        ('@ TXT "\u200bv=spf1 -all"', [("not-recognized", "\u200b")]),
        ('@ TXT "v=spf1;-all"', [("not-recognized", ";")]),
        ('@ TXT "v=spf2 -all"', [("not-recognized", "v=spf2")]),
        ('@ TXT "spf1 -all"', [("not-recognized", "spf1")]),
        ('@ TXT "v=spf1 mx üall"', [("unusable", "ü")]),
        ('@ TXT "v=spf1 mx -all;"', [("unusable", ";")]),
        ('@ TXT "v=spf1 mx -all foo ip4:0.0.0.0/0"', [("unusable", "foo")]),
        ('@ TXT "v=spf1 ip4=192.0.2.1 -all"', [("equals", "ip4=192.0.2.1")]),
        ('@ TXT "v=spf1 include:_a.example.com ~all"\n_a TXT "v=spf1 +all"', [("all-pass", "+all")]),
        ('@ SPF "v=spf1 -all"', [("type-spf", "@")]),
        ('_dmarc TXT "v=DMARC1; p=none; pct=50"', [("removed-tag", "pct=50")]),
        ('_dmarc TXT "v=DMARC1; p=none; policy=x"', [("unknown-tag", "policy=x")]),
        ('_dmarc TXT "v=DMARC1; p=non"', [("bad-value", "non")]),
        ('_dmarc TXT "v=DMARC1; p=none; adkim=strict"', [("bad-value", "strict")]),
        ('_dmarc TXT "v=DMARC1; p=none; t=y"', [("testing", "t=y")]),
        ('_dmarc TXT "v=DMARC1; p=none; psd=y"', [("public-suffix", "psd=y")]),
        ('_dmarc TXT "v=DMARC1; p=none; p=reject"', [("late-p", "p=reject"), ("twice", "p=reject")]),
        ('_dmarc TXT "v=DMARC1; sp=none; p=none"', [("late-p", "p=none")]),
        ('_dmarc TXT "v=DMARC1; p=none; reject"', [("no-tag", "reject")]),
        ('_dmarc TXT "v=DMARC1; rua=mailto:a@b.example"', [("no-policy", "v=DMARC1")]),
        ('_dmarc TXT "v=DMARC1; p=none; rua=a@b.example"', [("not-uri", "a@b.example")]),
        ('_dmarc TXT "v=DMARC1; p=none; rua=mailto:a@b.example mailto:c@b.example"',
         [("not-uri", "mailto:a@b.example mailto:c@b.example")]),
        ('_dmarc TXT "v=DMARC1; p=none; rua=mailto:a@b.example, mailto:c@b.example!5m"',
         [("size", "mailto:c@b.example!5m")]),
        ("_dmarc TXT v=DMARC1; p=none", [("no-policy", "v=DMARC1"), ("cut", "; p=none")]),
        ('_dmarc TXT "v=DMARC1\\\\; p=none"', [("backslash", "\\\\"), ("not-recognized", "\\\\")]),
        ('_dmarc TXT "v=dmarc1; p=none"', [("not-recognized", "v=dmarc1")]),
        ('_dmarc TXT " v=DMARC1; p=none"', [("not-recognized", " ")]),
        ('_dmarc TXT "v=DMARC1, p=none"', [("not-recognized", ",")]),
        ('@ TXT "v=DMARC1; p=none"', [("wrong-name", "@")]),
        ('dmarc TXT "v=DMARC1; p=none"', [("wrong-name", "dmarc")]),
        ('_dmarc.example.com TXT "v=DMARC1; p=none"',
         [("doubled-origin", "_dmarc.example.com"), ("wrong-name", "_dmarc.example.com")]),
        ("@ MX 10 mail.example.com", [("mx-address", "@"), ("doubled-origin", "m")]),
        ("@ MX 10 mail\nmail CNAME www\nwww A 192.0.2.1", [("mx-alias", "@")]),
        ("@ MX 10 mail", [("mx-address", "@")]),
        ("a MX 0 .\na MX 10 ns", [("null-mx", "a")]),
        ('example.com._report._dmarc TXT "v=DMARC1"', [("idle-authorization", "example.com._report._dmarc")]),
        ('s._domainkey TXT "v=DKIM1; p="', [("revoked", "p=")]),
        ('s._domainkey TXT "v=DKIM1; p=MIGfMA0G"', [("short-key", "p=MIGfMA0G")]),
        ("s._domainkey TXT v=DKIM1; p=MIGfMA0G", [("cut", "; p=MIGfMA0G")]),
    ],
)  # fmt: skip
def test_what_is_odd_is_marked(text: str, expected: list[tuple[str, str]]) -> None:
    assert remarks(text) == expected


@every(
    "text",
    [
        '@ TXT "v=spf1 mx a:www.example.com ~all"\n@ MX 10 mx.example.\nwww CNAME web\nweb AAAA 2001:db8::1',
        '@ TXT "V=SPF1 MX:B.EXAMPLE -ALL"',
        '@ TXT "v=spf1 a:w.example.com a:b.w.example.com mx:m.%{d} -all"\nw NS n.x.\n*.m MX 1 a.example.\nm MX 0 .',
        '@ TXT "v=spf1 include:_spf.exam" "ple.org -all"',
        '@ TXT "v=spf1 " "mx:a.example " "-all"',
        '@ TXT "v=spf1 mx:a.example -" "all"',
        '@ TXT "v=spf1 redirect=_spf.example.com"',
        '@ TXT "v=spf1 -all exp=why.example.com"',
        '@ TXT "v=spf1 ip4:192.0.2.0/24 ip4:192.0.2.1/32 -all"',
        '@ TXT "v=spf1 a:%{o}/24//64 exists:%{i}.example.com -all"',
        '@ TXT "v=spf1 include:_a.example.com ~all"\n_a TXT "v=spf1 ip4:192.0.2.1 ?all"',
        '@ TXT "v=spf1 include:_a.example.com ~all"\n_a TXT "v=spf1 ip4:192.0.2.1"',
        '@ TXT "v=spf1 -ip4:0.0.0.0/0 ~all"',
        '@ TXT "v=spf1 REDIRECT=_spf.example.com note=one note=two"',
        's._domainkey TXT "v=DMARC1; p=none"\n_dmarc CNAME s._domainkey',
        's._domainkey TXT "v=spf1 -all"',
        '@ TXT "google-site-verification=spf"',
        '_dmarc TXT "v=DMARC1; p=reject; sp=none; rua=mailto:a@example.com, https://b.example/x; fo=1:d"',
        "_dmarc TXT v=DMARC1\\;p=reject",
        '_dmarc TXT "v=DMARC1; p=none" ; a comment',
        '_dmarc CNAME policy\npolicy TXT "v=DMARC1; p=none"',
        'partner.example._report._dmarc TXT "v=DMARC1"',
        '*._report._dmarc TXT "v=DMARC1;"',
        '_dmarc.www TXT "v=DMARC1; p=reject"',
        'ed._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="',
        "a MX 0 .",
        "a MX 10 mail.elsewhere.example.",
    ],
)
def test_what_is_in_order_gets_no_remark(text: str) -> None:
    assert remarks(text) == []


@settings(max_examples=examples(200))
@given(
    st.text(alphabet='v=spf1DMARC; +-?all/:"\\@ptmx0129', max_size=60),
    st.sampled_from(["@", "_dmarc", "s._domainkey"]),
)
def test_no_text_makes_the_remarks_fail(text: str, owner: str) -> None:
    file = read_zone((HEAD + f"{owner} TXT {text}\n").encode(), "example.com")
    evidence = ZoneFacts(file="f", origin="example.com", lines=file.lines, records=file.records)
    for remark in lint(evidence):
        line = file.lines[remark.place.line]
        assert 0 <= remark.place.column < len(line)
        assert remark.place.column + remark.place.length <= len(line)


def test_many_terms_and_many_names_take_no_time_squared() -> None:
    lines = [f"b{number} NS n.x.\nd{number} DNAME x.\n" for number in range(800)]
    terms = [" ".join(f"a:h{number}.example.com" for number in range(150)) for _ in range(15)]
    lines += [
        f't{number} TXT "v=spf1 " "' + '" "'.join(f"{part} " for part in _pieces(text)) + '"\n'
        for number, text in enumerate(terms)
    ]
    began = time.process_time()
    found = remarks("".join(lines))
    assert time.process_time() - began < 2, "it takes 0.2 s"
    assert len(found) == 15 * 151, "each name once, and no word on everybody else"


def _pieces(text: str) -> list[str]:
    """A list of terms as texts that a string can hold."""
    words = text.split(" ")
    return [" ".join(words[at : at + 10]) for at in range(0, len(words), 10)]

"""Zones in master-file format: what is read, and where each fault stands."""

from __future__ import annotations

import dns.exception
import dns.name
import dns.zone
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.formats.dns.masterfile import read_records, read_zone
from grader.model.diagnostic import Span
from grader.model.dns import TxtString
from tests.conftest import examples
from tests.tables import every

HEAD = "$TTL 1h\n@ SOA ns hostmaster 1 4h 1h 2w 5m\n@ NS ns\nns A 203.0.113.53\n"
LINES = len(HEAD.splitlines())


def records(text: str) -> list[tuple[str, str, int, str]]:
    """Owner, type, TTL and data of the records behind the head, which must be without fault."""
    zone = read_zone((HEAD + text).encode(), "example.com")
    assert zone.faults == []
    return [(r.owner, r.type, r.ttl, r.data) for r in zone.records[3:]]


def marked(text: str | bytes) -> list[tuple[str, str]]:
    """The characters marked behind the head, each with its sentence."""
    data = text if isinstance(text, bytes) else text.encode()
    zone = read_zone(HEAD.encode() + data, "example.com")
    found = []
    for fault in zone.faults:
        line, place = zone.lines[fault.place.line], fault.place
        found.append((line[place.column : place.column + place.length], fault.sentence))
    return found


@every(
    ("line", "expected"),
    [
        ("www A 192.0.2.1", ("www.example.com", "A", 3600, "192.0.2.1")),
        ("www 60 IN A 192.0.2.1", ("www.example.com", "A", 60, "192.0.2.1")),
        ("www IN 1h30m a 192.0.2.1", ("www.example.com", "A", 5400, "192.0.2.1")),
        ("WWW.Example.COM. A 192.0.2.1", ("www.example.com", "A", 3600, "192.0.2.1")),
        ("@ MX 10 mail", ("example.com", "MX", 3600, "10 mail.example.com.")),
        ("@ MX 0 .", ("example.com", "MX", 3600, "0 .")),
        ("*.a AAAA 2001:db8::1", ("*.a.example.com", "AAAA", 3600, "2001:db8::1")),
        ('t TXT ( "a" ; comment\n "b;c" )', ("t.example.com", "TXT", 3600, '"a" "b;c"')),
        ('t TXT "a\\"b" c\\;d', ("t.example.com", "TXT", 3600, '"a\\"b" "c;d"')),
        ('t TXT "\\065\\066"', ("t.example.com", "TXT", 3600, '"AB"')),
        ("www 2147483648 A 192.0.2.1", ("www.example.com", "A", 0, "192.0.2.1")),
        ("t TXT \\# 4 03612062", ("t.example.com", "TXT", 3600, '"a b"')),
        ("t TYPE16 ( \\# 4 0361 ; half\n 2062 )", ("t.example.com", "TXT", 3600, '"a b"')),
        ("www TYPE1 \\# 4 c0000201", ("www.example.com", "A", 3600, "192.0.2.1")),
        ("@ TYPE15 10 mail", ("example.com", "MX", 3600, "10 mail.example.com.")),
        ("$ORIGIN sub\nwww A 192.0.2.1", ("www.sub.example.com", "A", 3600, "192.0.2.1")),
        ("$TTL 2d\nwww A 192.0.2.1\r", ("www.example.com", "A", 172800, "192.0.2.1")),
        ("_s._tcp SRV 0 5 5060 sip", ("_s._tcp.example.com", "SRV", 3600, "0 5 5060 sip.example.com.")),
        ('@ CAA 0 issue "ca.example"', ("example.com", "CAA", 3600, '0 issue "ca.example"')),
        (
            '@ HTTPS 1 . alpn="h2,h3" port=8443',
            ("example.com", "HTTPS", 3600, '1 . alpn="h2,h3" port="8443"'),
        ),
        (
            "@ HTTPS 1 . alpn=h2 ech=AAAA",
            ("example.com", "HTTPS", 3600, '1 . alpn="h2" ech="\\000\\000\\000"'),
        ),
        (
            '_x SVCB 1 www ( key65333="\\001"\nalpn=h2 )',
            ("_x.example.com", "SVCB", 3600, '1 www.example.com. alpn="h2" key65333="\\001"'),
        ),
        ('"www" A 192.0.2.1', ("www.example.com", "A", 3600, "192.0.2.1")),
        ('"www.example.com." A 192.0.2.1', ("www.example.com", "A", 3600, "192.0.2.1")),
        ('"@" MX 0 .', ("example.com", "MX", 3600, "0 .")),
    ],
)
def test_a_record_is_read(line: str, expected: tuple[str, str, int, str]) -> None:
    assert records(line + "\n") == [expected]


def test_an_owner_left_out_is_that_of_the_record_before() -> None:
    assert [owner for owner, *_ in records("a A 192.0.2.1\n  AAAA 2001:db8::1\n\tTXT x\n")] == [
        "a.example.com"
    ] * 3


@every(
    ("text", "characters", "sentence"),
    [
        ("$INCLUDE /etc/passwd\n", "$INCLUDE", "read files"),
        ("$GENERATE 1-99999999 h$ A 192.0.2.1\n", "$GENERATE", "million"),
        ("$WHATEVER 1\n", "$WHATEVER", "no directive"),
        ("$TTL 1 2\n", "$TTL", "exactly one"),
        ("$TTL soon\n", "soon", "number of seconds"),
        ("$TTL 99999999999\n", "99999999999", "at most"),
        ('t TXT "abc\n', '"', "not closed"),
        ("t TXT ( a\nb\n", "(", "never closed"),
        ("t TXT ( a ; b )\n", "(", f"the one in line {LINES + 1} stands behind a semicolon"),
        ("t MX mail\n", "mail", "its preference"),
        ('t TXT ( a "b )\n', '"', "quotation mark that opens here is not closed"),
        ("t TXT a )\n", ")", "closes none"),
        ("t TXT ((a)\n", "(", "one pair"),
        ("t TXTT a\n", "TXTT", "did you mean TXT?"),
        ("t ANY a\n", "ANY", "no type"),
        ("t CH TXT a\n", "CH", "write IN"),
        ("t CLASS3 TXT a\n", "CLASS3", "write IN"),
        ("t\n", "t", "ends before"),
        ("t TXT\n", "TXT", "no data"),
        ("t A 192.0.2\n", "192.0.2", "no IPv4"),
        ('t A "192.0.2.1"\n', '"192.0.2.1"', "no IPv4"),
        ("t AAAA 192.0.2.1\n", "192.0.2.1", "no IPv6"),
        ("t A 192.0.2.1 192.0.2.2\n", "192.0.2.2", "complete"),
        ("t MX mail\n", "mail", "a number from 0 to 65535"),
        ("t MX 10\n", "10", "name at its end"),
        ("t MX 99999 mail\n", "99999", "a number from 0 to 65535"),
        ("a..b A 192.0.2.1\n", "a..b", "two dots"),
        (f"{'a' * 64} A 192.0.2.1\n", "a" * 64, "63 octets"),
        ("müller A 192.0.2.1\n", "ü", "xn--"),
        ("elsewhere.example. A 192.0.2.1\n", "elsewhere.example.", "does not lie"),
        ("@ CNAME www\n", "@", "can have no other"),
        ("a CNAME b\na A 192.0.2.1\n", "a", "can have no other"),
        ("@ SOA ns h 1 2 3 4 5\n", "@", "second SOA"),
        ("t TXT a\x01b\n", "\x01", "U+0001"),
        ("t CAA nothing\n", "nothing", "no data for a record of type CAA"),
        ("t IN IN A 192.0.2.1\n", "IN", "no type"),
        ('"" A 192.0.2.1\n', '""', "without quotation marks"),
        ('t MX 10 "mail"\n', '"mail"', "without quotation marks"),
        ("# our mail server's\n", "#", "a semicolon does"),
        ("// who sends (for us\nwww A 192.0.2.1\n", "//", "a semicolon does"),
        ("-- our website\n", "--", "a semicolon does"),
        ("t IN\N{NO-BREAK SPACE}A 192.0.2.1\n", "\N{NO-BREAK SPACE}", "no-break space, U+00A0"),
        ("t A 192.0.2.1\N{ZERO WIDTH SPACE}\n", "\N{ZERO WIDTH SPACE}", "zero width space, U+200B"),
        ("ma\N{SOFT HYPHEN}il A 192.0.2.1\n", "\N{SOFT HYPHEN}", "delete it"),
        ("<html><body>\n", "<html", "a web page"),
        ('zone "example.com" {\n  type master;\n};\n', 'zone "example.com" {', "named.conf"),
        ("+www.example.com:192.0.2.1:60\n", "+www.example.com:192.0.2.1:60", "tinydns"),
        ("a A 192.0.2.1\rb A 192.0.2.2\n", "\r", "line ends"),
    ],
)
def test_a_fault_marks_its_characters(text: str, characters: str, sentence: str) -> None:
    (found, said), *_ = marked(text)
    assert found == characters
    assert sentence in said


def test_the_octet_that_is_too_many_is_marked() -> None:
    long = "x" * 254 + "\\065" + "ABC"
    assert marked(f't TXT "{long}"\n')[0][0] == "ABC"
    assert "258 octets" in marked(f't TXT "{long}"\n')[0][1]
    assert marked(f't TXT "{"x" * 255}"\n') == []
    assert marked(f"t TXT {'ä' * 128}\n")[0][0] == "ä", "an umlaut is two octets"


def test_a_record_that_no_receiver_would_read_is_refused() -> None:
    assert "4096" in marked("t TXT " + " ".join(['"' + "x" * 255 + '"'] * 17) + "\n")[0][1]


def test_all_faults_are_found_at_once_up_to_twenty() -> None:
    assert len(marked("a A 1\nb A 192.0.2.1\nc A 2\n")) == 2
    assert len(marked("a A 1\n" * 5_000)) == 20


def test_a_zone_begins_with_a_start_of_authority() -> None:
    assert [fault.sentence for fault in read_zone(b"@ NS ns\nns A 192.0.2.1\n", "example.com").faults] == [
        "there is no SOA record, with which a zone begins: add one, such as “@ SOA ns hostmaster 1 4h 1h 2w 5m”"
    ]
    assert "no NS record" in read_zone(b"@ SOA ns h 1 2 3 4 5\n", "example.com").faults[0].sentence
    assert "belongs to" in read_zone(b"a SOA ns h 1 2 3 4 5\n", "example.com").faults[0].sentence
    assert read_zone(b"", "example.com").faults[0].place == Span(0, 0, 0)


@pytest.mark.slow
def test_a_million_records_are_not_kept() -> None:
    zone = read_zone((HEAD + "a A 192.0.2.1\n" * 10_000).encode(), "example.com")
    assert len(zone.records) == 5_000
    assert "more than 5000 records" in zone.faults[0].sentence


def test_latin_1_may_stand_in_a_comment_and_keeps_its_column() -> None:
    zone = read_zone(HEAD.encode() + b'; \xfc\nt TXT "\xfc" ; x\n', "example.com")
    assert zone.faults == []
    assert zone.lines[LINES] == "; \N{REPLACEMENT CHARACTER}"
    assert zone.records[-1].texts == [TxtString(Span(LINES + 1, 7), "\N{REPLACEMENT CHARACTER}", True)]
    assert zone.served[-1][2].strings == (b"\xfc",)


def test_a_byte_order_mark_is_no_part_of_the_first_record_and_no_nameserver_takes_it() -> None:
    marked = b"\xef\xbb\xbf" + HEAD.encode()
    assert read_records(marked, "example.com").faults == []
    zone = read_zone(marked, "example.com")
    assert [
        (fault.place, "save the file as UTF-8 without it" in fault.sentence) for fault in zone.faults
    ] == [(Span(0, 0), True)]
    assert len(zone.records) == 3, "the rest is read all the same"


@every(
    ("order", "mark"),
    [("utf-16-le", "\ufeff"), ("utf-16-be", "\ufeff"), ("utf-16-le", ""), ("utf-16-be", "")],
)
def test_a_file_in_utf_16_is_told_as_such_alone(order: str, mark: str) -> None:
    zone = read_zone((mark + HEAD).encode(order), "example.com")
    assert ["save it as UTF-8" in fault.sentence for fault in zone.faults] == [True]
    assert zone.lines[1].startswith("@ SOA")


def test_octets_that_are_no_text_are_not_called_utf_16() -> None:
    assert "UTF-16" not in read_zone(bytes(200), "example.com").faults[0].sentence
    assert "UTF-16" not in read_zone(bytes(range(256)) * 4, "example.com").faults[0].sentence


def test_an_origin_without_its_dot_is_what_moves_the_soa_record() -> None:
    zone = read_zone(f"$TTL 1h\n$ORIGIN example.com\n{HEAD}".encode(), "example.com")
    assert (zone.faults[0].place, "write example.com." in zone.faults[0].sentence) == (Span(1, 8, 11), True)
    zone = read_zone(b"$ORIGIN com.\n$TTL 1h\n@ SOA ns h 1 2 3 4 5\n", "example.com")
    assert "does not lie in the zone" in zone.faults[0].sentence
    zone = read_zone(b"$TTL 1h\nexample.com SOA ns h 1 2 3 4 5\n", "example.com")
    assert "this is one of example.com.example.com" in zone.faults[0].sentence


def test_a_comment_that_cuts_a_text_short_is_remembered() -> None:
    zone = read_zone((HEAD + '_dmarc TXT v=DMARC1; p=none\nx TXT "a"; b\n').encode(), "example.com")
    assert [record.cut for record in zone.records[-2:]] == [Span(LINES, 19, 8), None]


@settings(max_examples=examples(300))
@given(st.binary(max_size=400))
def test_no_file_makes_the_reader_fail(data: bytes) -> None:
    for fault in read_zone(data, "example.com").faults:
        assert fault.sentence
        assert fault.place.line >= 0


@settings(max_examples=examples(300))
@given(st.text(alphabet='@ab \t\n;()"\\.1TXMA$', max_size=60))
def test_what_is_read_without_fault_dnspython_reads_alike(text: str) -> None:
    zone = read_zone((HEAD + text).encode(), "example.com")
    try:
        theirs = dns.zone.from_text(
            HEAD + text + "\n", "example.com", relativize=False, allow_include=False, check_origin=False
        )
    except (dns.exception.DNSException, ValueError, KeyError, IndexError):
        return
    if zone.faults:
        return
    mine = {(name, rdata.rdtype, rdata) for name, _, rdata, *_ in zone.served}
    assert mine == {(name, rdata.rdtype, rdata) for name, _, rdata in theirs.iterate_rdatas()}

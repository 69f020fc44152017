"""Every rule about messages is broken by a message that breaks nothing else, and kept by its counterpart."""

from __future__ import annotations

import re

import pytest

from grader.formats.message import check_message
from grader.formats.message.rules import RULES
from grader.lesson import library
from grader.lesson.samples import assemble
from tests.tables import every

SAMPLE = library().sample
TAUGHT = library().rules
BROKEN = {
    id_: assemble(SAMPLE, rule.wrong, rule.without)
    for id_, rule in TAUGHT.items()
    if rule.wrong or rule.without
}
KEPT = {id_: assemble(SAMPLE, rule.right) for id_, rule in TAUGHT.items() if rule.right}
# Too large for a sheet, or only a fault with SMTPUTF8; proved one by one below.
UNSHOWN = {"line-too-long", "mime-nesting", "header-not-utf8"}


def rules(raw: bytes, *, smtputf8: bool = False) -> list[str]:
    return [fault.rule for fault in check_message(raw, smtputf8=smtputf8)]


def message(*fields: str, body: str = "Hello") -> bytes:
    return assemble(SAMPLE, "\n".join(fields) + "\n\n" + body)


def test_the_sample_keeps_all_rules() -> None:
    assert rules(assemble(SAMPLE, "")) == []


def test_every_rule_has_an_example_that_breaks_it() -> None:
    assert set(BROKEN) | UNSHOWN == set(RULES)


@every("id_", BROKEN)
def test_a_wrong_example_breaks_its_rule_and_no_other(id_: str) -> None:
    # A word that is too long makes a line that is.
    beside = {"line-long"} - {id_} if id_ == "encoded-word-length" else set()
    assert [rule for rule in rules(BROKEN[id_]) if rule not in beside] == [id_]


@every("id_", KEPT)
def test_a_right_example_breaks_no_rule(id_: str) -> None:
    assert rules(KEPT[id_]) == []


def test_a_line_of_998_bytes_is_the_longest() -> None:
    assert rules(message(body="x" * 998)) == ["line-long"]
    assert rules(message(body="x" * 999)) == ["line-too-long"]


def test_the_shorter_limit_counts_characters() -> None:
    encoding = "Content-Transfer-Encoding: 8bit"
    assert rules(message(encoding, body="ä" * 78)) == []
    assert rules(message(encoding, body="ä" * 79)) == ["line-long"]


def test_with_smtputf8_the_header_may_be_utf8_and_nothing_else() -> None:
    right, wrong = message("Subject: Grüße"), message("Subject: Gr\\xFC\\xDFe")
    assert rules(right) == ["header-8bit"]
    assert rules(right, smtputf8=True) == []
    assert rules(wrong, smtputf8=True) == ["header-not-utf8"]


def test_messages_in_messages_are_followed_to_a_depth() -> None:
    shallow, deep = (b"Content-Type: message/rfc822\r\n\r\n" * depth for depth in (10, 30))
    head = assemble(SAMPLE, "", ["Content-Type"]).partition(b"\r\n\r\n")[0] + b"\r\n"
    assert rules(head + shallow + b"\r\nHello\r\n") == []
    assert rules(head + deep + b"\r\nHello\r\n") == ["mime-nesting"]


def test_many_parts_are_followed_to_a_number() -> None:
    parts = "\n".join("--x\n\nHello" for _ in range(600)) + "\n--x--"
    assert rules(message("Content-Type: multipart/mixed; boundary=x", body=parts)) == ["mime-nesting"]


def test_a_multipart_has_at_least_one_part() -> None:
    assert rules(message("Content-Type: multipart/mixed; boundary=x", body="Hello\n--x--")) == [
        "boundary-absent"
    ]


def test_a_fault_tells_its_place() -> None:
    raw = message("Date: Tue, 21 Feb 2026 10:00:00 -0500")
    (fault,) = check_message(raw)
    assert raw[fault.offset :].startswith(b"Date: Tue")
    assert fault.line == raw[: fault.offset].count(b"\n") + 1
    assert (fault.field, fault.severity, fault.reference) == ("Date", "error", "RFC 5322 section 3.3")
    assert fault.sentence == "Date says Tue, but that day is a Sat."


def test_a_fault_in_a_part_tells_its_place_in_the_whole() -> None:
    part = "--x\nContent-Transfer-Encoding: base64\n\nHell\\xFF\n--x--"
    raw = message("Content-Type: multipart/mixed; boundary=x\nContent-Transfer-Encoding: 8bit", body=part)
    (fault,) = check_message(raw)
    assert fault.rule == "base64-broken"
    assert raw[fault.offset] == 0xFF


def test_strangers_text_is_shown_in_printable_ascii() -> None:
    (fault,) = (
        f
        for f in check_message(message("Message-ID: \\x1B[31m\\xFF" + "x" * 100))
        if f.rule == "message-id-syntax"
    )
    assert fault.sentence.isascii()
    assert fault.sentence.isprintable()
    assert "\\x1b[31m\\xff" in fault.sentence


@every("field", ["To", "Cc", "Reply-To"])
@every(
    "value",
    [
        "alice@example.com",
        "Alice <alice@example.com>",
        "Alice (at work) <alice@example.com>",
        '"Baker, Alice" <"alice b"@example.com>, bob@[203.0.113.10]',
        "Undisclosed recipients:;",
        "Staff: a@example.com, B <b@example.com>;, c@example.com",
    ],
)
def test_addresses_of_every_form_are_taken(field: str, value: str) -> None:
    assert rules(message(f"{field}: {value}")) == []


@every(
    "value",
    [
        "alice",
        "alice@",
        "@example.com",
        "alice@@example.com",
        "alice..b@example.com",
        ".alice@example.com",
        "alice @example.com",
        "alice@ example.com",
        "alice@example.com bob@example.com",
        "Alice <alice@example.com",
        "Alice alice@example.com>",
        "<@relay.example.com:alice@example.com>",
        "alice@example.com,",
        ",alice@example.com",
        "<>",
        "",
        '"Alice <alice@example.com>',
        "Alice (at work <alice@example.com>",
        "Staff: a@example.com",
        "alice@[203.0.113.10",
    ],
)
def test_addresses_that_break_the_grammar_are_found(value: str) -> None:
    assert rules(message(f"To: {value}")) == ["address-syntax"]


@every(
    ("value", "broken"),
    [
        ("1 Jan 2026 00:00 +0000", []),
        ("Thu, 01 Jan 2026 23:59:60 -0000 (a leap second)", []),
        ("thu, 1 JAN 2026 00:00:00 +0000", []),
        ("Thu, 29 Feb 2024 12:00:00 +0545", []),
        ("29 Feb 2026 12:00:00 +0000", ["date-impossible"]),
        ("1 Jan 2026 24:00:00 +0000", ["date-impossible"]),
        ("1 Jan 2026 00:00:00 +0060", ["date-impossible"]),
        ("1 Jan 1899 00:00:00 +0000", ["date-impossible"]),
        ("1 Jan 26 00:00:00 +0000", ["date-obsolete"]),
        ("1 Jan 2026 00:00:00 EST", ["date-obsolete"]),
        ("Fri, 1 Jan 2026 00:00:00 +0000", ["date-weekday"]),
        ("1 January 2026 00:00:00 +0000", ["date-syntax"]),
        ("1 Jan 2026 00:00:00", ["date-syntax"]),
        ("Jan 1 2026 00:00:00 +0000", ["date-syntax"]),
        ("", ["date-syntax"]),
    ],
)
def test_dates(value: str, broken: list[str]) -> None:
    assert rules(message(f"Date: {value}")) == broken


@every(
    ("field", "broken"),
    [
        ("Message-ID: <a@b.example> (comment)", []),
        ("Message-ID: <a@[203.0.113.10]>", []),
        ("Message-ID: <a.b.c@x>", []),
        ("Message-ID: <a..b@x.example>", ["message-id-syntax"]),
        ("Message-ID: <a@b@c.example>", ["message-id-syntax"]),
        ("Message-ID: <a b@c.example>", ["message-id-syntax"]),
        ("Message-ID: <a@b.example> <c@d.example>", ["message-id-syntax"]),
        ("Message-ID:", ["message-id-syntax"]),
        ("References: <a@b.example> <c@d.example>", []),
        ("References: <a@b.example>, <c@d.example>", ["message-id-syntax"]),
        ("In-Reply-To: your message of yesterday", ["message-id-syntax"]),
    ],
)
def test_identifiers(field: str, broken: list[str]) -> None:
    assert rules(message(field)) == broken


@every(
    ("value", "broken"),
    [
        ("=?utf-8?b?R3LDvMOfZQ==?=", []),
        ("=?UTF-8*de?Q?Gr=C3=BC=C3=9Fe?= an Bob", []),
        ("2 =? 3 and why ?= is odd", []),
        ("=?utf-8?X?Gr?=", ["encoded-word-syntax"]),
        ("=?utf-8?B?R3LD?= =?utf-8?B?vMOfZQ==?=", ["encoded-word-charset"]),
        ("=?utf-8?B?R3LDvMOfZQ?=", ["encoded-word-syntax"]),
        ("=?utf-8?Q?Gr=C?=", ["encoded-word-syntax"]),
        ("Re:=?utf-8?Q?Gr=C3=BC=C3=9Fe?=", ["encoded-word-joined"]),
        ("\n =?utf-8?Q?" + "a" * 63 + "?=", []),
        ("\n =?utf-8?Q?" + "a" * 64 + "?=", ["encoded-word-limit"]),
        ("=?utf-8?Q?Gr=C3=BC=C3=9Fe,_(a:b)?=", []),
        ("=?x-none?Q?Gr=C3=BC=C3=9Fe?=", ["charset-unknown"]),
    ],
)
def test_encoded_words(value: str, broken: list[str]) -> None:
    assert rules(message(f"Subject: {value}")) == broken


@every(
    ("field", "broken"),
    [
        ("Content-Type: TEXT/Plain; CharSet=UTF-8", []),
        ('Content-Type: text/plain (plain); charset="us-ascii" (no umlauts)', []),
        ("Content-Type: text", ["content-type-syntax"]),
        ("Content-Type: text/plain charset=utf-8", ["content-type-syntax"]),
        ("Content-Type: text/plain; charset", ["content-type-syntax"]),
        ("Content-Type: text/plain; charset=utf-8; charset=us-ascii", ["content-type-syntax"]),
        ("Content-Type: text/plain; name=a b", ["content-type-syntax"]),
        ("Content-Type: text/plain; charset=rot13", ["charset-unknown"]),
        ("Content-Transfer-Encoding: 7BIT", []),
        ("Content-Transfer-Encoding: x-own", []),
        ("Content-Transfer-Encoding: 7bit 8bit", ["encoding-unknown"]),
        ("MIME-Version: 1.0 (produced by hand)", []),
        ("MIME-Version: 1", ["mime-version-value"]),
    ],
)
def test_mime_fields(field: str, broken: list[str]) -> None:
    assert rules(message(field)) == broken


def test_sentences_are_sentences() -> None:
    for rule in RULES.values():
        assert re.fullmatch(r"[A-Z{].*[.]", rule.sentence), rule.id


@pytest.mark.parametrize(
    ("field", "broken"),
    [
        # RFC 6854 section 2.1 allows a group in Sender, and advises against it.
        ("Sender: Staff: alice@example.com;", ["from-group"]),
        ("Sender: Staff:;, bob@example.com", ["one-address"]),
        # RFC 2231 sections 3 and 4: parameters in sections, and with a charset.
        ("Content-Type: text/plain; charset*=us-ascii'en'utf%2D8", []),
        ("Content-Type: text/plain; charset*0=ut; charset*1*=f%2D8", []),
        ("Content-Type: text/plain; charset*=us-ascii''rot13", ["charset-unknown"]),
        # Names that Python knows and IANA does not.
        ("Content-Type: text/plain; charset=latin_1", ["charset-unknown"]),
    ],
)
def test_rare_forms_are_judged_by_their_own_standard(field: str, broken: list[str]) -> None:
    assert rules(message(field)) == broken


def test_a_boundary_may_be_written_in_extended_form() -> None:
    field = "Content-Type: multipart/mixed; boundary*=us-ascii''x%3Dy"
    assert rules(message(field, body="--x=y\n\nHello\n--x=y--")) == []


def test_an_international_message_may_be_encoded_as_a_whole() -> None:
    encoded = "Content-Type: message/{}\nContent-Transfer-Encoding: base64"
    assert rules(message(encoded.format("global"), body="SGVsbG8=")) == []
    assert rules(message(encoded.format("rfc822"), body="SGVsbG8=")) == ["encoding-composite"]


def test_a_header_that_ends_in_half_a_line_has_no_body() -> None:
    assert rules(b"From: alice@example.com\r\nDate: 21 Feb 2026 10:00 -0500\r\n\r") == [
        "missing-message-id",
        "bare-cr",
    ]


@pytest.mark.parametrize("body", ["SGVs=bG8=", "SGVsbG8", "SGVsbA===", "====", "S"])
def test_base64_that_does_not_come_out_is_broken(body: str) -> None:
    assert rules(message("Content-Transfer-Encoding: base64", body=body)) == ["base64-broken"]


@pytest.mark.parametrize(
    "line",
    [
        "(qmail 4773 invoked by uid 1001); 16 Feb 2026 08:00:06 -0000",
        "(a; b) (c); Mon, 16 Feb 2026 08:00:06 +0000",
        "; Mon, 16 Feb 2026 08:00:06 +0000",
    ],
)
def test_received_needs_nothing_but_its_date(line: str) -> None:
    # RFC 5322 section 3.6.7 as erratum 3979 has it; qmail writes the first form itself.
    rest = (
        b"From: a@example.com\r\nDate: Mon, 16 Feb 2026 08:00:00 +0000\r\nMessage-ID: <a@example.com>\r\n\r\n"
    )
    assert check_message(f"Received: {line}\r\n".encode() + rest) == []


@every(
    ("name", "broken"),
    [
        ("=?utf-8?Q?Wei=C3=9F,_J?=", ["encoded-word-phrase"]),
        ("=?utf-8?q?Wei=C3=9F=2C_J?=", []),
        ("=?utf-8?Q?Dr._Wei=C3=9F?=", []),
        ("=?utf-8?B?V2Vpw58sIEo=?=", []),
        ("(=?utf-8?Q?Wei=C3=9F,_J?=)", []),
    ],
)
def test_encoded_words_of_display_names_hold_no_sign_that_parts_addresses(
    name: str, broken: list[str]
) -> None:
    assert rules(message(f"From: {name} <alice@example.com>")) == broken

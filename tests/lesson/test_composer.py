"""The builder: every fault that it knows is told, and what is finished stands in the form that the RFCs have."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from grader.formats.message import check_message
from grader.lesson.composer import compose, date_now, fresh_identifier, tables
from grader.lesson.composer.tables import BuilderField
from tests.tables import every

GOOD = {
    "from": "alice@example.com",
    "to": "bob@example.com",
    "date": "Sat, 21 Feb 2026 10:00:00 -0500",
    "body": "Hi",
}
FAULTY = [
    ("missing", "from", ""),
    ("line-break", "subject", "a\nb"),
    ("line-break", "to", "a@b.example\u2028"),
    ("control", "subject", "a\x1bb"),
    ("half-character", "subject", "\ud83d"),
    ("half-character", "body", "\ud83d"),
    ("too-long", "message-id", f"<{'a' * 250}@example.com>"),
    ("hidden", "subject", "a\u202eb"),
    ("choice", "auto-submitted", "maybe"),
    ("address-missing", "to", "a@b.example,"),
    ("address-missing", "to", "Bob <>"),
    ("quote-open", "to", '"Bob <bob@example.com>'),
    ("bracket-open", "to", "Bob <bob@example.com"),
    ("bracket-stray", "to", "Bob bob@example.com>"),
    ("after-address", "to", "<a@b.example> Bob"),
    ("name-needs-quotes", "to", "a@b <a@b.example>"),
    ("group", "to", "Staff: a@b.example"),
    ("group", "to", "a@b.example;"),
    ("group-refused", "from", "Staff: a@b.example;"),
    ("at-missing", "to", "Bob"),
    ("at-missing", "to", "Chen, Li <li@example.com>"),
    ("local-missing", "to", "@example.com"),
    ("domain-missing", "to", "bob@"),
    ("address-space", "to", "bob b@example.com"),
    ("local-dots", "to", "bob..b@example.com"),
    ("local-characters", "to", "b(o)b@example.com"),
    ("local-length", "to", f"{'b' * 65}@example.com"),
    ("local-utf8", "to", "zoë@example.com"),
    ("domain-idn", "to", "bob@bücher.example"),
    ("domain-form", "to", "bob@-x.example"),
    ("domain-form", "to", "bob@[300.1.1.1]"),
    ("domain-short", "to", "bob@mail"),
    ("encoded-place", "to", "=?utf-8?Q?=41?=@example.com"),
    ("one-mailbox", "sender", "a@b.example, c@d.example"),
    ("sender-needed", "from", "a@b.example, c@d.example"),
    ("sender-repeats", "sender", "alice@example.com"),
    ("nobody", "to", ""),
    ("identifier-comma", "references", "<a@b.example>, <c@d.example>"),
    ("identifier-form", "in-reply-to", "a@b.example"),
    ("identifier-many", "message-id", "<a@b.example> <c@d.example>"),
    ("identifier-local", "message-id", "<a@localhost>"),
    ("list-id-form", "list-id", "Staff"),
    ("url-form", "list-unsubscribe", "<javascript:alert(1)>"),
    ("one-click-https", "list-unsubscribe-post", "List-Unsubscribe=One-Click"),
    ("date-weekday", "date", "Tue, 21 Feb 2026 10:00:00 -0500"),
    ("date-syntax", "date", "2026-02-21"),
    ("date-impossible", "date", "30 Feb 2026 10:00 +0000"),
    ("date-obsolete", "date", "21 Feb 26 10:00 +0000"),
]


@every(("rule", "field", "typed"), FAULTY)
def test_what_is_wrong_is_told_at_its_field(rule: str, field: str, typed: str) -> None:
    draft = compose({**GOOD, field: typed})
    told = [complaint for complaint in draft.complaints if complaint.rule == rule]
    assert told, draft.complaints
    assert told[0].field == ("sender" if rule == "sender-needed" else field)
    assert told[0].sentence.endswith(".")
    assert (draft.message is None) == any(one.severity == "error" for one in draft.complaints)


@pytest.mark.parametrize(
    ("rule", "encoding", "body"),
    [("not-7bit", "7bit", "ü"), ("not-8bit", "8bit", "\x00"), ("needs-8bitmime", "8bit", "ü")],
)
def test_an_encoding_that_cannot_be_is_told(rule: str, encoding: str, body: str) -> None:
    draft = compose({**GOOD, "body": body, "content-transfer-encoding": encoding})
    assert [complaint.rule for complaint in draft.complaints] == [rule]


def test_every_fault_of_the_table_has_an_example() -> None:
    shown = {rule for rule, _, _ in FAULTY} | {"not-7bit", "not-8bit", "needs-8bitmime"}
    assert {fault.id for fault in tables().faults} <= shown


@every("field", [field for field in tables().fields if not field.choices])
def test_the_example_of_a_field_can_be_typed(field: BuilderField) -> None:
    draft = compose({**GOOD, "message-id": "<1@example.com>", field.id: field.example})
    assert draft.message is not None
    assert check_message(draft.message) == []


@every(
    ("field", "typed", "lines"),
    [
        ("to", "Bob <bob@example.com>", ["To: Bob <bob@example.com>"]),
        ("to", "John Q. Public <j@example.com>", ['To: "John Q. Public" <j@example.com>']),
        ("to", 'Joe "the (x)" <j@example.com>', ['To: "Joe the (x)" <j@example.com>']),
        ("to", '"a\\"b" <j@example.com>', ['To: "a\\"b" <j@example.com>']),
        ("to", '"john smith"@example.com', ['To: "john smith"@example.com']),
        ("to", "bob@[IPv6:2001:db8::1]", ["To: bob@[IPv6:2001:db8::1]"]),
        ("to", "Zoë <z@example.com>", ["To: =?utf-8?Q?Zo=C3=AB?= <z@example.com>"]),
        ("to", "Zoë: a@b.example;", ["To: =?utf-8?Q?Zo=C3=AB?= : a@b.example;"]),
        ("to", "Nobody:;", ["To: Nobody:;"]),
        ("subject", "日本語", ["Subject: =?utf-8?B?5pel5pys6Kqe?="]),
        ("subject", "a =?utf-8?Q?=41?= b", ["Subject: a =?utf-8?Q?=3D=3Futf-8=3FQ=3F=3D41=3F=3D?= b"]),
        ("subject", "a  b", ["Subject: =?utf-8?Q?a__b?="]),
        ("subject", "Re: zoë und bob", ["Subject: Re: =?utf-8?Q?zo=C3=AB?= und bob"]),
        (
            "subject",
            "x" * 40 + " " + "y" * 40,
            ["Subject: " + "x" * 40, " " + "y" * 40],
        ),
    ],
)
def test_finished_fields(field: str, typed: str, lines: list[str]) -> None:
    draft = compose({**GOOD, field: typed})
    [finished] = [one for one in draft.fields if one.name.lower() == field]
    assert finished.lines == lines


def test_encoded_words_hold_whole_characters_and_fit_their_lines() -> None:
    [finished] = [one for one in compose({**GOOD, "subject": "👩" * 60}).fields if one.name == "Subject"]
    assert len(finished.lines) > 3
    for line in finished.lines:
        assert len(line) <= 78
        for word in line.removeprefix("Subject:").split():
            assert len(word) <= 75
    assert finished.notes == ["encoded-words", "folded"]


@every(
    ("body", "encoding", "sent"),
    [
        ("Hi", "7bit", b"Hi\r\n"),
        ("", "7bit", b""),
        ("a\rb\nc\r\n", "7bit", b"a\r\nb\r\nc\r\n"),
        ("From me", "quoted-printable", b"=46rom me\r\n"),
        ("Grüße an alle \n.", "quoted-printable", b"Gr=C3=BC=C3=9Fe an alle=20\r\n=2E\r\n"),
        ("日本語", "base64", b"5pel5pys6KqeDQo=\r\n"),
        ("x" * 80, "quoted-printable", b"x" * 75 + b"=\r\n" + b"x" * 5 + b"\r\n"),
        ("x" * 76 + "\nü", "quoted-printable", b"x" * 76 + b"\r\n=C3=BC\r\n"),
    ],
)
def test_bodies_are_encoded_as_plainly_as_can_be(body: str, encoding: str, sent: bytes) -> None:
    chosen = "quoted-printable" if encoding == "quoted-printable" else "automatic"
    draft = compose({**GOOD, "body": body, "content-transfer-encoding": chosen})
    assert draft.message is not None
    header, _, data = draft.message.partition(b"\r\n\r\n")
    assert header.endswith(encoding.encode())
    assert data == sent


def test_dates_and_identifiers_are_true() -> None:
    moment = datetime(2026, 2, 21, 9, 5, 7, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    assert date_now(moment) == "Sat, 21 Feb 2026 09:05:07 +0545"
    first, second = (fresh_identifier("alice@example.org", moment) for _ in range(2))
    assert first != second
    assert first.startswith("<20260221090507.")
    assert first.endswith("@example.org>")
    assert compose({**GOOD, "date": date_now(), "message-id": first}).complaints == []

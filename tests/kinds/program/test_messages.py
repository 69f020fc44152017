"""The messages of a program judged: header, text and lines, one fault at a time."""

from __future__ import annotations

import base64
from email import policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from grader.kinds.program.judge.reading import unlike
from grader.model.result import CheckResult
from grader.model.traffic import Arrival
from tests.kinds.program.runs import (
    BODY,
    GOOD,
    HEADER,
    LETTER,
    NOTHING,
    TAKEN,
    WANTED,
    judged,
)
from tests.tables import every


def test_an_author_whom_only_a_lenient_reader_finds_is_none() -> None:
    whole = "=?utf-8?b?RXJpa2EgTGFuZyA8ZXJpa2FAZXhhbXBsZS5jb20+?="
    result = judged("header", letter=LETTER.replace('"Erika Lang" <erika@example.com>', whole))
    assert result.status == "fail"
    assert "From is no list of addresses" in result.observed


@every(
    ("first", "second", "good"),
    [
        ("<1795915096@example.com>", "<1795915096@example.com>", False),
        ("<1763892001@example.com>", "<1763892003@example.com>", False),
        ("<20251123100001.erika@example.com>", "<20251123100003.erika@example.com>", False),
        ("<23.11.2025-10.00.01@example.com>", "<23.11.2025-10.00.02@example.com>", False),
        ("<6922db21@example.com>", "<6922db23@example.com>", False),
        ("<2025-11-23T10:00:01.send@example.com>", "<2025-11-23T10:00:03.send@example.com>", False),
        ("<send-1763892001@example.com>", "<send-1763892003@example.com>", False),
        ("<Nov.23.2025.10.00.01@example.com>", "<Nov.23.2025.10.00.02@example.com>", False),
        ("<1763892001.417@example.com>", "<1763892001.419@example.com>", True),
        # Numbers of processes that might be a second, a minute or a day as well.
        ("<20251123100001.2@example.com>", "<20251123100001.3@example.com>", True),
        ("<20251123100001.23@example.com>", "<20251123100003.10@example.com>", True),
        ("<2.1763892001@example.com>", "<4.1763892001@example.com>", True),
        ("<1763892001.5f0c1e7a9b@example.com>", "<1763892003.77aa01bc2d@example.com>", True),
        ("<17638920010731@example.com>", "<17638920030115@example.com>", True),
    ],
)
def test_an_identifier_of_the_second_is_none_whichever_second_it_is(
    first: str, second: str, good: bool
) -> None:
    letters = [
        LETTER.replace("<1.2@example.com>", text).replace("2026 10:00", "2025 10:00")
        for text in (first, second)
    ]
    other = Arrival(1, "outside", "mail", [], letters[1].encode(), at=2000.0)
    result = judged(
        "header",
        letter=letters[0].replace("Mon, 23", "Sun, 23"),
        others=[other],
        started="2025-11-23T10:00:01Z",
    )
    assert (result.status == "pass") == good, result.observed


@every(
    ("old", "new", "said"),
    [
        ("Date: Mon, 23 Nov 2026 10:00:00 +0000\r\n", "", "Date is missing"),
        ("Mon, 23 Nov 2026 10:00:00 +0000", "2026-11-23 10:00", "is no date"),
        ("Mon, 23 Nov 2026 10:00", "Tue, 24 Nov 2026 10:00", "Date says 2026-11-24"),
        ("Message-ID: <1.2@example.com>\r\n", "", "no Message-ID"),
        ("<1.2@example.com>", "1.2@example.com", "Message-ID"),
        ("To: a@x.example", "To: z@x.example", "To names “z@x.example”"),
        ("Cc: b@y.example\r\n", "", "Cc names “nobody”"),
        ("Cc: b@y.example", "Cc: ", "Cc is no list of addresses"),
        ("<erika@example.com>", "<alice@example.com>", "From names “alice@example.com”"),
        ('"Erika Lang"', "Erika", "The author's name arrived as “Erika”"),
        ("Subject: Minutes", "Subject: Hours", "The subject arrived as “Hours”"),
    ],
)
def test_a_header_with_a_fault(old: str, new: str, said: str) -> None:
    assert old in LETTER
    result = judged("header", letter=LETTER.replace(old, new))
    assert result.status == "fail"
    assert said in result.observed


EARLY = LETTER.replace("Subject", "\r\nSubject")
SPACED = LETTER.replace("Subject:", "Subject :")
ODD_LINE = LETTER.replace("Message-ID", "hello\r\nMessage-ID")


@pytest.mark.parametrize(
    ("letter", "said"),
    [
        (EARLY, "An empty line ends the header before Subject"),
        (f"\r\n{LETTER}", "An empty line ends the header before Date"),
        (SPACED, "between the name Subject and its colon"),
        (ODD_LINE, "'hello' is no header field"),
    ],
)
def test_a_header_that_ends_too_early_is_one_failure(letter: str, said: str) -> None:
    assert said in judged("header", letter=letter).observed
    for expected in ("text", "whole"):
        left = judged(expected, letter=letter, first="header")
        assert (left.status, left.because) == ("skipped", "demo/first")
        assert judged(expected, letter=letter).status == "fail"


def test_a_text_may_begin_like_a_header() -> None:
    wanted = replace(WANTED, body=b"Subject: none\n")
    letter = f"{HEADER}\r\nSubject: none\r\n"
    assert judged("header", letter=letter, wanted=wanted).status == "pass"


def test_a_fault_of_the_header_that_hides_no_text_leaves_the_text_to_its_check() -> None:
    cut = LETTER.replace("Dear all", "Dear").replace("Message-ID: <1.2@example.com>\r\n", "")
    assert judged("whole", letter=cut, first="header").status == "fail"


@pytest.mark.parametrize(
    "author",
    ["Erika Lang <erika@example.com>", "=?utf-8?q?Erika?= =?utf-8?q?_Lang?= <erika@example.com>",
     '"Erika Lang" <erika@EXAMPLE.com>', "Erika\r\n Lang <erika@example.com>"],
)  # fmt: skip
def test_a_name_may_be_written_in_many_ways(author: str) -> None:
    letter = LETTER.replace('"Erika Lang" <erika@example.com>', author)
    assert judged("header", letter=letter).status == "pass"


def test_capitals_of_an_address_are_the_envelope_s_affair() -> None:
    """Who loses them loses them in both places, and hears of it once."""
    letter = LETTER.replace("To: a@x.example", "To: A@x.example")
    assert judged("header", letter=letter).status == "pass"
    other = replace(TAKEN, recipients=["A@x.example", *TAKEN.recipients[1:]])
    result = judged("envelope", conversations=[replace(GOOD, transactions=[other])])
    assert result.status == "fail"
    assert "a@x.example" in result.observed


def test_a_message_id_of_another_message_is_no_id() -> None:
    other = Arrival(1, "outside", "mail", [], LETTER.encode())
    assert "same Message-ID" in judged("header", others=[other]).observed


def test_a_message_handed_over_twice_by_one_run_may_keep_its_id() -> None:
    twice = replace(GOOD, transactions=[TAKEN, replace(TAKEN, arrival=1)])
    again = Arrival(1, "outside", "mail", ["it/1"], LETTER.encode())
    assert judged("header", conversations=[twice], others=[again]).status == "pass"


@pytest.mark.parametrize(
    ("date", "status"),
    [
        ("Mon, 23 Nov 2026 10:09:00 +0000", "pass"),
        ("Mon, 23 Nov 2026 09:51:00 +0000", "pass"),
        ("Mon, 23 Nov 2026 11:00:00 +0100", "pass"),
        ("Mon, 23 Nov 2026 10:11:00 +0000", "fail"),
        ("Mon, 23 Nov 2026 09:49:00 +0000", "fail"),
        ("Mon, 23 Nov 2026 10:00:00 +0100", "fail"),
    ],
)
def test_the_date_is_that_of_sending(date: str, status: str) -> None:
    letter = LETTER.replace("Mon, 23 Nov 2026 10:00:00 +0000", date)
    assert judged("header", letter=letter).status == status


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("\r\nDear all,\r\n\r\n", "The text ends before its line 3, “.”"),
        ("\r\nDear all,\r\n\r\n..\r\nErika\r\n", "Line 3 of the text arrived as “..” instead of “.”"),
        (BODY + "Bye\r\n", "Behind the text's end there is a line “Bye”"),
        (BODY + "\r\nBye\r\n", "Behind the text's end there is a line “Bye”"),
        (BODY.replace("all,", "all,  "), "character 10 is U+0020, space and should be none"),
    ],
)
def test_a_text_that_arrives_otherwise(body: str, said: str) -> None:
    assert said in judged("text", letter=HEADER + body).observed


def test_blanks_that_quoted_printable_leaves_at_a_line_s_end_are_lost() -> None:
    """RFC 2045 section 6.7, rule 3: whoever decodes takes them off."""
    wanted = replace(WANTED, body=b"-- \nErika\n")
    head = f"{HEADER}MIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    assert judged("whole", letter=f"{head}--=20\r\nErika\r\n", wanted=wanted).status == "pass"
    left = judged("whole", letter=f"{head}-- \r\nErika\r\n", wanted=wanted)
    assert "arrived as “--” instead of “-- ”" in left.observed


@pytest.mark.parametrize(
    ("sent", "body", "status"),
    [
        ("One\n  two\n>three\n-- \nErika\n", "One\r\n   two\r\n >three\r\n-- \r\nErika\r\n", "pass"),
        ("One two\n", "One \r\ntwo\r\n", "pass"),
        ("One\n  two\n", "One\r\n  two\r\n", "fail"),
        ("One \ntwo\n", "One \r\ntwo\r\n", "fail"),
    ],
)
def test_a_flowed_text_is_read_as_its_readers_see_it(sent: str, body: str, status: str) -> None:
    """RFC 3676 section 4: a blank at a line's end joins lines, one at its beginning is taken off."""
    head = f"{HEADER}MIME-Version: 1.0\r\nContent-Type: text/plain; format=Flowed\r\n\r\n"
    wanted = replace(WANTED, body=sent.encode())
    assert judged("whole", letter=head + body, wanted=wanted).status == status
    joined = head.replace("Flowed", "flowed; delsp=yes") + "Kaf \r\nfee\r\n"
    assert judged("whole", letter=joined, wanted=replace(WANTED, body=b"Kaffee\n")).status == "pass"


def test_an_end_of_line_that_was_made_twice_is_called_that() -> None:
    body = base64.encodebytes(WANTED.body.replace(b"\n", b"\r\r\n")).decode().replace("\n", "\r\n")
    letter = f"{HEADER}MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n\r\n{body}"
    assert "“Dear all,”, arrived with a carriage return more" in judged("whole", letter=letter).observed


def test_texts_that_look_alike_are_told_apart() -> None:
    for got, wanted, said in (
        ("\ufeffCafé", "Café", "character 1 is U+FEFF, zero width no-break space and should be U+0043"),
        ("Café", "Cafe\u0301", "character 4 is U+00E9, latin small letter e with acute and should be U+0065"),
        ("a\u00a0b", "a b", "U+00A0, no-break space and should be U+0020, space"),
    ):
        assert said in unlike(got, wanted)
    assert unlike("ab", "ac") == unlike("ab", "ab") == ""


def test_what_every_text_suffers_is_no_matter_of_characters() -> None:
    """One cause fails one check: the one that looks at lines."""
    letter = LETTER + "-- \r\nsent by a robot\r\n"
    found = judged("text", first="whole", letter=letter)
    assert (found.status, found.because) == ("skipped", "demo/first")
    # In whatever order the lab names them.
    assert judged("whole", first="text", letter=letter).status == "fail"
    assert judged("text", letter=letter).status == "fail"
    # Lines beyond 76 in base64 are one fault with lines beyond 998.
    body = base64.b64encode(WANTED.body.replace(b"\n", b"\r\n") + b"\r\n" * 400).decode()
    head = f"{HEADER}MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    assert judged("text", first="lines", letter=f"{head}{body}\r\n").status == "skipped"
    short = base64.b64encode(WANTED.body * 3).decode()
    assert judged("text", first="lines", letter=f"{head}{short}\r\n").status == "fail"


def test_a_text_that_is_not_encoded_as_its_fields_say_is_one_failure() -> None:
    letter = f"{HEADER}MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n{BODY}"
    assert judged("text", letter=letter).status == "fail"
    assert judged("whole", letter=letter).status == "fail"
    assert judged("whole", first="text", letter=letter).status == "skipped"


def test_an_encoded_word_in_quotation_marks_is_one_failure() -> None:
    letter = LETTER.replace('"Erika Lang"', '"=?UTF-8?B?RXJpa2EgTGFuZw==?="')
    assert judged("header", first="text", letter=letter).status == "skipped"
    assert judged("header", letter=letter).status == "fail"


def parts(*kinds: str) -> str:
    """A message whose first part is the text, and then one of each kind."""
    head = f"{HEADER}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n{BODY}"
    return (
        head + "".join(f"\r\n--b\r\nContent-Type: {kind}\r\n\r\nBuy now!" for kind in kinds) + "\r\n--b--\r\n"
    )


def test_another_text_beside_the_text_is_not_the_message_that_was_asked_for() -> None:
    assert judged("text", letter=parts()).status == "pass"
    assert judged("text", letter=parts("text/plain\r\nContent-Disposition: attachment")).status == "pass"
    for kind in ("text/plain", "text/html"):
        assert f"({kind}), which begins with “Buy now!”" in judged("text", letter=parts(kind)).observed
    assert judged("whole", letter=parts("text/html")).status == "pass"


def test_an_encoded_word_may_name_its_language() -> None:
    """RFC 2231 section 5."""
    letter = LETTER.replace('"Erika Lang"', "=?UTF-8*de?Q?Erika?= =?UTF-8*de?B?IExhbmc=?=")
    assert judged("header", letter=letter).status == "pass"


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("text/html; charset=us-ascii", "HTML alone"),
        ("text/plain\r\nContent-Disposition: attachment", "The text is an attachment"),
        ("application/pdf", "its Content-Type is “application/pdf”"),
    ],
)
def test_a_message_without_plain_text_is_said_to_be_that_and_once(kind: str, said: str) -> None:
    letter = f"{HEADER}MIME-Version: 1.0\r\nContent-Type: {kind}\r\n{BODY}"
    assert said in judged("text", letter=letter).observed
    assert judged("whole", letter=letter).status == "pass"


def test_an_encoded_word_is_too_long_where_no_library_makes_it_so() -> None:
    def with_word(letters: int) -> CheckResult:
        word = f"=?utf-8?q?{'=C3=A4' * 10}{'a' * letters}?="
        wanted = replace(WANTED, subject="ä" * 10 + "a" * letters)
        return judged("text", letter=LETTER.replace("Subject: Minutes", f"Subject: {word}"), wanted=wanted)

    longer = with_word(4)
    assert longer.status == "pass"
    assert any("an encoded word of 76 characters" in remark for remark in longer.remarks)
    assert with_word(3).remarks == []
    assert "an encoded word of 79 characters" in with_word(7).observed


ODD = replace(WANTED, from_name="Jürgen Weiß", subject="Grüße: 5 € ☕", body="Kaffee ☕\n東京\n".encode())


@pytest.mark.parametrize("cte", ["base64", "quoted-printable", "8bit"])
@pytest.mark.parametrize("utf8", [False, True])
def test_characters_arrive_however_they_are_carried(cte: str, utf8: bool) -> None:
    mail = EmailMessage(policy=policy.SMTPUTF8 if utf8 else policy.SMTP)
    mail["From"] = f"{ODD.from_name} <erika@example.com>"
    mail["Subject"] = ODD.subject
    mail.set_content(ODD.body.decode(), cte=cte)
    parameters = "SMTPUTF8 BODY=8BITMIME" if utf8 else "BODY=8BITMIME"
    conversation = replace(GOOD, transactions=[replace(TAKEN, parameters=parameters)])
    result = judged("text", letter=bytes(mail), wanted=ODD, conversations=[conversation])
    assert (result.status, result.remarks) == ("pass", [])


@pytest.mark.parametrize("comment", ["(RFC 2045)", "(a (b) c)"])
def test_a_comment_in_a_field_about_the_text_changes_nothing(comment: str) -> None:
    fields = (
        f'MIME-Version: 1.0 {comment}\r\nContent-Type: text/plain; charset="utf-8" {comment}\r\n'
        f"Content-Transfer-Encoding: BASE64 {comment}\r\n"
    )
    body = base64.encodebytes("Grüße\r\n".encode()).decode().replace("\n", "\r\n")
    wanted = replace(WANTED, body="Grüße\n".encode())
    result = judged("text", letter=HEADER + fields + "\r\n" + body, wanted=wanted)
    assert result.status == "pass", result.observed


def test_eight_bits_that_were_not_announced_are_remarked_on() -> None:
    letter = HEADER + "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n" \
        "Content-Transfer-Encoding: 8bit\r\n\r\nKaffee ☕\r\n東京\r\n"  # fmt: skip
    wanted = replace(ODD, from_name="Erika Lang", subject="Minutes")
    assert "BODY=8BITMIME" in judged("text", letter=letter, wanted=wanted).remarks[0]


@pytest.mark.parametrize(
    "subject", ["Grüße: 5 € ☕", "=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "=?iso-8859-1?q?Gr=C3=BC=C3=9Fe:_5_?="]
)
def test_a_garbled_subject(subject: str) -> None:
    letter = LETTER.replace("Subject: Minutes", f"Subject: {subject}")
    assert judged("text", letter=letter, wanted=ODD).status == "fail"


@pytest.mark.parametrize(
    "letter", [LETTER.replace("\r\n", "\n"), LETTER + "x" * 999 + "\r\n", LETTER + "a\rb\r\n"]
)
def test_lines_with_a_fault(letter: str) -> None:
    assert judged("lines", letter=letter).status == "fail"


def test_commands_without_cr_are_pointed_at() -> None:
    result = judged("lines", conversations=[replace(GOOD, bare=[3])])
    assert result.evidence[0] == "session:0:3"


@given(
    raw=st.binary(max_size=400) | st.text(alphabet='FromTDatSubjec:<>@,"=?utf8bqQB \r\n()\\;.é', max_size=300)
)
def test_no_message_breaks_the_judge(raw: bytes | str) -> None:
    for expected in ("hides-bcc", "header", "text", "whole", "lines"):
        letter = raw if isinstance(raw, bytes) else raw.encode()
        assert judged(expected, letter=letter, wanted=ODD).status in ("pass", "fail")


def test_a_message_that_was_not_taken_is_told_by_the_check_that_is_most_about_it() -> None:
    for asked, status in ((("it/1", "other/1"), "fail"), (("it/1", "it/2", "other/1"), "pass")):
        assert judged("header", conversations=[NOTHING], asked=asked, code=1).status == status


def test_the_line_at_which_a_rule_is_broken_is_shown() -> None:
    quoted_word = LETTER.replace("From: ", 'From: "=?utf-8?Q?Erika?=" ', 1)
    result = judged("text", letter=quoted_word)
    assert "inside a quoted string" in result.observed
    line = quoted_word.split("\r\n").index(next(one for one in quoted_word.split("\r\n") if "=?" in one))
    assert result.evidence[0] == f"message:0:{line}"
    without = "\r\n".join(one for one in LETTER.split("\r\n") if not one.startswith("Date:"))
    assert judged("header", letter=without).evidence[0] == "message:0"

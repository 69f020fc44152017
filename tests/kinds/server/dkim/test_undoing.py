"""What was done to a message after it had been signed is told where the signature verifies without it."""

from __future__ import annotations

import quopri

import pytest

from grader.kinds.server.declare import SignatureExpect
from tests.judge import builders
from tests.kinds.server.dkim.signing import MESSAGE, judged, signed
from tests.tables import every

VERIFIES = builders.check("signed", signature=SignatureExpect(verifies=True))
LONG = b"All of it in one line, as many programs write it. " * 8
LETTER = MESSAGE.replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n", 1)
LETTER += "Sch\u00f6ne Gr\u00fc\u00dfe aus K\u00f6ln, ".encode() + LONG + b"\r\nB. \r\n"


def recoded(message: bytes) -> bytes:
    header, _, text = message.partition(b"\r\n\r\n")
    text = quopri.encodestring(text.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
    return header.replace(b": 8bit", b": quoted-printable") + b"\r\n\r\n" + text


def broken(message: bytes) -> bytes:
    return message.replace(LONG, LONG[:100] + b"\r\n " + LONG[100:])


@every(
    ("done", "told", "remedy"),
    [
        (recoded, "recoded as quoted-printable", "`force_mime_input_conversion = yes`"),
        (broken, "they were broken after", "`smtp_line_length_limit`"),
        (lambda m: m.replace(b"Subject: ", b"Subject: [List] "), "the mark in brackets", "`header_checks`"),
        (
            lambda m: m + b"-- \r\nExample Ltd\r\n",
            "from \u201c--\u201d on",
            "before OpenDKIM in `smtpd_milters`",
        ),
    ],
)
def test_what_broke_a_signature(done: object, told: str, remedy: str) -> None:
    assert callable(done)
    result = judged(VERIFIES, done(signed(LETTER)))
    assert result.status == "fail"
    assert told in result.observed
    assert remedy in result.next


@pytest.mark.parametrize("other", [b"K\xc3\xb6ln", b"in one line"])
def test_of_what_cannot_be_undone_the_lab_speaks(other: bytes) -> None:
    result = judged(VERIFIES, signed(LETTER).replace(other, b"elsewhere"))
    assert result.observed.endswith("the text is not the one that was signed.")
    assert result.next == "n"


def test_a_letter_as_it_was_signed_verifies() -> None:
    assert judged(VERIFIES, signed(LETTER)).status == "pass"

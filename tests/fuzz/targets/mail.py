"""Messages and what stands in them (RFC 5322, MIME), mailboxes, signatures, and what an analyser makes of headers."""

from __future__ import annotations

from functools import cache, partial

from grader.engines.guest import mail as mailboxes
from grader.formats.message import check_message
from grader.formats.message.addresses import parse_addresses
from grader.formats.message.contenttype import boundary_fault, parse_content_type
from grader.formats.message.dates import date_fault
from grader.formats.message.lexer import Malformed
from grader.formats.message.moments import find_moment, read_moment
from grader.formats.message.parse import header_fields
from grader.formats.message.received import read_received
from grader.judge import judge
from grader.judge.verdicts import FAULT
from grader.kinds.server.declare import ServerCheck, SignatureExpect
from grader.kinds.server.facts import Published
from grader.kinds.server.run.keys import key_names
from grader.lesson.analyser import analyse
from grader.lesson.analyser.encoded import decode_words
from grader.lesson.analyser.examples import examples
from grader.model.traffic import Arrival
from tests.formats.message.corpus import corpus
from tests.fuzz.target import Target, sound
from tests.judge import builders
from tests.kinds.program.runs import LETTER, judged
from tests.kinds.server.dkim.signing import MESSAGE, run, signed

HEADER = (
    b"From: ", b"To: ", b"Date: ", b"Message-ID: ", b"Subject: ", b"Received: ", b"DKIM-Signature: ",
    b"Content-Type: ", b"Content-Transfer-Encoding: ", b"MIME-Version: 1.0", b"Authentication-Results: ",
    b"ARC-Seal: i=1; ", b"Bcc: ", b"Return-Path: <>", b"Resent-From: ",
)  # fmt: skip
WORDS = (
    b"(", b")", b"<", b">", b"@", b'"', b"\\", b'\\"', b",", b";", b":", b"=", b".", b"[", b"]", b"\r\n",
    b"\r\n ", b" ", b"\n", b"a", b"a@", b"<a", b"<a@b.c>", b"()", b"(a)", b"=?", b"?=", b"=?utf-8?q?=41?=",
    b"=?utf-8?b?QQ==?=", b"--b", b"--b\r\n", b"--b--", b"multipart/mixed; boundary=b", b"message/rfc822",
    b"text/plain; charset=utf-8", b"base64", b"quoted-printable", b"=3D", b"name*0*=utf-8''%41", b"a*=",
    b"Mon, 23 Nov 2026 10:00:00 +0000", b"from ", b" by ", b"spf=pass smtp.mailfrom=", b"message-id:<",
    b"From ", b"\r\n\r\n", b"''", b"%4", b"boundary=",
)  # fmt: skip
FIELDS = tuple((name, word, b"\r\n\r\n") for name in HEADER[:11] for word in WORDS[:24] if word != b"\n")
FROM = tuple((b"DKIM-Signature: v=1; b=\r\nFrom: ", word, b"\r\n\r\n") for word in WORDS[:12])
PARTS = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"
SHAPES = (
    *FIELDS[::17],
    (PARTS + b"\r\n", b"--b\r\n\r\nx\r\n", b"--b--\r\n"),
    (PARTS + b" \r\n" * 500 + b"\r\n", b"--b\r\n\r\n", b"--b--\r\n"),
    (PARTS + b"\r\n", b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n", b""),
    (b"", b"Content-Type: message/rfc822\r\n\r\n", b"x"),
    (b"A" * 1_000 + b": x\r\n", b" \r\n", b"\r\n"),
    (b"Content-Type: text/plain; ", b"a*=b;", b"\r\n\r\n"),
    (b'Content-Type: text/plain; a*="', b"a", b'"\r\n\r\n'),
    (b"Content-Transfer-Encoding: base64\r\n\r\n", b"QUFB\r\n", b""),
    (b"Content-Transfer-Encoding: quoted-printable\r\n\r\n", b"=41", b""),
    (b"", b"X: y\r\n", b"\r\n"),
)
WANTS = builders.check(
    "signed", signature=SignatureExpect(present=True, verifies=True, covers=["from", "body"], key_bits=1024)
)


def _message(data: bytes) -> None:
    check_message(data)
    check_message(data, smtputf8=True)
    header_fields(data)


def _words(data: bytes) -> None:
    decode_words(data.decode("ascii", "surrogateescape"))


def _date(data: bytes) -> None:
    text = data.decode("ascii", "surrogateescape")
    date_fault(text)
    read_moment(text)
    find_moment(text)


def _received(data: bytes) -> None:
    read_received(data.decode("ascii", "surrogateescape"))


def _addresses(data: bytes) -> None:
    parse_addresses(data.decode("ascii", "surrogateescape"))


def _type(data: bytes) -> None:
    found = parse_content_type(data.decode("ascii", "surrogateescape"))
    _ = found.main, boundary_fault(found.parameters.get("boundary", ""))


def _mailbox(data: bytes) -> None:
    assert b"".join(mailboxes.messages_in(data)).replace(b"\n", b"") == data.replace(b"\n", b"")


def _keys(data: bytes) -> None:
    arrival = Arrival(id=0, place="outside", where="mx", attempts=[], raw=data)
    key_names([arrival], Published([], [], []))


def _signed(check: ServerCheck, data: bytes) -> None:
    result = sound(judge(run(check, data)))
    assert result.status == "graded"


def _sent(data: bytes) -> None:
    for expected in ("header", "text", "whole", "lines", "envelope", "hides-bcc"):
        assert not judged(expected, letter=data).observed.startswith(FAULT)


@cache
def _messages() -> list[bytes]:
    return [*(example.raw for example in examples()), LETTER.encode(), MESSAGE]


@cache
def _signatures() -> list[bytes]:
    return [
        signed(),
        signed(bits=256, algorithm="ed25519-sha256"),
        signed(canonicalize=(b"simple", b"simple")),
    ]


def _bodies() -> list[bytes]:
    return [b"text/plain; charset=\"utf-8\"; name*0*=utf-8''a%20b; name*1=c", b"multipart/mixed; boundary=b"]


TARGETS = (
    Target("message", _message, _messages, (*HEADER, *WORDS), shapes=SHAPES, more_shapes=FIELDS),
    Target("content type", _type, _bodies, WORDS, refuses=(Malformed,), frame=(b"text/plain; a=", b"")),
    Target(
        "address list",
        _addresses,
        lambda: [b"Alice <alice@example.com>, a group: b@c.d;"],
        WORDS,
        refuses=(Malformed,),
    ),
    Target(
        "date",
        _date,
        lambda: [b"Mon, 23 Nov 2026 10:00:00 +0000 (UTC)"],
        (*WORDS[:20], b"23 ", b"Nov ", b"2026 ", b"10:", b"+9999", b"EST"),
    ),
    Target(
        "Received field",
        _received,
        lambda: [line.text.encode() for line in corpus()],
        (
            *WORDS,
            b"by ",
            b"with ",
            b"for ",
            b"id ",
            b"[192.0.2.1]",
            b"(HELO ",
            b"helo=",
            b"unknown",
            b" (Exim ",
            b"; ",
        ),
    ),
    Target(
        "encoded words",
        _words,
        lambda: [b"=?utf-8?q?Gr=C3=BC=C3=9Fe?= =?latin1?b?/A==?="],
        (*WORDS, b"=?utf-16?b?", b"=?utf-7?q?+"),
    ),
    Target(
        "mailbox",
        _mailbox,
        lambda: [b"From a\nX: y\n\nText\n\nFrom b\n\n"],
        (b"From ", b"\n", b"\n\n", b"\n\nFrom ", b"x", b"\r\n"),
    ),
    Target(
        "header analyser", analyse, _messages, (*HEADER, *WORDS), shapes=SHAPES, more_shapes=FIELDS, weight=2
    ),
    Target("key names", _keys, _signatures, (*HEADER, *WORDS, b"d=example.com;", b"s=a;")),
    Target(
        "signed message",
        partial(_signed, WANTS),
        _signatures,
        (*HEADER, *WORDS[:30], b"b=", b"d=example.com; "),
        shapes=FROM,
        weight=0.5,
    ),
    Target(
        "sent message",
        _sent,
        lambda: [LETTER.encode()],
        (*HEADER, *WORDS),
        shapes=SHAPES[::3],
        more_shapes=FIELDS,
        weight=0.5,
    ),
)

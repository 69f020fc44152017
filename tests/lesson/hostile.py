"""Hostile things to type into a form and to find in a message, put together by chance, many at a time.

A browser is asked about hundreds of them in one call. So nothing is shrunk; what fails is shown whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random
from typing import TypeVar

from grader.lesson import library
from grader.lesson.analyser.examples import examples
from grader.lesson.samples import assemble
from tests.formats.message.test_properties import PIECES

T = TypeVar("T")
Form = dict[str, str]

SIGNS = [
    '"', "\\", ",", ";", ":", "<", ">", "@", "(", ")", "[", "]", "=", "?", "=?", "?=", ".", "-", "--", "%", "'", "#",
    "=?utf-8?Q?=41?=", "=?utf-8?B?QQ==?=", "alice@example.com", "<bob@example.com>", "From ", "Alice", "a b",
    "\n", "\r\nBcc: everybody@example.org", "\r", "\x00", "\x1b[31m", "\x7f", "\x85", "\u2028", "\t", " ", "  ",
    "Grüße", "日本語", "שלום", "👩\u200d👩\u200d👧", "e\u0301", "\u202e", "\ud800", "\ufeff", "bücher.example",
    "x" * 80, "ü" * 100, "\U0001d518" * 30,
]  # fmt: skip
_REFUSED = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_PLAIN = [sign for sign in SIGNS if not _REFUSED.search(sign)]
_FOUND = [
    *PIECES, b"Received: from a.example (b.example [192.0.2.1]) by ", b"with ESMTP ", b"Authentication-Results: ",
    b"i=2;", b"ARC-Seal: ", b"DKIM-Signature: ", b"\xa0", b"\xc2\x85", b"\xe2\x80\xa8", b"\x1c", b"\x0b", b" by ",
    b"mx.elsewhere.example", b"Reply-To: ", b"=?iso-8859-1?Q?=80=FC?=", b"Return-Path: <>\r\n", b"\xe2\x80\xae",
]  # fmt: skip


def many(make: Callable[[Random], T], count: int) -> list[T]:
    """``count`` things, others each time."""
    chance = Random()
    return [make(chance) for _ in range(count)]


def text(chance: Random, signs: list[str] = SIGNS) -> str:
    """A text of signs that mean something to somebody, and of any characters."""
    pieces = []
    for _ in range(chance.randrange(9)):
        if chance.random() < 0.75:
            pieces.append(chance.choice(signs))
        else:
            highest = chance.choice([0x7F, 0xFF, 0xFFFF, 0x10FFFF])
            pieces.append("".join(chr(chance.randint(32, highest)) for _ in range(chance.randrange(12))))
    made = "".join(pieces)
    return made if signs is SIGNS else _REFUSED.sub("", made)


def local(chance: Random) -> str:
    """What may stand before the @."""
    return "".join(chance.choice("abcdefghijklmno") for _ in range(chance.randint(1, 9)))


def quoted(name: str) -> str:
    """A name in quotation marks, as a careful person types it."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def mailbox(chance: Random, signs: list[str] = SIGNS) -> str:
    """A name and an address; the name often in quotation marks."""
    name = text(chance, signs)
    return f"{quoted(name) if chance.random() < 0.7 or signs is not SIGNS else name} <{local(chance)}@example.com>"


def addresses(chance: Random, signs: list[str] = SIGNS) -> str:
    """A list of addresses, perhaps with a group."""
    if signs is SIGNS and chance.random() < 0.2:
        return text(chance)
    boxes = [
        mailbox(chance, signs) if chance.random() < 0.7 else f"{local(chance)}@example.org"
        for _ in range(chance.randint(1, 4))
    ]
    if chance.random() < 0.2:
        boxes.append(f"{quoted('g' + text(chance, signs))}: {', '.join(boxes[:2])};")
    return ", ".join(boxes)


def form(chance: Random) -> Form:
    """What may stand in the builder's form."""

    def perhaps(make: Callable[[Random], str], *others: str) -> str:
        return make(chance) if chance.random() < 0.5 else chance.choice(others or ("",))

    identifiers = " ".join(f"<{local(chance)}@example.com>" for _ in range(chance.randrange(9)))
    day, minute, year = chance.randint(0, 32), chance.randint(0, 61), chance.randint(1899, 2099)
    dated = f"{chance.choice(['Mon', 'sat'])}, {day} Feb {year} 10:{minute:02} +0100"
    encodings = ["automatic", "7bit", "8bit", "quoted-printable", "base64", "odd"]
    made = {
        "from": addresses(chance),
        "sender": perhaps(mailbox),
        "reply-to": perhaps(addresses),
        "to": addresses(chance),
        "cc": perhaps(addresses),
        "bcc": perhaps(addresses),
        "subject": text(chance),
        "comments": perhaps(text),
        "date": perhaps(text, dated, "Sat, 21 Feb 2026 10:00:00 -0500"),
        "message-id": perhaps(text, "<1@localhost>", "<a@b.c>"),
        "references": perhaps(text, identifiers),
        "list-id": perhaps(lambda chance: f"{text(chance)}<staff.example.com>"),
        "list-unsubscribe": perhaps(text, "<https://example.com/u>, <mailto:leave@example.com>"),
        "list-unsubscribe-post": chance.choice(["", "List-Unsubscribe=One-Click", "\n"]),
        "content-transfer-encoding": chance.choice(encodings),
        "body": text(chance) + chance.choice(["", "\n", "\r\n.\r\n", " \nFrom me\t"]) + text(chance),
    }
    # Two halves that meet are one character to a browser.
    whole = {id_: value.encode("utf-16", "surrogatepass") for id_, value in made.items()}
    return {id_: data.decode("utf-16", "surrogatepass") for id_, data in whole.items()}


def good_form(chance: Random) -> Form:
    """A form that a message can be made of, however strange the texts in it are."""
    made = form(chance)
    return {
        **made,
        "from": mailbox(chance, _PLAIN), "sender": "", "date": "Sat, 21 Feb 2026 10:00:00 -0500",
        "reply-to": "", "message-id": "<4711@example.com>", "references": "<a@example.com> <b@example.org>",
        "list-id": "", "list-unsubscribe": "", "list-unsubscribe-post": "",
        "content-transfer-encoding": chance.choice(["automatic", "quoted-printable", "base64"]),
        **{id_: addresses(chance, _PLAIN) for id_ in ("to", "cc", "bcc")},
        **{id_: text(chance, _PLAIN) for id_ in ("subject", "comments")},
        "body": "".join(char for char in made["body"] if not 0xD800 <= ord(char) <= 0xDFFF),
    }  # fmt: skip


def message(chance: Random) -> bytes:
    """What may be pasted into the analyser: a message that is whole, damaged, or none at all."""
    known = library()
    whole = [one.raw for one in examples()]
    whole += [assemble(known.sample, rule.wrong, rule.without) for rule in known.rules.values()]
    raw = chance.choice([*whole, b""])
    for _ in range(chance.randrange(6) if raw else chance.randrange(40)):
        start = chance.randint(0, len(raw))
        piece = chance.choice(_FOUND) if chance.random() < 0.9 else chance.randbytes(3)
        raw = raw[:start] + piece + raw[start + chance.randrange(20) * (chance.random() < 0.5) :]
    return raw

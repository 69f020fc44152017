"""The pages' scripts and the program say the same of the same: builder, rules and analyser, byte for byte.

What a browser does for the scripts, and may do in another way, is compared in one: ``test_header_tables.py``.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any

import msgspec
import pytest

from grader.formats.message import check_message
from grader.formats.message.charsets import FORMS
from grader.lesson import library
from grader.lesson.analyser import analyse
from grader.lesson.analyser.examples import examples
from grader.lesson.composer import compose
from grader.lesson.samples import assemble
from tests.formats.message.corpus import corpus
from tests.lesson.embedded import Scripts
from tests.lesson.hostile import form, good_form, many, message
from tests.lesson.test_analyser_verdicts import messages

pytestmark = [pytest.mark.slow, pytest.mark.together("header scripts")]


def latin(raw: bytes) -> str:
    return raw.decode("latin-1")


def same(expected: list[Any], actual: list[Any], given: list[Any]) -> None:
    for want, got, value in zip(expected, actual, given, strict=True):
        assert got == want, value


def test_the_builders_make_the_same_bytes_and_complaints(header_scripts: Scripts) -> None:
    given, expected = many(form, 300) + many(good_form, 500), []
    given += [{"from": f"alice@{domain}"} for domain in ("example.com\ufeff", "\ufeff", "bücher.example")]
    for values in given:
        draft = msgspec.to_builtins(compose(values), builtin_types=[bytes])
        draft["message"] = None if draft["message"] is None else latin(draft["message"])
        expected.append(draft)
    assert 400 < sum(draft["message"] is not None for draft in expected) < len(given)
    same(expected, header_scripts.ask("smtplab.compose(value, tables)", given), given)


@pytest.mark.parametrize("smtputf8", [False, True])
def test_the_rules_find_the_same_faults(header_scripts: Scripts, smtputf8: bool) -> None:
    given = many(message, 600)
    expected = [msgspec.to_builtins(check_message(raw, smtputf8=smtputf8)) for raw in given]
    call = f"smtplab.rules.checkMessage(value, tables.rules, {json.dumps(smtputf8)})"
    same(expected, header_scripts.ask(call, [latin(raw) for raw in given]), given)


def test_the_analysers_see_the_same_in_honest_and_in_forged_messages(header_scripts: Scripts) -> None:
    given = [
        text.replace("\n", "\r\n").encode() for _, text in messages("honest.txt") + messages("forged.txt")
    ]
    expected = [msgspec.to_builtins(analyse(raw)) for raw in given]
    same(expected, header_scripts.ask("smtplab.analyse(value, tables)", [latin(raw) for raw in given]), given)


@pytest.mark.parametrize("own", ["", "elsewhere.example", "mail.example.co.uk"])
def test_the_analysers_see_the_same(header_scripts: Scripts, own: str) -> None:
    given = many(message, 400)
    expected = [msgspec.to_builtins(analyse(raw, own)) for raw in given]
    call = f"smtplab.analyse(value, tables, {json.dumps(own)})"
    same(expected, header_scripts.ask(call, [latin(raw) for raw in given]), given)


def received(chance: Random) -> bytes:
    """A few Received fields of several systems, put together anew or damaged."""
    fields = []
    for _ in range(chance.randint(1, 4)):
        text = chance.choice(corpus()).text
        for _ in range(chance.randrange(4)):
            words, others = text.split(" "), chance.choice(corpus()).text.split(" ")
            place = chance.randrange(len(words))
            words[place : place + chance.randrange(3)] = chance.sample(
                others, min(len(others), chance.randrange(3))
            )
            text = " ".join(words)
        fields.append(f"Received: {text}\r\n")
    return ("".join(fields) + "From: a@example.org\r\nDate: 16 Feb 26 8:0 GMT\r\n\r\n").encode()


def test_they_read_every_systems_lines_alike(header_scripts: Scripts) -> None:
    given = [f"Received: {line.text}\r\n\r\n".encode() for line in corpus()] + many(received, 400)
    expected = [msgspec.to_builtins(analyse(raw)) for raw in given]
    actual = header_scripts.ask("smtplab.analyse(value, tables)", [latin(raw) for raw in given])
    same(expected, actual, given)


def test_they_agree_about_every_example(header_scripts: Scripts) -> None:
    known = library()
    given = [assemble(known.sample, rule.wrong, rule.without) for rule in known.rules.values()]
    given += [assemble(known.sample, rule.right) for rule in known.rules.values()]
    given += [example.raw for example in examples()]
    expected = [msgspec.to_builtins(check_message(raw)) for raw in given]
    assert sum(map(len, expected)) > 50
    same(
        expected,
        header_scripts.ask("smtplab.rules.checkMessage(value, tables.rules)", [latin(raw) for raw in given]),
        given,
    )


def test_they_agree_about_every_charset(header_scripts: Scripts) -> None:
    high = [bytes([byte]) for byte in range(128, 256)]
    pairs = [bytes([one, other]) for one in (0x81, 0xA1, 0xC3, 0xE0, 0xFE) for other in range(0x30, 0x100, 7)]
    given = []
    for charset in [*FORMS, "no-such-charset"]:
        for data in [*high[::5], *pairs[::9]]:
            word = "".join(f"={byte:02X}" for byte in data)
            given.append(f"Subject: =?{charset}?Q?{word}?=\r\n\r\n".encode())
    expected = [msgspec.to_builtins(check_message(raw)) for raw in given]
    same(
        expected,
        header_scripts.ask("smtplab.rules.checkMessage(value, tables.rules)", [latin(raw) for raw in given]),
        given,
    )

"""What browsers supply to the header scripts in a way of their own: charsets, names of domains, regular expressions.

Two differences are known. How a domain beyond ASCII is written is a hint that the browser takes from its own tables and
the program from another library's. And text in an old charset is decoded by the browser's tables here and by Python's
there: those of several bytes differ in a few characters, the code pages of DOS no browser knows, and bytes that a code
page of Windows leaves unassigned are controls to a browser. Whether bytes are whole characters is judged alike.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from grader.formats.message import check_message
from grader.formats.message.charsets import FORMS, fits
from grader.lesson.analyser import analyse
from grader.lesson.analyser.encoded import decode_words
from grader.lesson.composer import compose
from tests import browser as browsing
from tests.lesson.hostile import form, many, message

pytestmark = pytest.mark.browser

SEVERAL = {"gb18030", "big5", "shift_jis", "euc-jp", "euc-kr", "utf-16", "utf-32", "escaped", "utf-8"}
"""Forms of charsets whose characters have several bytes."""
DOS = re.compile("ibm|cp[48]")
UKRAINIAN = {0xAE, 0xBE}
"""Where the browsers' table is KOI8-RU's."""
_HINT = re.compile(r"(is written as its A-label)(?:, [^ ]*)?\.$")


def ask(page: Any, call: str, given: list[Any]) -> list[Any]:
    """What a call gives for each value; as JSON both ways, so that halves of characters get through."""
    script = f"return JSON.stringify(JSON.parse(arguments[0]).map(value => {call}))"
    answered: list[Any] = json.loads(page.execute_script(script, json.dumps(given)))
    return answered


def same(expected: list[Any], actual: list[Any], given: list[Any]) -> None:
    for want, got, value in zip(expected, actual, given, strict=True):
        assert got == want, value


@pytest.fixture(scope="module")
def analyser(site: Path, browser: Any) -> Any:
    return browsing.show(browser, (site / "header-analyser.html").as_uri())


def test_a_browser_analyses_as_the_program_does(analyser: Any) -> None:
    given = many(message, 150)
    latin = [raw.decode("latin-1") for raw in given]
    rules = [msgspec.to_builtins(check_message(raw)) for raw in given]
    same(rules, ask(analyser, "smtplab.rules.checkMessage(value, smtplab.data().rules)", latin), given)
    found = [msgspec.to_builtins(analyse(raw, "elsewhere.example")) for raw in given]
    same(found, ask(analyser, "smtplab.analyse(value, smtplab.data(), 'elsewhere.example')", latin), given)


def test_a_browser_knows_the_charsets_of_one_byte(analyser: Any) -> None:
    given = [
        f"=?{charset}?Q?={byte:02X}?="
        for charset, form_ in FORMS.items()
        for byte in range(128, 256)
        if form_ not in SEVERAL and not DOS.match(charset) and fits(bytes([byte]), charset)
        if charset != "koi8-u" or byte not in UKRAINIAN
    ]
    expected = [decode_words(text) for text in given]
    actual = ask(analyser, "smtplab.words.decodeWords(value)", given)
    assigned = [
        (want, got, text)
        for want, got, text in zip(expected, actual, given, strict=True)
        if not want.startswith("\\x")
    ]
    assert len(assigned) > 3500
    assert [(want, got, text) for want, got, text in assigned if want != got] == []


def test_a_browser_builds_as_the_program_does(site: Path, browser: Any) -> None:
    builder = browsing.show(browser, (site / "header-builder.html").as_uri())
    given, expected = many(form, 150), []
    for values in given:
        draft = msgspec.to_builtins(compose(values), builtin_types=[bytes])
        draft["message"] = None if draft["message"] is None else draft["message"].decode("latin-1")
        expected.append(_plain(draft))
    actual = ask(builder, "smtplab.compose(value, smtplab.data())", given)
    same(expected, [_plain(draft) for draft in actual], given)


def _plain(draft: dict[str, Any]) -> dict[str, Any]:
    """A draft as JSON without the hints that are known to differ."""
    for complaint in draft["complaints"]:
        complaint["sentence"] = _HINT.sub(r"\1.", complaint["sentence"])
    return draft

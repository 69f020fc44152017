"""The page's scripts and the program say the same of the same: builder, rules and analyser, byte for byte.

Two differences are known. How a domain beyond ASCII is written is a hint that the browser takes from its own tables and
the program from another library's. And text in an old charset of several bytes is decoded by the browser's tables here
and by Python's there, which differ in a few characters; whether such bytes are whole characters is judged alike.
"""

from __future__ import annotations

import json
import re
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
from grader.lesson.site import PAGES
from tests import browser as browsing
from tests.lesson.hostile import form, good_form, many, message

pytestmark = pytest.mark.browser

_HINT = re.compile(r"(is written as its A-label)(?:, [^ ]*)?\.$")


@pytest.fixture(scope="module")
def page(site: Any, browser: Any) -> Any:
    """A page with the builder's and the analyser's scripts."""
    assert {"header-builder", "header-analyser"} <= {page.name for page in PAGES}
    browsing.show(browser, (site / "header-builder.html").as_uri())
    builder = browser.find_element("id", "data").get_attribute("textContent")
    scripts = browser.execute_script("return Array.from(document.scripts, one => one.textContent)")
    browsing.show(browser, (site / "header-analyser.html").as_uri())
    # Both pages' scripts in one page; the driver runs them beside the page's policy.
    for script in scripts:
        if "smtplab.compose =" in script or "smtplab.folding =" in script or "smtplab.typed =" in script:
            browser.execute_script(script)
        if "smtplab.body =" in script:
            browser.execute_script(script)
    browser.execute_script(
        "window.tables = Object.assign(smtplab.data(), JSON.parse(arguments[0]));", builder
    )
    browser.execute_script(
        "const own = JSON.parse(document.getElementById('data').textContent);"
        "window.tables = Object.assign(own, {fields: tables.fields, faults: tables.faults, notes: tables.notes});"
    )
    return browser


def ask(page: Any, call: str, given: list[Any]) -> list[Any]:
    """What a call gives for each value; as JSON both ways, so that halves of characters get through."""
    script = f"return JSON.stringify(JSON.parse(arguments[0]).map(value => {call}))"
    answered: list[Any] = json.loads(page.execute_script(script, json.dumps(given)))
    return answered


def latin(raw: bytes) -> str:
    return raw.decode("latin-1")


def same(expected: list[Any], actual: list[Any], given: list[Any]) -> None:
    for want, got, value in zip(expected, actual, given, strict=True):
        assert got == want, value


def plain(draft: dict[str, Any]) -> dict[str, Any]:
    """A draft as JSON without the hints that are known to differ."""
    for complaint in draft["complaints"]:
        complaint["sentence"] = _HINT.sub(r"\1.", complaint["sentence"])
    return draft


def test_the_builders_make_the_same_bytes_and_complaints(page: Any) -> None:
    given, expected = many(form, 300) + many(good_form, 500), []
    for values in given:
        draft = msgspec.to_builtins(compose(values), builtin_types=[bytes])
        draft["message"] = None if draft["message"] is None else latin(draft["message"])
        expected.append(plain(draft))
    assert 400 < sum(draft["message"] is not None for draft in expected) < len(given)
    same(expected, [plain(draft) for draft in ask(page, "smtplab.compose(value, tables)", given)], given)


@pytest.mark.parametrize("smtputf8", [False, True])
def test_the_rules_find_the_same_faults(page: Any, smtputf8: bool) -> None:
    given = many(message, 600)
    expected = [msgspec.to_builtins(check_message(raw, smtputf8=smtputf8)) for raw in given]
    call = f"smtplab.rules.checkMessage(value, tables.rules, {json.dumps(smtputf8)})"
    same(expected, ask(page, call, [latin(raw) for raw in given]), given)


@pytest.mark.parametrize("own", ["", "elsewhere.example", "mail.example.co.uk"])
def test_the_analysers_see_the_same(page: Any, own: str) -> None:
    given = many(message, 400)
    expected = [msgspec.to_builtins(analyse(raw, own)) for raw in given]
    call = f"smtplab.analyse(value, tables, {json.dumps(own)})"
    same(expected, ask(page, call, [latin(raw) for raw in given]), given)


def test_they_agree_about_every_example(page: Any) -> None:
    known = library()
    given = [assemble(known.sample, rule.wrong, rule.without) for rule in known.rules.values()]
    given += [assemble(known.sample, rule.right) for rule in known.rules.values()]
    given += [example.raw for example in examples()]
    expected = [msgspec.to_builtins(check_message(raw)) for raw in given]
    assert sum(map(len, expected)) > 50
    same(
        expected,
        ask(page, "smtplab.rules.checkMessage(value, tables.rules)", [latin(raw) for raw in given]),
        given,
    )


def test_they_agree_about_every_charset(page: Any) -> None:
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
        ask(page, "smtplab.rules.checkMessage(value, tables.rules)", [latin(raw) for raw in given]),
        given,
    )

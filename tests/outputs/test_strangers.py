"""Whatever strangers write, and wherever it stands: each output is what its reader expects, and obeys nobody."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from random import Random
from typing import Any
from xml.etree import ElementTree

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

from grader import outputs
from grader.kinds.server.facts import ServerEvidence
from grader.model.result import Result
from grader.outputs import classscreen, terminal
from tests.conftest import examples
from tests.display.test_text import NASTY
from tests.outputs.cases import case

FIXED = {
    "raw",
    "status",
    "stage",
    "who",
    "place",
    "kind",
    "schema",
    "id",
    "because",
    "at",
    "started",
    "pattern",
    "code",
    "control",
    "needs",
    "visibility",
}
"""Fields whose values are words of smtplab's own, or that texts refer to by."""
MOST = 60
"""Texts of a document that are replaced."""
SGR = re.compile(r"\x1b\[[0-9;]*m")
COMMAND = re.compile(r"^\s*::(?!\d|ffff:\d)|##(\w*)\[", re.MULTILINE)
ATTACKS = (
    "</script><script>alert(1)</script>", "'\"><img src=x onerror=alert(1)>", "]]><x>", "&#60;script&#62;",
    "javascript:alert(1)", "\n::error::x", "##vso[task.complete]", "##[error]x", "=cmd|'/C calc'!A0",
    "\t=1+1", "\x1b]0;x\x07", "\x9b31m", "\u202e", "\r", "[[ATTACHMENT|/etc/passwd]]", "\ufffe", "\ud800",
    "{{ 7*7 }}", "[bold]x[/bold]", "-" * 400, "\U000e0001", "\x00", "\x85", "\u2028::warning::x",
)  # fmt: skip


@st.composite
def attacked(draw: st.DrawFn) -> tuple[Result, ServerEvidence]:
    """A result and its evidence in which many of the texts are strangers'."""
    texts = draw(st.lists(st.one_of(NASTY, st.sampled_from(ATTACKS)), min_size=3, max_size=12))
    chance = draw(st.randoms(use_true_random=False))
    result, evidence = case("broken")
    made = [_replaced(chance, value, texts) for value in (result, evidence)]
    return msgspec.convert(made[0], Result), msgspec.convert(made[1], ServerEvidence)


def _replaced(chance: Random, document: Any, texts: list[str]) -> Any:
    places: list[tuple[Any, Any]] = []
    plain = msgspec.to_builtins(document)
    _gather(plain, places)
    for place, key in chance.sample(places, min(MOST, len(places))):
        place[key] = chance.choice(texts)
    return plain


def _gather(value: Any, places: list[tuple[Any, Any]]) -> None:
    """Every text that a stranger may have written, by what holds it and its key there."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, one in list(inner):
        if key in FIXED or (key in ("lab", "checks") and isinstance(value, dict) and "facts" in value):
            continue
        if key == "lines":
            # Of a session: when, who, and the text.
            value[key] = [list(line) for line in one]
            places += [(line, 2) for line in value[key]]
        elif isinstance(one, str):
            places.append((value, key))
        elif isinstance(one, dict | list):
            _gather(one, places)


@settings(max_examples=examples(25))
@given(attacked())
def test_a_terminal_shows_and_obeys_nothing(attack: tuple[Result, ServerEvidence]) -> None:
    for encoding in ("utf-8", "ascii"):
        raw = io.BytesIO()
        file = io.TextIOWrapper(raw, encoding=encoding, newline="")
        terminal.show(*attack, verbose=True, file=file, width=80, color=True)
        classscreen.show_class([attack[0]], file=file, width=80)
        shown = SGR.sub("", raw.getvalue().decode(encoding))
        odd = {char for char in shown if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")} - {
            "\n"
        }
        assert odd == set()
        assert not COMMAND.search(shown)


@settings(max_examples=examples(15))
@given(attacked())
def test_a_page_holds_no_element_of_a_strangers(attack: tuple[Result, ServerEvidence]) -> None:
    written = outputs.html(*attack)
    root: Any = html.document_fromstring(written)
    assert not root.xpath(
        "//img | //iframe | //object | //embed | //link | //base | //form | //input | //x | //svg"
    )
    assert not root.xpath("//@*[starts-with(name(), 'on')] | //@style | //@src")
    assert len(root.xpath("//script")) == len(root.xpath("//style")) == 1
    assert all(re.match(r"#|https://www\.rfc-editor\.org/rfc/rfc\d+", link) for link in root.xpath("//@href"))
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u200b\ufeff\ufffe\ud800-\udfff]", written.decode()
    )


@settings(max_examples=examples(30))
@given(attacked(), attacked())
def test_xml_json_and_csv_are_read_as_they_were_meant(
    one: tuple[Result, ServerEvidence], other: tuple[Result, ServerEvidence]
) -> None:
    results = [one[0], other[0], one[0]]
    root = ElementTree.fromstring(outputs.junit(results))
    assert len(root.findall("testsuite")) == len(results)
    assert len(root.findall(".//testcase")) == sum(len(result.checks) for result in results)
    for value, type_ in ((one[0], Result), (one[1], ServerEvidence)):
        written = outputs.document(value)
        msgspec.json.decode(written, type=type_)
        assert not any(byte < 0x20 and byte != 0x0A for byte in written)
    table = list(csv.reader(io.StringIO(outputs.gradebook_csv(results).decode(), newline="")))
    assert len(table) == len(results) + 1
    assert all(len(line) == len(table[0]) for line in table)
    assert not [
        cell for line in table for cell in line if re.match(r"[\s\"]*[=+@\uff1d\uff0b\uff20]|-[^\d]", cell)
    ]


@settings(max_examples=examples(12))
@given(attacked())
def test_every_format_has_a_document_that_its_kind_of_reader_reads(
    attack: tuple[Result, ServerEvidence],
) -> None:
    for kind in outputs.FORMATS.values():
        made = [kind.one(*attack)] if kind.one else []
        made += [kind.many([attack[0], attack[0]])] if kind.many else []
        for document in made:
            text = document.decode()
            if kind.file.endswith((".json", ".sarif")):
                json.loads(text)
            if kind.file.endswith(".xml"):
                ElementTree.fromstring(text)

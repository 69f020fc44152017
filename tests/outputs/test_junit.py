"""JUnit XML is accepted by every reader, whatever a student's server said."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from junitparser import Error, Failure, JUnitXml, Skipped
from msgspec.structs import replace

from grader import outputs
from grader.model.result import Result
from tests.display.test_text import NASTY
from tests.outputs.cases import STORIES, case
from tests.outputs.samples import check, result


@cache
def schemas() -> list[Any]:
    """What strict readers hold a document to. Each worker collects this file, and few run its tests."""
    import xmlschema

    return [
        xmlschema.XMLSchema(str(Path(__file__).parent / "schemas" / name))
        for name in ("jenkins.xsd", "ant.xsd")
    ]


def valid(data: bytes) -> ElementTree.Element:
    root = ElementTree.fromstring(data)
    for schema in schemas():
        schema.validate(root)
    return root


@pytest.mark.parametrize("name", STORIES)
def test_strict_readers_take_every_case(name: str) -> None:
    valid(outputs.junit([case(name)[0]]))


def test_strict_readers_take_a_class() -> None:
    root = valid(outputs.junit(case(name)[0] for name in STORIES))
    assert [suite.get("id") for suite in root] == [str(number) for number in range(len(STORIES))]


def test_a_class_takes_the_room_of_its_text() -> None:
    one = case("broken")[0]
    outputs.junit([one])
    tracemalloc.start()
    try:
        data = outputs.junit(replace(one, student=f"s{number}") for number in range(60))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(valid(data)) == 60
    assert peak < 2.5 * len(data)


def test_a_class_of_nobody_is_a_document() -> None:
    assert len(valid(outputs.junit([]))) == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'errors="0"', b'errors="0" disabled="0"'),
        (b'time="0.412"', b'time="1e-05"'),
        (b"<testcase ", b'<testcase status="ok" '),
    ],
)
def test_the_schemas_refuse_what_strict_readers_refuse(old: bytes, new: bytes) -> None:
    data = outputs.junit([case("broken")[0]])
    assert old in data
    for schema in schemas():
        assert not schema.is_valid(ElementTree.fromstring(data.replace(old, new)))


def test_each_status_is_what_readers_make_of_it() -> None:
    results = [result([check("starts", status) for status in ("pass", "fail", "skipped", "error", "manual")])]
    suite = next(iter(JUnitXml.fromstring(outputs.junit(results))))
    kinds = [type(entry.result[0]) if entry.result else None for entry in suite]
    assert kinds == [None, Failure, Skipped, Error, Skipped]
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (5, 1, 1, 2)


def test_what_was_refused_shows_red_and_says_why() -> None:
    [suite] = JUnitXml.fromstring(outputs.junit([case("refused")[0]]))
    assert (suite.failures, suite.skipped, suite.tests) == (1, 8, 9)
    [failure] = next(iter(suite)).result
    assert (failure.type, "holds no main.cf" in failure.message) == ("refused", True)


def test_a_failure_has_text_and_a_type_even_if_nothing_was_said() -> None:
    bare = check("starts", "fail", title="", why="", observed="", code="", references=[])
    failure = valid(outputs.junit([result([bare])])).find(".//failure")
    assert failure is not None
    assert (failure.text or "").strip()
    assert failure.get("type")


def test_points_stand_in_the_suite() -> None:
    root = valid(outputs.junit([case("broken")[0]]))
    found = {p.get("name"): p.get("value") for p in root.iter("property")}
    assert found["score"] == "45"
    assert found["max_score"] == "100"
    assert found["points:open-relay/stranger"] == "0/25"


def test_no_case_hides_another() -> None:
    hostile = case("hostile")[0]
    root = valid(outputs.junit([hostile, hostile, replace(hostile, student="=cmd|' /C calc'!A0 (2)")]))
    names = Counter((c.get("classname"), c.get("name")) for c in root.iter("testcase"))
    assert len(names) == 3 * len(hostile.checks)


def test_a_banner_keeps_its_control_characters_readable() -> None:
    said = "“220 \x1b[31mhi\x00 ]]> \ufffe \udcff” [[ATTACHMENT|/etc/shadow]]"
    failure = valid(outputs.junit([result([check("starts", "fail", observed=said)])])).find(".//failure")
    assert failure is not None
    assert "“220 \\x1b[31mhi\\x00 ]]> \\ufffe \\xff” [ [ATTACHMENT|/etc/shadow]]" in (failure.text or "")


@given(
    texts=st.lists(NASTY, min_size=8, max_size=8),
    duration=st.floats(0, 1e9),
    status=st.sampled_from(["pass", "fail", "skipped", "error", "manual"]),
)
def test_any_text_anywhere(texts: list[str], duration: float, status: Any) -> None:
    code, title, observed, because, student, lab, notes, started = texts
    attacked = check(
        "starts", status, code=code, title=title, observed=observed, because=because, remarks=[notes]
    )
    graded: Result = result(
        [attacked, attacked],
        student=student,
        lab=lab,
        notes=[notes],
        started=started,
        duration=duration,
        error=notes,
    )
    root = valid(outputs.junit([graded, graded]))
    assert len(root.findall(".//testcase")) == 4

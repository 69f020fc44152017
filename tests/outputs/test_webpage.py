"""The HTML report: whole, inert, and small."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from typing import Any

import pytest
from lxml import html
from msgspec.structs import replace

from grader import outputs
from grader.outputs.webpage import environment
from tests.outputs.attacks import HOSTILE
from tests.outputs.cases import STORIES, case
from tests.outputs.samples import broken, check, result


def parsed(document: bytes | str) -> Any:
    return html.document_fromstring(document)


def page(name: str) -> Any:
    return parsed(outputs.html(*case(name)))


@pytest.mark.parametrize("name", STORIES)
def test_nothing_is_loaded_and_nothing_inline_runs(name: str) -> None:
    written = outputs.html(*case(name))
    root = parsed(written)
    assert not root.xpath("//*[@src or @srcset or @style or @background or @poster or @data]")
    assert not root.xpath(
        "//link | //iframe | //object | //embed | //img | //base | //form | //input | //svg"
    )
    assert not root.xpath("//@*[starts-with(name(), 'on')]")
    assert all(re.match(r"#|https://www\.rfc-editor\.org/rfc/rfc\d+", link) for link in root.xpath("//@href"))
    assert len(root.xpath("//script")) == len(root.xpath("//style")) == 1
    policy = root.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
    assert policy.startswith("default-src 'none'; ")
    for tag in ("style", "script"):
        text = re.search(f"<{tag}>(.*?)</{tag}>".encode(), written, re.DOTALL)
        assert text is not None
        digest = base64.b64encode(hashlib.sha256(text[1]).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


def test_no_template_is_compiled_twice() -> None:
    # A report on signatures takes more templates than a small cache holds, and would compile each one again.
    templates = environment(None)
    known = {name: templates.get_template(name) for name in templates.list_templates(extensions=["j2"])}
    assert all(templates.get_template(name) is template for name, template in known.items())


@pytest.mark.parametrize("name", STORIES)
def test_every_link_inside_has_a_target_and_every_anchor_is_one(name: str) -> None:
    root = page(name)
    ids = root.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in root.xpath("//@href") if link.startswith("#")} <= set(ids)


def test_strangers_text_stays_text() -> None:
    written = outputs.html(*case("hostile")).decode()
    root = parsed(written)
    assert "<script>alert(1)" not in written
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u200b\ufeff\ufffe]", written)
    assert "\\x1b[2J\\x1b[31mPASS 100/100\\x07 \\x00 ]]> \\ufffe \\u202egnp.exe" in root.text_content()
    assert "{{ 7*7 }} {% raw %}" in root.text_content()
    assert HOSTILE not in root.text_content()


def test_lone_surrogates_are_shown() -> None:
    written = outputs.html(result([check("starts", "fail", observed="caf\udce9 \ud83d")]))
    assert b"caf\\xe9 \\ud83d" in written


def test_failures_are_open_and_the_rest_is_folded() -> None:
    found = page("broken").xpath("//details[contains(@class, 'check')]")
    assert [("fail" in one.get("class"), one.get("open") is not None) for one in found] == [
        *[(True, True)] * 2,
        *[(False, False)] * 6,
    ]
    assert found[0].get("id") == "open-relay/stranger"


def test_the_four_fields_the_hints_and_the_decisive_line() -> None:
    failure = page("broken").get_element_by_id("open-relay/stranger")
    assert [term.text for term in failure.xpath(".//dl[@class='feedback']//dt")] == [
        "Expected",
        "Observed",
        "Why",
        "Hint",
        "Next",
    ]
    marked = failure.xpath(".//li[contains(@class, 'decisive')]")
    assert "S: 250 2.0.0 Ok: queued as" in marked[0].text_content()
    hints = failure.xpath(".//details[@class='hint']")
    assert [hint.findtext("summary") for hint in hints] == ["A clearer hint", "A worked example"]
    assert failure.xpath(".//a[@href='https://www.rfc-editor.org/rfc/rfc5321#section-7.9']")


def test_what_a_check_points_to_has_its_line_marked_in_the_session() -> None:
    root = page("broken")
    target = root.get_element_by_id("session-2-25")
    assert "250 2.0.0 Ok: queued" in target.text_content()
    assert target.xpath("ancestor::details[@id='session-2']")


def test_every_session_message_and_command_is_there() -> None:
    root, evidence = page("broken"), case("broken")[1]
    ids = set(root.xpath("//@id"))
    assert {f"session-{session.id}" for session in evidence.facts.sessions} <= ids
    assert {f"message-{arrival.id}" for arrival in evidence.facts.arrivals} <= ids
    assert {"queue-0", "query-0", "command-1"} <= ids
    assert "mynetworks = 127.0.0.0/8 10.0.0.0/8" in root.text_content()


def test_an_error_of_the_grader_costs_nothing() -> None:
    text = page("grader-error").text_content()
    assert "The grader failed, not your server" in text
    assert "This costs you no points." in text
    assert "Fix first" not in text


def test_what_was_refused_says_why_and_shows_no_points() -> None:
    text = page("refused").text_content()
    assert "holds no main.cf" in text
    assert "not graded" in text
    assert "0 of 100" not in text


def test_a_result_without_its_evidence() -> None:
    root = parsed(outputs.html(case("broken")[0]))
    assert "What happened" not in root.text_content()
    assert root.get_element_by_id("open-relay/stranger") is not None


def test_a_real_run_makes_a_small_file() -> None:
    assert len(outputs.html(*broken(150))) < 600_000


@pytest.mark.slow
def test_a_flood_is_counted_and_not_kept() -> None:
    graded, evidence = broken(2000)
    flood = [*evidence.facts.log, *(f"line {n} " + "x" * 5000 for n in range(3000))]
    evidence = replace(evidence, facts=replace(evidence.facts, log=flood))
    began = time.perf_counter()
    written = outputs.html(graded, evidence)
    assert len(written) < 2_000_000
    assert b"more lines in the evidence document" in written
    assert time.perf_counter() - began < 20

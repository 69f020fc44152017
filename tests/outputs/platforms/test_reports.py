"""Formats that show a result without recording a grade: JUnit's dialects, CTRF, SARIF and Markdown.

The golden documents beside this file were given to their consumers outside the project: validated by the schemas of
CTRF (``check-jsonschema --schemafile ctrf.schema.json ctrf.json``) and of SARIF (``check-jsonschema
--default-filetype json --schemafile sarif-schema-2.1.0.json result.sarif``, the schema being OASIS's); read by
junitparser, by the steps of GitLab's parser (``Gitlab::Ci::Parsers::Test::Junit``) and by those of Artemis's
(``TestResultXmlParser``), both written down from their source in their language and on their libraries (Ruby with
ActiveSupport and Nokogiri, Java with Jackson); rendered by cmark-gfm, GitHub's own, with raw HTML let through: it
made no element but those listed here.
"""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree

import markdown_it
import pytest
from lxml import html
from msgspec.structs import replace

from grader import outputs
from grader.model.diagnostic import FilePlace, Span
from grader.model.evidence import AnyEvidence
from grader.model.result import Result
from tests.outputs.cases import STORIES, case
from tests.outputs.platforms.samples import ATTACK, attacked, failed, of_a_zone
from tests.outputs.samples import check, result

DIALECTS = ("junit", "junit-gitlab", "junit-github", "junit-artemis")


def one(name: str, graded: Result, evidence: AnyEvidence | None = None) -> bytes:
    render = outputs.FORMATS[name].one
    assert render is not None
    return render(graded, evidence)


def many(name: str, results: list[Result]) -> bytes:
    render = outputs.FORMATS[name].many
    assert render is not None
    return render(iter(results))


def suites(data: bytes) -> list[ElementTree.Element]:
    return ElementTree.fromstring(data).findall("testsuite")


@pytest.mark.parametrize("name", DIALECTS)
def test_points_are_seen_in_every_dialect(name: str) -> None:
    (suite,) = suites(one(name, case("broken")[0]))
    failure = next(each for each in suite.iter("testcase") if "stranger" in (each.get("name") or ""))
    assert "0 of 25 points" in (failure.findtext("failure") or "")
    if name in ("junit-gitlab", "junit-github"):
        assert (failure.get("name") or "").endswith("[25 points]")


@pytest.mark.parametrize("name", DIALECTS[:3])
def test_a_dot_in_a_student_s_id_cuts_no_name(name: str) -> None:
    results = [replace(case("broken")[0], student=student) for student in ("anna.muster", "bert.muster")]
    shown = {
        (each.get("classname") or "").rpartition(".")[2]
        for each in ElementTree.fromstring(many(name, results)).iter("testcase")
    }
    assert shown == {"anna_muster", "bert_muster"}
    properties = [
        each.get("value")
        for each in ElementTree.fromstring(many(name, results)).iter("property")
        if each.get("name") == "student"
    ]
    assert properties == ["anna.muster", "bert.muster"]


@pytest.mark.parametrize("name", DIALECTS[:3])
def test_students_whose_ids_differ_in_dots_alone_stay_apart(name: str) -> None:
    results = [replace(case("broken")[0], student=student) for student in ("a.b", "a_b")]
    assert (
        len({each.get("classname") for each in ElementTree.fromstring(many(name, results)).iter("testcase")})
        == 2
    )


@pytest.mark.parametrize("name", ["junit-gitlab", "junit-github"])
def test_a_case_says_where_in_the_files_it_points_to(name: str) -> None:
    (suite,) = suites(one(name, *of_a_zone()))
    places = {(each.get("file"), each.get("line")) for each in suite.iter("testcase")}
    assert ("example.com.zone", "8") in places


def test_gitlab_gets_what_it_shows_and_no_attachment_of_a_stranger_s() -> None:
    """The failure's text and the case's own output; ``[[ATTACHMENT|`` in the latter is a file to offer."""
    data = one("junit-gitlab", attacked())
    assert b"[[ATTACHMENT" not in data
    (suite,) = suites(data)
    assert all((each.findtext("system-out") or "").strip() for each in suite.iter("testcase"))


def test_artemis_reads_names_that_are_the_same_for_all_and_feedback_as_text() -> None:
    """``TestResultXmlParser``: where a failure has a message, nothing else is shown; skipped cases do not exist."""
    cases = {
        each.get("name"): each
        for each in ElementTree.fromstring(one("junit-artemis", case("broken")[0])).iter("testcase")
    }
    assert list(cases) == [
        "starts",
        "local",
        "unknown",
        "office",
        "login",
        "stranger",
        "allow-lists",
        "leaks",
    ]
    failure = cases["stranger"].find("failure")
    assert failure is not None
    assert failure.get("message") is None
    assert "Expected: No message that a stranger" in (failure.text or "")
    assert "Next: Let mynetworks name" in (failure.text or "")
    assert "open-relay/stranger failed" in (cases["allow-lists"].findtext("failure") or "")
    assert cases["login"].find("skipped") is not None


def test_what_the_grader_failed_at_does_not_exist_for_artemis() -> None:
    cases = ElementTree.fromstring(one("junit-artemis", case("grader-error")[0])).iter("testcase")
    assert all(each.find("skipped") is not None for each in cases)


def test_what_was_refused_fails_in_artemis_with_its_reason() -> None:
    cases = list(ElementTree.fromstring(one("junit-artemis", case("refused")[0])).iter("testcase"))
    assert len(cases) == len(case("refused")[0].checks)
    assert all("holds no main.cf" in (each.findtext("failure") or "") for each in cases)


@pytest.mark.parametrize("graded", [attacked(), failed()], ids=["attacked", "failed"])
def test_the_common_test_report_is_of_its_form(graded: Result) -> None:
    """The rules of ``ctrf.schema.json``, by which the documents were validated outside the project."""
    for data in (one("ctrf", graded), many("ctrf", [graded, graded])):
        document = json.loads(data)
        assert set(document) == {"reportFormat", "specVersion", "results"}
        assert re.fullmatch(r"\d+\.\d+\.\d+", document["specVersion"])
        found: dict[str, Any] = document["results"]
        assert set(found) == {"tool", "summary", "tests"}
        counts = {key: found["summary"][key] for key in ("passed", "failed", "skipped", "pending", "other")}
        assert sum(counts.values()) == found["summary"]["tests"] == len(found["tests"])
        assert all(isinstance(found["summary"][key], int) for key in ("start", "stop"))
        for test in found["tests"]:
            assert test["name"]
            assert test["status"] in counts
            assert set(test) <= {
                "name", "status", "rawStatus", "duration", "suite", "message", "trace", "filePath", "line",
                "tags", "extra",
            }  # fmt: skip
        assert counts["other"] == sum(each["rawStatus"] == "error" for each in found["tests"])


def test_no_score_stands_in_the_common_report_where_the_grader_failed() -> None:
    scores = json.loads(many("ctrf", [attacked(), failed()]))["results"]["summary"]["extra"]["results"]
    assert [score["score"] for score in scores] == [15, None]


def test_a_finding_of_sarif_stands_at_its_characters() -> None:
    (run,) = json.loads(one("sarif", *of_a_zone()))["runs"]
    regions = [finding["locations"][0]["physicalLocation"].get("region") for finding in run["results"]]
    assert {"startLine": 8, "startColumn": 18, "endColumn": 35} in regions
    assert {
        finding["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for finding in run["results"]
    } == {"example.com.zone"}
    for finding in run["results"]:
        assert run["tool"]["driver"]["rules"][finding["ruleIndex"]]["id"] == finding["ruleId"]
    assert run["invocations"][0]["executionSuccessful"] is True


def test_a_failure_of_the_grader_is_no_finding() -> None:
    (run,) = json.loads(one("sarif", case("grader-error")[0]))["runs"]
    assert run["results"] == []
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    assert [each["message"]["text"] for each in invocation["toolExecutionNotifications"]] == [
        "the image could not be unpacked: the disk is full; free 400 MB in /var/cache and run again"
    ]
    assert invocation["properties"]["score"] is None


def test_no_message_of_sarif_has_a_link_of_a_stranger_s() -> None:
    messages = re.findall(r'"text": "(.*)"', one("sarif", attacked()).decode())
    assert messages
    assert not [text for text in messages if "](" in text]


def rendered(data: bytes) -> Any:
    """As a reader of GitHub's Markdown shows it."""
    return html.document_fromstring(
        markdown_it.MarkdownIt("commonmark").enable("table").render(data.decode())
    )


@pytest.mark.parametrize("graded", [attacked(), failed()], ids=["attacked", "failed"])
@pytest.mark.parametrize("name", ["markdown", "github-summary"])
def test_strangers_text_is_text_in_markdown(name: str, graded: Result) -> None:
    root = rendered(one(name, graded))
    tags = {element.tag for element in root.iter()}
    assert tags <= {
        "html", "body", "h1", "h2", "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "pre", "code",
    }  # fmt: skip
    (table,) = root.iter("table")
    assert len(list(table.iter("tr"))) == 1 + len(graded.checks)
    assert all(len(row) == 3 for row in table.iter("tr"))
    shown = [code.text for code in root.iter("code")]
    assert any("`a role <http://attacker.example>`_ |substitution|" in (text or "") for text in shown)


def test_a_class_in_markdown_has_a_line_a_student() -> None:
    results = [replace(case(name)[0], student=f"{name} | {ATTACK}") for name in STORIES]
    root = rendered(many("markdown", results))
    rows = list(root.iter("tr"))
    assert len(rows) == 1 + len(results)
    assert {len(row) for row in rows} == {4}
    scores = {row[0].text.partition(" ")[0]: row[1].text for row in rows[1:]}
    assert scores["broken"] == "45"
    assert scores["grader-error"] is None


def test_a_result_without_checks_has_a_document_in_every_format() -> None:
    for kind in outputs.FORMATS.values():
        if kind.one and not kind.of_evidence:
            assert kind.one(result([]), None)
        if kind.many:
            assert kind.many([result([check("starts")])])


def test_a_failure_that_comes_of_a_line_handed_in_is_shown_beside_it() -> None:
    """Without the evidence too, of which the place was made."""
    graded = result([check("starts", "fail", place=FilePlace("main.cf", Span(15, 0, 0)))])
    (found,) = json.loads(one("sarif", graded))["runs"][0]["results"]
    assert found["locations"] == [
        {"physicalLocation": {"artifactLocation": {"uri": "main.cf"}, "region": {"startLine": 16}}}
    ]
    assert "::error file=main.cf,line=16,title=" in one("github-annotations", graded).decode()
    case_ = ElementTree.fromstring(one("junit-gitlab", graded)).find(".//testcase[failure]")
    assert case_ is not None
    assert case_.get("file") == "main.cf"
    assert json.loads(one("ctrf", graded))["results"]["tests"][0]["filePath"] == "main.cf"

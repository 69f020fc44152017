"""What platforms make of a document: the rules by which each reads it, written again for these tests.

None is a copy of a platform's code. Each function gives the grade that the platform would record, as a part of 1, or
``None`` where it records none; a document that the platform would refuse fails an assertion.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import docutils.core
import docutils.nodes

from tests.outputs.samples import check

FORMATS_OF_TEXT = {"text", "html", "simple_format", "md", "ansi"}
VISIBILITIES = {"hidden", "after_due_date", "after_published", "visible"}
MOST = sum(check(code).max_points for code in ("starts", "stranger", "allow-lists", "leaks", "login"))
"""Points of ``samples.attacked``."""


def gradescope(data: bytes) -> float | None:
    """The page on specifications of Gradescope's autograders: the score on top comes before the tests' sum."""
    document = json.loads(data)
    assert {document[f"{of}output_format"] for of in ("", "test_")} | {document["test_name_format"]} == {
        "text"
    }
    assert document["stdout_visibility"] in VISIBILITIES
    for test in document["tests"]:
        assert set(test) <= {
            "score", "max_score", "status", "name", "name_format", "number", "output", "output_format", "tags",
            "visibility", "extra_data",
        }  # fmt: skip
        assert test.get("status") in (None, "passed", "failed")
        assert test["visibility"] in VISIBILITIES
        assert "\n" not in test["name"]
        assert ("score" in test) == ("max_score" in test)
    given = [test["score"] for test in document["tests"] if "score" in test]
    score = document.get("score", sum(given) if given else None)
    assert score is None or score == sum(given)
    return None if score is None else score / MOST


def prairielearn(data: bytes) -> float | None:
    """``processGradingResult``, and the element that shows results: points of one test missing hide all."""
    assert len(data) <= 1_048_576
    document = json.loads(data)
    if not document.get("gradable", True):
        assert all(isinstance(text, str) for text in document["format_errors"])
        return None
    assert 0 <= document["score"] <= 1
    assert all({"name", "points", "max_points"} <= set(test) for test in document["tests"])
    score: float = document["score"]
    return score


def autolab(data: bytes) -> float | None:
    """``parseAutoresult``: the last line, with quotation marks round every word before a colon."""
    last = data.decode().rstrip().split("\n")[-1]
    try:
        read = json.loads(re.sub("([a-zA-Z0-9]+):", r'"\1":', last))
    except ValueError:
        return None
    return float(sum(read["scores"].values())) / MOST


def submitty(data: bytes) -> float | None:
    """``custom_doit``: the score is kept within 0 and 1, of messages only so many are shown."""
    document = json.loads(data)
    assert document["status"] in ("success", "fail")
    if document["status"] == "fail":
        assert isinstance(document["message"], str)
        return None
    messages = document["data"]["message"]
    assert len(messages) <= 20
    for message in messages:
        assert set(message) == {"message", "status"}
        assert message["status"] in ("information", "failure", "warning", "success")
        assert len(message["message"]) <= 10_000
    return min(1.0, max(0.0, float(document["data"]["score"])))


def inginious(data: bytes) -> float | None:
    """The keys that its agent takes, each of its type: a grade of 100 and not 100.0 is a crash. No grade is 0.

    The text is read by docutils with raw and include directives on.
    """
    document = json.loads(data)
    types = {"result": str, "text": str, "grade": float}
    assert all(isinstance(value, types[name]) for name, value in document.items())
    assert document["result"] in ("success", "failed", "crash", "timeout", "overflow")
    settings = {"raw_enabled": True, "file_insertion_enabled": True, "report_level": 5}
    tree = docutils.core.publish_doctree(document["text"], settings_overrides=settings)
    kinds = {type(node).__name__ for node in tree.findall()}
    assert kinds <= {"document", "paragraph", "literal_block", "Text"}, kinds
    grade: float | None = document.get("grade")
    return None if grade is None else grade / 100


def vpl(data: bytes) -> float | None:
    """``find_proposedgrade``: the last line that begins so, wherever it stands."""
    text = data.decode()
    found = re.findall("^Grade :=>>(.*)$", text, re.MULTILINE)
    assert len(set(found)) <= 1
    assert re.search(r"^[ \t]*<\|--[ \t]*$", text, re.MULTILINE)
    return float(found[-1]) / MOST if found else None


def vpl_comments(data: bytes) -> list[tuple[str, str]]:
    """Titles and what each shows: lines that begin with ``-`` are titles, behind ``>`` text stands as it is."""
    found = re.search(
        r"^[ \t]*<\|--[ \t]*\n(.*?)^[ \t]*--\|>[ \t]*$", data.decode(), re.MULTILINE | re.DOTALL
    )
    assert found is not None
    comments: list[tuple[str, str]] = [("", "")]
    for line in found[1].splitlines():
        if line[:1] == "-" and len(line) > 1:
            comments.append((line[1:], ""))
        else:
            comments[-1] = (comments[-1][0], comments[-1][1] + line + "\n")
    return comments


def codegrade(data: bytes) -> float | None:
    """The step takes a number from the output, whichever of several stands there: so there is one or none."""
    found = re.findall(r"\d+(?:\.\d+)?", data.decode())
    assert len(found) <= 1
    return float(found[0]) if found else None


def xqueue(data: bytes) -> float | None:
    """``_parse_score_msg`` of Open edX: without ``score`` the reply is refused and no grade recorded."""
    document = json.loads(data)
    root = ElementTree.fromstring(document["msg"])
    assert {element.tag for element in root.iter()} <= {"div", "p", "pre"}
    assert not any(element.attrib for element in root.iter())
    if not {"correct", "score", "msg"} <= set(document):
        return None
    assert isinstance(document["correct"], bool)
    score: float = document["score"]
    return score


def classroom50(data: bytes) -> float | None:
    """The schema ``classroom50/result/v1`` and ``validate_result``, of the keys that grading decides."""
    document: dict[str, Any] = json.loads(data)
    assert set(document) == {"schema", "score", "max-score", "tests"}
    assert document["schema"] == "classroom50/result/v1"
    for one in (document, *document["tests"]):
        assert 0 <= one["score"] <= one["max-score"]
    for test in document["tests"]:
        assert isinstance(test["passed"], bool)
        assert test["test-name"]
        assert not re.search(r"[\n`<>|&\[\]*]", test["test-name"])
    return document["score"] / document["max-score"] if document["max-score"] else None


def gitlab_metrics(data: bytes) -> float | None:
    """A name and a number a line, each name once."""
    found = dict(line.split(" ") for line in data.decode().splitlines())
    assert len(found) == data.count(b"\n")
    assert all(re.fullmatch("[a-z_][a-z0-9_]*", name) for name in found)
    score = found.get("smtplab_score")
    assert (score is None) == (found["smtplab_graded"] == "0")
    return None if score is None else int(score) / int(found["smtplab_max_score"])


GRADES: dict[str, Callable[[bytes], float | None]] = {
    "gradescope": gradescope,
    "prairielearn": prairielearn,
    "autolab": autolab,
    "submitty": submitty,
    "inginious": inginious,
    "vpl": vpl,
    "codegrade": codegrade,
    "xqueue": xqueue,
    "classroom50": classroom50,
    "gitlab-metrics": gitlab_metrics,
}
"""The platforms that record a grade, by the names of their formats."""

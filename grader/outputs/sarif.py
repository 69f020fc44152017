"""SARIF 2.1.0, which editors and code hosts show beside the lines that a finding is about.

A check is a rule, a failure a result of it. That the grader failed is no result: the invocation was not successful,
and its notifications say why (section 3.20).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from grader import __version__
from grader.display.jsontext import indented
from grader.display.text import scalars
from grader.model.diagnostic import FilePlace
from grader.model.evidence import AnyEvidence
from grader.model.result import CheckResult, Result
from grader.outputs import references
from grader.outputs.evidence import EvidenceView
from grader.outputs.feedback import body, plain, preface, title

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def one(result: Result, evidence: AnyEvidence | None) -> bytes:
    """The log of one run. What passed or was skipped is no finding; what a person decides on is one to review."""
    view = EvidenceView(evidence)
    found = [
        _result(check, number, view)
        for number, check in enumerate(result.checks)
        if check.status in ("fail", "manual")
    ]
    driver = {"name": "smtplab", "version": __version__, "rules": [_rule(check) for check in result.checks]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(result)],
        "results": found,
    }
    return indented({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _invocation(result: Result) -> dict[str, Any]:
    reasons = [check.observed for check in result.checks if check.status == "error"]
    said = [*dict.fromkeys(filter(None, [result.error, *reasons]))] or ["the grader failed"]
    notified = [{"level": "error", "message": _message(plain(text))} for text in said]
    return {
        "executionSuccessful": result.final,
        **({} if result.final else {"toolExecutionNotifications": notified}),
        "properties": {"summary": preface(result), "score": result.score if result.final else None,
                       "maxScore": result.max_score},
    }  # fmt: skip


def _rule(check: CheckResult) -> dict[str, Any]:
    links = [link for link in map(references.link, check.references) if link]
    return {
        "id": plain(check.code),
        "shortDescription": _message(title(check)),
        **({"fullDescription": _message(plain(check.why))} if check.why else {}),
        **({"helpUri": links[0]} if links else {}),
        "properties": {
            "tags": list(dict.fromkeys(plain(tag) for tag in check.tags)),
            "points": check.max_points,
        },
    }


def _result(check: CheckResult, number: int, view: EvidenceView) -> dict[str, Any]:
    place = view.place(check)
    review = check.status == "manual"
    return {
        "ruleId": plain(check.code),
        "ruleIndex": number,
        "kind": "review" if review else "fail",
        "level": "none" if review else "error",
        "message": _message(f"{title(check)}\n{body(check)}".strip()),
        "locations": [] if place is None else [_location(place)],
        "partialFingerprints": {"smtplabCheck/v1": plain(check.code)},
    }


def _location(place: FilePlace) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": quote(scalars(place.file))}}
    if place.span is not None:
        physical["region"] = {"startLine": place.span.line + 1}
        if place.span.length:
            physical["region"] |= {
                "startColumn": place.span.column + 1,
                "endColumn": place.span.column + place.span.length + 1,
            }
    return {"physicalLocation": physical}


def _message(text: str) -> dict[str, str]:
    """A message in which no stranger makes a link (section 3.11.6)."""
    return {"text": text.replace("](", "] (") or "unnamed"}

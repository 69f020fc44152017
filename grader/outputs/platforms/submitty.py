"""Submitty's ``validation_results.json``, from a custom validator.

Submitty takes 20 messages of 10,000 characters. Where the grader failed, the validation has failed: Submitty has no
state that costs nothing, so it says so, gives 0 points, and staff see it among failed validations.
"""

from __future__ import annotations

from types import MappingProxyType

from grader.display.jsontext import indented
from grader.model.evidence import AnyEvidence
from grader.model.result import CheckResult, Result
from grader.outputs.feedback import WORDS, body, points, preface, share, title

MOST_MESSAGES = 20
MOST_CHARACTERS = 10_000
COLOURS = MappingProxyType(
    {"pass": "success", "fail": "failure", "skipped": "warning", "error": "warning", "manual": "information"}
)
"""What a message is shown as, by the status of its check."""


def one(result: Result, evidence: AnyEvidence | None) -> bytes:
    """The document; failures come first, and what is beyond the last message is told in it."""
    if not result.final and result.status != "refused":
        return indented({"status": "fail", "message": preface(result, 2000)[:MOST_CHARACTERS]})
    order = sorted(result.checks, key=lambda check: check.status != "fail")
    shown, rest = order[: MOST_MESSAGES - 2], order[MOST_MESSAGES - 2 :]
    messages = [{"message": preface(result, 2000)[:MOST_CHARACTERS], "status": "information"}]
    messages += [{"message": _message(check), "status": COLOURS[check.status]} for check in shown]
    if rest:
        said = "\n".join(_named(check) for check in rest)
        messages.append({"message": said[:MOST_CHARACTERS], "status": "information"})
    status = "success" if result.passed else "failure"
    return indented(
        {"status": "success", "data": {"score": share(result), "message": messages, "status": status}}
    )


def _named(check: CheckResult) -> str:
    return f"{WORDS[check.status]}: {title(check)[:500]} ({points(check)})"


def _message(check: CheckResult) -> str:
    return "\n".join(filter(None, [_named(check), body(check, 1500)]))[:MOST_CHARACTERS]

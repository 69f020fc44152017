"""Exercism's ``results.json``, version 3.

A message holds 65,535 characters, and all of it 500 kilobytes. Exercism knows passed, failed and error; what a person
decides on is left out, and where the grader failed the whole is an ``error``.
"""

from __future__ import annotations

from typing import Any

from grader.display.jsontext import indented
from grader.model.evidence import AnyEvidence
from grader.model.result import CheckResult, Result
from grader.outputs.feedback import body, fitted, plain, preface, title

MOST_CHARACTERS = 65_535
MOST_BYTES = 500_000
"""Of more, Exercism shows nothing: it ends the run."""


def one(result: Result, evidence: AnyEvidence | None) -> bytes:
    """The document. Exercism shows the first failure alone, and what is skipped comes after what it waits for."""
    return fitted(lambda longest: _document(result, longest), MOST_BYTES)


def _document(result: Result, longest: int | None) -> bytes:
    if not result.final:
        message = preface(result, longest)[:MOST_CHARACTERS]
        return indented({"version": 3, "status": "error", "message": message, "tests": []})
    judged = [check for check in result.checks if check.status != "manual"]
    passed = all(check.status == "pass" for check in judged)
    return indented(
        {
            "version": 3,
            "status": "pass" if passed else "fail",
            "tests": [_test(check, longest) for check in judged],
        }
    )


def _test(check: CheckResult, longest: int | None) -> dict[str, Any]:
    passed = check.status == "pass"
    return {
        "name": title(check),
        "status": "pass" if passed else "fail",
        "test_code": plain(check.expected, longest)[:MOST_CHARACTERS] or title(check),
        **({} if passed else {"message": body(check, longest)[:MOST_CHARACTERS] or "not as expected"}),
    }

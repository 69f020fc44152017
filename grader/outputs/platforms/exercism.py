"""Exercism's ``results.json``, version 3.

A message holds 65,535 characters. Exercism knows passed, failed and error; what a person decides on is left out, and
where the grader failed the whole is an ``error``.
"""

from __future__ import annotations

from typing import Any

from grader.display.jsontext import indented
from grader.model.evidence import AnyEvidence
from grader.model.result import CheckResult, Result
from grader.outputs.feedback import body, plain, preface, title

MOST_CHARACTERS = 65_535


def one(result: Result, evidence: AnyEvidence | None) -> bytes:
    """The document. Exercism shows the first failure alone, and what is skipped comes after what it waits for."""
    if not result.final:
        message = preface(result)[:MOST_CHARACTERS]
        return indented({"version": 3, "status": "error", "message": message, "tests": []})
    judged = [check for check in result.checks if check.status != "manual"]
    passed = all(check.status == "pass" for check in judged)
    return indented(
        {
            "version": 3,
            "status": "pass" if passed else "fail",
            "tests": [_test(check) for check in judged],
        }
    )


def _test(check: CheckResult) -> dict[str, Any]:
    passed = check.status == "pass"
    return {
        "name": title(check),
        "status": "pass" if passed else "fail",
        "test_code": plain(check.expected)[:MOST_CHARACTERS] or title(check),
        **({} if passed else {"message": body(check)[:MOST_CHARACTERS] or "not as expected"}),
    }

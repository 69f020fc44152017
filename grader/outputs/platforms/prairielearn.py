"""PrairieLearn's ``results.json``.

What the grader failed at is not gradable, which costs no attempt. PrairieLearn shows points of tests only where every
test has them, reads ANSI sequences in outputs, and takes 1 MiB.
"""

from __future__ import annotations

from typing import Any

from grader.display.jsontext import indented
from grader.model.evidence import AnyEvidence
from grader.model.result import CheckResult, Result
from grader.outputs.feedback import body, fitted, preface, share, short_code, title

MOST_BYTES = 1_048_576


def one(result: Result, evidence: AnyEvidence | None) -> bytes:
    """The document that lies at ``/grade/results/results.json``; texts are shortened until it is taken."""
    return fitted(lambda longest: _document(result, longest), MOST_BYTES)


def _document(result: Result, longest: int | None) -> bytes:
    said = preface(result, longest)
    if not result.final:
        return indented({"gradable": False, "format_errors": [said], "message": said, "tests": []})
    return indented(
        {
            "gradable": True,
            "score": share(result),
            "message": said,
            "tests": [_test(check, longest) for check in result.checks],
        }
    )


def _test(check: CheckResult, longest: int | None) -> dict[str, Any]:
    return {
        "name": title(check)[:longest] or short_code(check)[:40],
        "description": short_code(check)[:longest],
        "points": check.points,
        "max_points": check.max_points,
        "output": body(check, longest),
    }

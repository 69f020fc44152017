"""Gradescope's ``results.json``.

Every text is declared as plain, because the default of the upper output is like HTML. Where the grader failed there
is neither a score nor points of a test: Gradescope then says that the autograder failed, to staff and student.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from grader.display.jsontext import indented
from grader.model.evidence import AnyEvidence
from grader.model.result import CheckResult, Result
from grader.outputs.feedback import body, plain, preface, title

VISIBILITY = MappingProxyType({"always": "visible", "after-due": "after_due_date", "never": "hidden"})
"""Gradescope's words for when students see a test."""


def one(result: Result, evidence: AnyEvidence | None) -> bytes:
    """The document that lies at ``/autograder/results/results.json``."""
    return indented(
        {
            "output": preface(result),
            "output_format": "text",
            "test_output_format": "text",
            "test_name_format": "text",
            "stdout_visibility": "hidden",
            "visibility": "visible",
            "execution_time": round(max(0.0, result.duration), 3),
            **({"score": result.score} if result.final else {}),
            "tests": [_test(check, number, result) for number, check in enumerate(result.checks, 1)],
            "extra_data": {
                "lab": plain(result.lab),
                "lab_version": plain(result.lab_version),
                "variant": plain(result.variant),
            },
        }
    )


def _test(check: CheckResult, number: int, result: Result) -> dict[str, Any]:
    judged = check.status in ("pass", "fail", "skipped")
    points = {"score": check.points, "max_score": check.max_points}
    return {
        "name": title(check),
        "number": str(number),
        **(points if judged and result.final else {}),
        **({"status": "passed" if check.status == "pass" else "failed"} if judged else {}),
        "output": body(check),
        "tags": [plain(tag) for tag in check.tags],
        "visibility": VISIBILITY[check.visibility],
        "extra_data": {"code": plain(check.code)},
    }

"""The part of a Classroom 50 ``result.json`` that grading decides: score and tests.

An ``autograder.py`` adds what it is told in its environment (classroom, assignment, tag, links). Texts are shown in a
Markdown table in which only pipes are escaped, so names hold letters, digits and a few harmless signs. Where the
grader failed, score and most are 0 and there are no tests, as in the result that Classroom 50 itself writes for a
failure of the infrastructure.
"""

from __future__ import annotations

import re
from typing import Any

from grader.display.jsontext import indented
from grader.model.evidence import AnyEvidence
from grader.model.result import CheckResult, Result
from grader.outputs.feedback import body, short_code, title

SCHEMA = "classroom50/result/v1"
_MARKUP = re.compile(r"[^\w .,;:()@/'+-]")
"""What may mean something in a table of Markdown, or in HTML."""


def one(result: Result, evidence: AnyEvidence | None) -> bytes:
    """The part of the document."""
    return indented(
        {
            "schema": SCHEMA,
            "score": result.score if result.final else 0,
            "max-score": result.max_score if result.final else 0,
            "tests": [_test(check) for check in result.checks] if result.final else [],
        }
    )


def _test(check: CheckResult) -> dict[str, Any]:
    name = _MARKUP.sub(" ", f"{short_code(check)}: {title(check)}")
    return {
        "test-name": " ".join(name.split()) or "unnamed",
        "passed": check.status == "pass",
        "score": check.points,
        "max-score": check.max_points,
        "status": check.status,
        "output": body(check),
    }

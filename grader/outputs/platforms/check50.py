"""What check50 writes with ``--output json``, and its renderers and graders read.

A check that is neither passed nor failed is ``null``: what depends on a failure, what the grader failed at, and what
a person decides on. That is check50's own word for a check that could not be run.
"""

from __future__ import annotations

from typing import Any

from grader import __version__
from grader.display.jsontext import indented
from grader.model.evidence import AnyEvidence
from grader.model.result import CheckResult, Result
from grader.outputs.feedback import GRADER_FAILED, body, plain, preface, short_code, title


def one(result: Result, evidence: AnyEvidence | None) -> bytes:
    """The document; the slug is the lab's id."""
    return indented(
        {
            "slug": plain(result.lab),
            "results": [_result(check, result) for check in result.checks],
            "version": __version__,
        }
    )


def _result(check: CheckResult, result: Result) -> dict[str, Any]:
    passed = {"pass": True, "fail": False}.get(check.status)
    cause = (
        None
        if passed
        else {
            "rationale": _rationale(check, result),
            "help": plain("\n".join(check.unasked.values())) or None,
        }
    )
    return {
        "name": short_code(check),
        "description": title(check),
        "passed": passed,
        "log": body(check).splitlines(),
        "cause": cause,
        "data": {"points": check.points, "max_points": check.max_points},
        "dependency": plain(check.because.rpartition("/")[2]) if check.because else None,
    }


def _rationale(check: CheckResult, result: Result) -> str:
    if result.status == "refused":
        return preface(result)
    if check.status == "error":
        return f"{GRADER_FAILED} {plain(check.observed)}".strip()
    if check.status == "manual":
        return "a person decides on this check"
    return plain(check.observed) or "not as expected"

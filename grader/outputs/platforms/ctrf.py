"""The Common Test Report Format, which reporters for GitHub, Slack, Jenkins and others read.

What the grader failed at is ``other``, what a person decides on ``pending``. Points stand in ``extra``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from types import MappingProxyType
from typing import Any

from grader import __version__
from grader.display.jsontext import indented
from grader.model.evidence import AnyEvidence
from grader.model.result import CheckResult, Result
from grader.outputs.evidence import EvidenceView
from grader.outputs.feedback import body, headline, plain, title

SPECIFICATION = "1.0.0"
"""The specification's version that the document follows."""
STATUSES = MappingProxyType(
    {"pass": "passed", "fail": "failed", "skipped": "skipped", "error": "other", "manual": "pending"}
)


def one(result: Result, evidence: AnyEvidence | None) -> bytes:
    """One result, with the places in the submission's files."""
    return _document([(result, EvidenceView(evidence))])


def many(results: Iterable[Result]) -> bytes:
    """A class in one report; each test names its student in its suite."""
    return _document((result, EvidenceView(None)) for result in results)


def _document(results: Iterable[tuple[Result, EvidenceView]]) -> bytes:
    tests: list[dict[str, Any]] = []
    scores: list[dict[str, Any]] = []
    times: list[tuple[int, int]] = []
    for result, view in results:
        tests += [_test(result, check, view) for check in result.checks]
        scores.append(_score(result))
        start = milliseconds(result.started)
        times.append((start, start + round(1000 * max(0.0, result.duration))))
    counted = Counter(test["status"] for test in tests)
    summary = {
        "tests": len(tests),
        **{status: counted[status] for status in STATUSES.values()},
        "start": min((start for start, _ in times), default=0),
        "stop": max((stop for _, stop in times), default=0),
        "extra": {"results": scores},
    }
    tool = {"name": "smtplab", "version": __version__}
    return indented(
        {
            "reportFormat": "CTRF",
            "specVersion": SPECIFICATION,
            "results": {"tool": tool, "summary": summary, "tests": tests},
        }
    )


def _score(result: Result) -> dict[str, Any]:
    return {
        "lab": plain(result.lab),
        "student": None if result.student is None else plain(result.student),
        "score": result.score if result.final else None,
        "max_score": result.max_score,
        "summary": headline(result),
    }


def _test(result: Result, check: CheckResult, view: EvidenceView) -> dict[str, Any]:
    place = view.place(check) if check.status != "pass" else None
    return {
        "name": title(check),
        "status": STATUSES[check.status],
        "rawStatus": check.status,
        # Checks share the sessions of a run: none has a time of its own.
        "duration": 0,
        "suite": [plain(result.lab), *([plain(result.student)] if result.student else [])],
        **({} if check.status == "pass" else {"message": plain(check.observed), "trace": body(check)}),
        **({} if place is None else {"filePath": plain(place.file)}),
        **({"line": place.span.line + 1} if place is not None and place.span is not None else {}),
        "tags": [plain(tag) for tag in check.tags],
        "extra": {"code": plain(check.code), "points": check.points, "max_points": check.max_points},
    }


def milliseconds(started: str) -> int:
    """A result's time in milliseconds since 1970; 0 where it has none."""
    try:
        return max(0, int(datetime.fromisoformat(started).timestamp() * 1000))
    except (ValueError, OverflowError, OSError):
        return 0

"""The Common Test Report Format, which reporters for GitHub, Slack, Jenkins and others read.

What the grader failed at is ``other``, what a person decides on ``pending``. Points stand in ``extra``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
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
    return b"".join(_document([result], EvidenceView(evidence)))


def many(results: Sequence[Result]) -> Iterator[bytes]:
    """A class in one report; each test names its student in its suite."""
    return _document(results, EvidenceView(None))


def _document(results: Sequence[Result], view: EvidenceView) -> Iterator[bytes]:
    """The report in pieces: what is counted comes before the tests, so that the results are gone through again."""
    # Nothing of a stranger's is in it yet, so that the empty lists are those to be filled.
    whole = indented(
        {
            "reportFormat": "CTRF",
            "specVersion": SPECIFICATION,
            "results": {
                "tool": {"name": "smtplab", "version": __version__},
                "summary": {**_counted(results), "extra": {"results": []}},
                "tests": [],
            },
        }
    )
    head, between, end = whole.split(b"[]")
    yield head
    yield from _items(map(_score, results), depth=4)
    yield between
    yield from _items((_test(result, check, view) for result in results for check in result.checks), depth=2)
    yield end


def _counted(results: Iterable[Result]) -> dict[str, int]:
    counted: Counter[str] = Counter()
    first = last = None
    for result in results:
        counted.update(STATUSES[check.status] for check in result.checks)
        start = milliseconds(result.started)
        stop = start + round(1000 * max(0.0, result.duration))
        first = start if first is None else min(first, start)
        last = stop if last is None else max(last, stop)
    return {
        "tests": counted.total(),
        **{status: counted[status] for status in STATUSES.values()},
        "start": first or 0,
        "stop": last or 0,
    }


def _items(values: Iterable[dict[str, Any]], *, depth: int) -> Iterator[bytes]:
    """A list as ``indented`` writes it in a place of this depth, item by item."""
    margin = b"\n" + b"  " * depth
    before = b"["
    for value in values:
        # A line feed within a text is written as an escape: each of these ends a line of the document.
        yield before + (b"\n" + indented(value).rstrip()).replace(b"\n", margin + b"  ")
        before = b","
    yield b"[]" if before == b"[" else margin + b"]"


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

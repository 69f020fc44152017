"""GitLab's metrics report: what changed between two branches, as lines of a name and a number.

Names are smtplab's own words and the codes of checks; there are no labels, so nothing has to be escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from grader.model.evidence import AnyEvidence
from grader.model.result import Result
from grader.outputs.feedback import short_code

_NO_NAME = re.compile(r"[^a-z0-9]+")


def one(result: Result, evidence: AnyEvidence | None) -> bytes:
    """The lines. Without a grade there is no score, and ``smtplab_graded`` is 0."""
    return "".join(f"{name} {value}\n" for name, value in _metrics(result)).encode()


def _metrics(result: Result) -> Iterator[tuple[str, int]]:
    yield "smtplab_graded", int(result.final)
    yield "smtplab_max_score", result.max_score
    if not result.final:
        return
    yield "smtplab_score", result.score
    seen = set()
    for check in result.checks:
        name = _NO_NAME.sub("_", short_code(check).lower()).strip("_") or "unnamed"
        if check.status != "manual" and name not in seen:
            seen.add(name)
            yield f"smtplab_points_{name}", check.points

"""What Moodle's VPL reads from the standard output of ``vpl_execution``: a block of comments, and the grade.

``Grade :=>>`` at the start of any line is a grade, within comments too, and the last one counts; lines that begin
with ``-`` are titles, and those whose first sign is ``>`` are shown as they are. So every line of a text stands
behind ``>`` or behind a label of smtplab's. Where the grader failed there is no grade, and the comment says so.
"""

from __future__ import annotations

from collections.abc import Iterator

from grader.model.evidence import AnyEvidence
from grader.model.result import CheckResult, Result
from grader.outputs.feedback import feedback, headline, plain, points, remarks, title


def one(result: Result, evidence: AnyEvidence | None) -> bytes:
    """The document. The grade stands first and last, so that it holds whatever is between; its scale is the lab's."""
    grade = [f"Grade :=>>{result.score}"] if result.final else []
    lines = [*grade, "<|--", headline(result)]
    for remark in remarks(result):
        lines += _quoted(remark)
    for check in result.checks:
        lines += _comment(check)
    return "\n".join([*lines, "--|>", *grade, ""]).encode()


def _comment(check: CheckResult) -> Iterator[str]:
    """A title, then the feedback. VPL takes a negative number in brackets at a title's end for what the check cost."""
    lost = check.max_points - check.points
    cost = f"-{lost}" if lost > 0 and check.status in ("fail", "skipped") else points(check)
    yield f"-{title(check)} ({cost})"
    for paragraph in feedback(check):
        yield from _quoted(paragraph)


def _quoted(text: str) -> list[str]:
    return [f">{line}" for line in plain(text).split("\n")]

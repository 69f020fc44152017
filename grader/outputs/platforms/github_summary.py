"""The summary of a job on GitHub: Markdown, at most 1 MiB a step."""

from __future__ import annotations

from grader.model.evidence import AnyEvidence
from grader.model.result import Result
from grader.outputs.feedback import fitted
from grader.outputs.markdown import report

MOST_BYTES = 1_048_576


def one(result: Result, evidence: AnyEvidence | None) -> bytes:
    """What is appended to ``$GITHUB_STEP_SUMMARY``; texts are shortened until it is taken."""
    return fitted(lambda longest: report(result, longest).encode(), MOST_BYTES)

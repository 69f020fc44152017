"""Results and evidence as JSON."""

from __future__ import annotations

from grader.display.jsontext import indented, line
from grader.model.evidence import AnyEvidence
from grader.model.result import Result


def one(result: Result, evidence: AnyEvidence | None) -> bytes:
    """The result's document, whatever evidence there is."""
    return document(result)


def document(value: Result | AnyEvidence) -> bytes:
    """See ``grader.outputs.document``."""
    return indented(value) if isinstance(value, Result) else line(value)

"""Results and evidence as JSON."""

from __future__ import annotations

import msgspec

from grader.display.jsontext import encoded
from grader.model.evidence import AnyEvidence
from grader.model.result import Result


def one(result: Result, evidence: AnyEvidence | None) -> bytes:
    """The result's document, whatever evidence there is."""
    return document(result)


def document(value: Result | AnyEvidence) -> bytes:
    """See ``grader.outputs.document``."""
    data = encoded(value)
    return (msgspec.json.format(data, indent=2) if isinstance(value, Result) else data) + b"\n"

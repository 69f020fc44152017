"""Evidence as JSON: what ``smtplab regrade`` reads."""

from __future__ import annotations

from grader.model.evidence import AnyEvidence
from grader.model.result import Result
from grader.outputs import jsonfile


def one(result: Result, evidence: AnyEvidence | None) -> bytes:
    """The evidence's document. It must be there: see ``Format.of_evidence``."""
    assert evidence is not None
    return jsonfile.document(evidence)

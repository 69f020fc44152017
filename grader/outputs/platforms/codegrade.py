"""What CodeGrade's step "Capture Points" reads: a number from 0 to 1, and nothing else.

CodeGrade gives every case of a JUnit document the same weight; only this step knows points. Where the grader failed
there is no number, so that none can be captured.
"""

from __future__ import annotations

from grader.model.evidence import AnyEvidence
from grader.model.result import Result
from grader.outputs.feedback import headline, share


def one(result: Result, evidence: AnyEvidence | None) -> bytes:
    """One line. The feedback goes to CodeGrade in another format, JUnit XML or HTML."""
    return f"{share(result):.4f}\n".encode() if result.final else f"{headline(result)}\n".encode()

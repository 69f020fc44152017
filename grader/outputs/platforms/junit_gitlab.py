"""JUnit XML for GitLab's test report, where failures, class names and file names are shown, and properties are not.

GitLab shows a failure's text alone (its ``message`` is dropped where there is text), and takes suite, class name and
name for a case's identity from run to run: so what a check is worth stands in its name, and what it got in its text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from grader.model.evidence import AnyEvidence
from grader.model.result import Result
from grader.outputs.evidence import EvidenceView
from grader.outputs.junitxml import Dialect, document

GITLAB = Dialect(worth=True, outputs=True)


def one(result: Result, evidence: AnyEvidence | None) -> bytes:
    """One result, with the places in the submission's files."""
    return b"".join(document([result], GITLAB, EvidenceView(evidence).place))


def many(results: Iterable[Result]) -> Iterator[bytes]:
    """A class: a suite a student."""
    return document(results, GITLAB)

"""JUnit XML for the test reporters among GitHub's actions, which show a case's name, message, file and line.

dorny/test-reporter, mikepenz/action-junit-report and EnricoMi/publish-unit-test-result-action show neither properties
nor what a suite printed: what a check is worth stands in its name. They annotate ``file`` and ``line``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from grader.model.evidence import AnyEvidence
from grader.model.result import Result
from grader.outputs.evidence import EvidenceView
from grader.outputs.junitxml import Dialect, document

GITHUB = Dialect(worth=True)


def one(result: Result, evidence: AnyEvidence | None) -> bytes:
    """One result, with the places in the submission's files."""
    return b"".join(document([result], GITHUB, EvidenceView(evidence).place))


def many(results: Iterable[Result]) -> Iterator[bytes]:
    """A class: a suite a student."""
    return document(results, GITHUB)

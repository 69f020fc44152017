"""JUnit XML for Artemis, which reads the names of cases alone and gives each the weight that is set for its name.

So a case is named by its code, which is the same in every student's variant. Where a failure has a ``message``,
Artemis shows nothing else, so it has none. It drops skipped cases: what was not judged because of a failure fails
too, so that the student reads why, and what the grader failed at is dropped, so that it counts as not executed and
not as failed.
"""

from __future__ import annotations

from grader.model.evidence import AnyEvidence
from grader.model.result import Result
from grader.outputs.junitxml import Dialect, document

ARTEMIS = Dialect(codes_only=True, messages=False, skips=False, errors=False)


def one(result: Result, evidence: AnyEvidence | None) -> bytes:
    """One result: names have to be unique in all of a build, so a class has no document."""
    return b"".join(document([result], ARTEMIS))

"""One folder a case: a result and its evidence, and what every output must make of them."""

from __future__ import annotations

from pathlib import Path

import msgspec

from grader.kinds.server.facts import ServerEvidence
from grader.model.result import Result
from tests.outputs import attacks, samples

CASES = Path(__file__).parent

STORIES = {
    "solution": samples.solution,
    "broken": samples.broken,
    "dead": samples.dead,
    "grader-error": samples.grader_error,
    "refused": samples.refused_hand_in,
    "hostile": attacks.hostile,
}


def case(name: str) -> tuple[Result, ServerEvidence]:
    """The input of a case, as it was saved."""
    result = msgspec.json.decode((CASES / name / "result.json").read_bytes(), type=Result)
    return result, msgspec.json.decode((CASES / name / "evidence.json").read_bytes(), type=ServerEvidence)

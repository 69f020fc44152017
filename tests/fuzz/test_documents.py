"""Saved evidence that somebody changed is judged, or refused in a sentence; and what is judged can be shown."""

from __future__ import annotations

import io
import json
from pathlib import Path
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from grader import outputs, pipeline
from grader.model.errors import UsageError
from grader.outputs import terminal
from tests.fuzz.documents import altered
from tests.fuzz.target import said, sound

OLDER = Path(__file__).parents[1] / "pipeline" / "older"
SAVED = [(OLDER / f"{name}.evidence.json").read_text() for name in ("quiz", "failed", "program", "zone")]


@settings(max_examples=40)
@given(st.sampled_from(SAVED), st.randoms(use_true_random=False), st.integers(1, 4))
def test_a_changed_document_is_judged_or_refused(saved: str, chance: Random, changes: int) -> None:
    document = json.dumps(altered(chance, json.loads(saved), changes)).encode()
    try:
        result, evidence = sound(pipeline.regrade(document)), pipeline.read_evidence(document)
    except UsageError as refused:
        said(refused)
        return
    outputs.junit([result])
    outputs.gradebook_csv([result])
    outputs.html(result, evidence)
    assert pipeline.read_evidence(outputs.document(evidence)) == evidence
    terminal.show(result, evidence, verbose=True, file=io.StringIO(), width=80)

"""Saved evidence that somebody changed is judged, or refused in a sentence; and what is judged can be shown."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader import outputs, pipeline
from grader.model.errors import UsageError
from grader.outputs import terminal
from tests.conftest import examples
from tests.fuzz.documents import altered
from tests.fuzz.target import said, sound

OLDER = Path(__file__).parents[1] / "pipeline" / "older"
SAVED = {
    name: (OLDER / f"{name}.evidence.json").read_text() for name in ("quiz", "failed", "program", "zone")
}


@settings(max_examples=examples(40))
@given(st.sampled_from(sorted(SAVED)), st.randoms(use_true_random=False), st.integers(1, 4))
def test_a_changed_document_is_judged_or_refused(saved: str, chance: Random, changes: int) -> None:
    document = json.dumps(altered(chance, json.loads(SAVED[saved]), changes)).encode()
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


@pytest.mark.parametrize(("key", "value"), [("command", 999), ("server", "nobody")])
def test_a_run_without_its_output_or_its_server_is_refused(key: str, value: object) -> None:
    document = json.loads(SAVED["program"])
    runs = [run for found in _values(document) if isinstance(found, list) for run in found if _is_run(run)]
    assert runs
    for run in runs:
        run[key] = value
    with pytest.raises(
        UsageError, match=r"was changed: run .* refers to a server or an output that it does not hold"
    ):
        pipeline.regrade(json.dumps(document).encode())


def _values(value: Any) -> Iterator[Any]:
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _values(inner)


def _is_run(value: Any) -> bool:
    return isinstance(value, dict) and {"command", "server"} <= value.keys()

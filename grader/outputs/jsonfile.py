"""Results and evidence as JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from grader.display.text import scalars
from grader.model.evidence import AnyEvidence
from grader.model.result import Result


def one(result: Result, evidence: AnyEvidence | None) -> bytes:
    """The result's document, whatever evidence there is."""
    return document(result)


def document(value: Result | AnyEvidence) -> bytes:
    """See ``grader.outputs.document``."""
    try:
        encoded = msgspec.json.encode(value)
    except UnicodeEncodeError:
        encoded = msgspec.json.encode(_without_surrogates(msgspec.to_builtins(value)))
    return (msgspec.json.format(encoded, indent=2) if isinstance(value, Result) else encoded) + b"\n"


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return scalars(value)
    if isinstance(value, list | tuple):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {scalars(key): _without_surrogates(item) for key, item in value.items()}
    return value

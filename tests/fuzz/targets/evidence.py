"""Documents that were saved, and come back changed by whoever had them: evidence of today and of older versions."""

from __future__ import annotations

from pathlib import Path

from grader import outputs, pipeline
from grader.model.errors import UsageError
from grader.model.pointer import parse
from grader.outputs.references import link, readable
from tests.fuzz.target import Target

ROOT = Path(__file__).parents[3]
JSON = (
    b"{", b"}", b"[", b"]", b'"', b":", b",", b"null", b"true", b"-1", b"1e400", b'"kind": "server"',
    b'"kind": "quiz"', b'"schema": "smtplab/evidence/2"', b'"schema": "smtplab/evidence/1"', b'{"a":', b"[[",
    b"\\ud800", b'"facts": {', b'"lab": {', b"0" * 40, b'"\\u0000"', b'""',
)  # fmt: skip


def _evidence(data: bytes) -> None:
    result = pipeline.regrade(data)
    outputs.document(result)


def _pointers(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    if (found := parse(text)) is not None:
        assert parse(str(found)) == found
    _ = readable(text), link(text)


def _saved() -> list[bytes]:
    return [
        (ROOT / "tests/pipeline/older" / f"{name}.evidence.json").read_bytes() for name in ("quiz", "failed")
    ]


TARGETS = (
    Target("evidence", _evidence, _saved, JSON, refuses=(UsageError,), largest=65_536),
    Target(
        "pointers",
        _pointers,
        lambda: [b"session:1:2", b"zone:8:19:4", b"RFC 5321 section 7.9"],
        (b":", b"1", b"session", b"9" * 10, b"-", b"RFC ", b"section ", b".1", b"sheet ", b" "),
    ),
)

"""Pointers lead to the decisive line, and say what they leave out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.display.excerpts import Excerpts, Pointer, Row, parse
from tests.outputs.cases import case
from tests.outputs.samples import broken

RESULT, EVIDENCE = broken()
RESOLVER = Excerpts(EVIDENCE)


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        ("session:12", Pointer("session", 12)),
        ("session:12:34", Pointer("session", 12, 34)),
        ("message:3", Pointer("message", 3)),
        ("log:7", Pointer("log", 7)),
        ("message:3:1", Pointer("message", 3, 1)),
        ("file:0:2", Pointer("file", 0, 2)),
        ("key:1", Pointer("key", 1)),
        ("log:7:1", None),
        ("message:3:1:2", None),
        ("session", None),
        ("session:", None),
        ("session:-1", None),
        ("session:1:2:3", None),
        ("session:²", None),
        ("session:" + "9" * 5000, None),
        ("file:///etc/passwd", None),
        ("", None),
    ],
)
def test_forms(text: str, pointer: Pointer | None) -> None:
    assert parse(text) == pointer


@given(st.text())
def test_any_pointer_is_harmless(text: str) -> None:
    if pointer := parse(f"session:{text}"):
        RESOLVER.excerpt(pointer, rows=5)


def test_the_decisive_line_is_marked_and_its_envelope_shown() -> None:
    decided = next(outcome for outcome in EVIDENCE.outcomes if outcome.stage == "accepted")
    line = decided.replies[0].line
    excerpt = RESOLVER.excerpt(Pointer("session", decided.session or 0, line), rows=10)
    assert excerpt is not None
    texts = [row.text for row in excerpt.rows]
    assert any(text.startswith("MAIL FROM:") for text in texts)
    assert any(text.startswith("RCPT TO:") for text in texts)
    assert [row.number for row in excerpt.rows if row.decisive] == [line + 1]


@given(st.integers(0, 45), st.integers(1, 60))
def test_every_line_is_shown_or_counted(line: int, rows: int) -> None:
    session = EVIDENCE.sessions[1]
    assert len(session.lines) == 46
    excerpt = RESOLVER.excerpt(Pointer("session", session.id, line), rows=rows)
    assert excerpt is not None
    parts = list(excerpt.with_gaps())
    assert sum(1 if isinstance(part, Row) else part for part in parts) == 46
    assert 1 not in parts
    assert [row.number for row in excerpt.rows if row.decisive] == [line + 1]


def test_only_what_the_evidence_holds_is_pointed_at() -> None:
    hostile, evidence = case("hostile")
    found = {pointer.anchor for pointer in Excerpts(evidence).pointed(hostile)}
    assert found == {"session-1-0", "session-2-0", "message-77", "log-1", "queue-0", "query-0", "command-0"}


def test_without_evidence_nothing_is_shown() -> None:
    assert Excerpts(None).excerpts(RESULT.checks[5], rows=10) == ([], 0)

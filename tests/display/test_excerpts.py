"""Pointers lead to the decisive line, and say what they leave out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.display.excerpts import ExcerptRow
from grader.kinds import show
from grader.kinds.traffic.excerpts import TrafficExcerpts
from grader.model.pointer import Pointer, parse
from grader.outputs.evidence import EvidenceView
from tests.outputs.cases import case
from tests.outputs.samples import broken
from tests.tables import every

RESULT, EVIDENCE = broken()
KNOWN = TrafficExcerpts(EVIDENCE.facts, EVIDENCE.facts.queued)


@every(
    ("text", "pointer"),
    [
        ("session:12", Pointer("session", 12)),
        ("session:12:34", Pointer("session", 12, 34)),
        ("message:3", Pointer("message", 3)),
        ("log:7", Pointer("log", 7)),
        ("message:3:1", Pointer("message", 3, 1)),
        ("file:0:2", Pointer("file", 0, 2)),
        ("key:1", Pointer("key", 1)),
        ("zone:7:14:18", Pointer("zone", 7, span=(14, 18))),
        ("zone:7:14:18:2", None),
        ("session", None),
        ("session:", None),
        ("session:-1", None),
        ("session:²", None),
        ("session:" + "9" * 5000, None),
        ("file:///etc/passwd", None),
        ("", None),
    ],
)
def test_forms(text: str, pointer: Pointer | None) -> None:
    assert parse(text) == pointer


@given(st.sampled_from(["log", "zone"]), st.integers(0, 999), st.integers(0, 99) | st.none(), st.booleans())
def test_written_and_read_again_it_is_the_same(kind: str, id_: int, line: int | None, spans: bool) -> None:
    pointer = Pointer(kind, id_, span=(3, 4)) if spans else Pointer(kind, id_, line)
    assert parse(str(pointer)) == pointer


@pytest.mark.parametrize(
    "text", ["log:0:1", "message:0:1:2", "session:1:0:3", "query:0:1", "zone:0:0:1", "file:0", "x:1"]
)
def test_a_pointer_of_another_form_than_its_piece_leads_nowhere(text: str) -> None:
    pointer = parse(text)
    assert pointer is not None
    assert not KNOWN.holds(pointer)
    assert not show("server").holds(EVIDENCE, pointer)


@given(st.text())
def test_any_pointer_is_harmless(text: str) -> None:
    if pointer := parse(f"session:{text}"):
        KNOWN.excerpt(pointer, rows=5)


def test_the_decisive_line_is_marked_and_its_envelope_shown() -> None:
    decided = next(outcome for outcome in EVIDENCE.facts.outcomes if outcome.stage == "accepted")
    line = decided.replies[0].line
    excerpt = KNOWN.excerpt(Pointer("session", decided.session or 0, line), rows=10)
    assert excerpt is not None
    texts = [row.text for row in excerpt.rows]
    assert any(text.startswith("MAIL FROM:") for text in texts)
    assert any(text.startswith("RCPT TO:") for text in texts)
    assert [row.number for row in excerpt.rows if row.decisive] == [line + 1]


@given(st.integers(0, 45), st.integers(1, 60))
def test_every_line_is_shown_or_counted(line: int, rows: int) -> None:
    session = EVIDENCE.facts.sessions[1]
    assert len(session.lines) == 46
    excerpt = KNOWN.excerpt(Pointer("session", session.id, line), rows=rows)
    assert excerpt is not None
    parts = list(excerpt.with_gaps())
    assert sum(1 if isinstance(part, ExcerptRow) else part for part in parts) == 46
    assert 1 not in parts
    assert [row.number for row in excerpt.rows if row.decisive] == [line + 1]


def test_only_what_the_evidence_holds_is_pointed_at() -> None:
    hostile, evidence = case("hostile")
    view = EvidenceView(evidence)
    found = {pointer.anchor for check in hostile.checks for pointer in view.pointers(check)}
    assert found == {"session-1-0", "session-2-0", "message-77", "log-1", "queue-0", "query-0", "command-0"}


def test_without_evidence_nothing_is_shown() -> None:
    assert EvidenceView(None).excerpts(RESULT.checks[5], rows=10) == ([], 0)

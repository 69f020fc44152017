"""Shows the lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from grader.display.excerpts import Excerpt, cut, of_each_kind, window
from grader.kinds.base import Section, nothing_more
from grader.model.pointer import Pointer
from smtplab_text.facts import TextEvidence

TEMPLATES = Path(__file__).parent / "templates"
screen = nothing_more


def narrative(evidence: TextEvidence) -> Iterator[str]:
    """See ``grader.kinds.base.Show``."""
    for read in evidence.facts.read:
        yield f"{read.name} has {len(read.lines)} lines."


def holds(evidence: TextEvidence, pointer: Pointer) -> bool:
    """See ``grader.kinds.base.Show``."""
    read = evidence.facts.read
    return (
        pointer.kind == "text"
        and pointer.id < len(read)
        and (pointer.line or 0) < len(read[pointer.id].lines)
    )


def excerpts(evidence: TextEvidence, pointers: Sequence[Pointer], rows: int) -> tuple[list[Excerpt], int]:
    """See ``grader.kinds.base.Show``."""

    def excerpt(pointer: Pointer) -> Excerpt:
        read = evidence.facts.read[pointer.id]
        lines = [("", line) for line in read.lines]
        shown = window(range(len(lines)), pointer.line or 0, rows)
        return cut(pointer, read.name, lines, shown, pointer.line)

    return of_each_kind(pointers, excerpt)


def sections(evidence: TextEvidence, pointers: Sequence[Pointer]) -> Iterable[Section]:
    """See ``grader.kinds.base.Show``."""
    yield Section("text.html.j2", {"files": evidence.facts.read}, "text.css")

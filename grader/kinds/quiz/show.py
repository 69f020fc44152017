"""What reports draw of answers: the lines that a question quotes. The checks tell the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from grader.display.excerpts import Excerpt, cut
from grader.kinds.base import Section, in_no_file, nothing_more
from grader.kinds.quiz.facts import QUOTE, QuizEvidence
from grader.model.pointer import Pointer

__all__ = ["TEMPLATES", "excerpts", "holds", "narrative", "place", "screen", "sections"]

TEMPLATES = None
place = in_no_file
screen = nothing_more


def narrative(evidence: QuizEvidence) -> Iterator[str]:
    """See ``grader.kinds.base.Show``."""
    yield from ()


def holds(evidence: QuizEvidence, pointer: Pointer) -> bool:
    """See ``grader.kinds.base.Show``."""
    return bool(_quoted(evidence, pointer))


def excerpts(evidence: QuizEvidence, pointers: Sequence[Pointer], rows: int) -> tuple[list[Excerpt], int]:
    """See ``grader.kinds.base.Show``: what a question quotes, whole: nothing in it is more decisive than the rest."""
    found = [(pointer, _quoted(evidence, pointer)) for pointer in pointers]
    made = [
        cut(pointer, "What the question shows", [("", line) for line in lines], range(len(lines)), None)
        for pointer, lines in found
        if lines
    ]
    return made, 0


def _quoted(evidence: QuizEvidence, pointer: Pointer) -> list[str]:
    posed = evidence.facts.posed
    return posed[pointer.id].question.quoted if pointer.kind == QUOTE and pointer.id < len(posed) else []


def sections(evidence: QuizEvidence, pointers: Sequence[Pointer]) -> Iterable[Section]:
    """See ``grader.kinds.base.Show``."""
    return ()

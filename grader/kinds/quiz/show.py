"""What reports draw of answers: the checks tell it all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from grader.kinds.base import Section, in_no_file, nothing_more
from grader.kinds.quiz.facts import QuizEvidence
from grader.model.pointer import Pointer

if TYPE_CHECKING:
    from grader.display.excerpts import Excerpt

__all__ = ["TEMPLATES", "excerpts", "holds", "narrative", "place", "screen", "sections"]

TEMPLATES = None
place = in_no_file
screen = nothing_more


def narrative(evidence: QuizEvidence) -> Iterator[str]:
    """See ``grader.kinds.base.Show``."""
    yield from ()


def holds(evidence: QuizEvidence, pointer: Pointer) -> bool:
    """See ``grader.kinds.base.Show``."""
    return False


def excerpts(evidence: QuizEvidence, pointers: Sequence[Pointer], rows: int) -> tuple[list[Excerpt], int]:
    """See ``grader.kinds.base.Show``."""
    return [], 0


def sections(evidence: QuizEvidence, pointers: Sequence[Pointer]) -> Iterable[Section]:
    """See ``grader.kinds.base.Show``."""
    return ()

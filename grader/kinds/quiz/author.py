"""What an author wrote about a quiz, checked and completed: its questions are gathered, and each becomes a check."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from grader.kinds.base import Words
from grader.kinds.quiz import draw
from grader.kinds.quiz.complete import with_questions
from grader.kinds.quiz.declare import QuizLab
from grader.model.diagnostic import Diagnostic, fault_at


def complaints(lab: QuizLab) -> Iterator[Diagnostic]:
    """See ``grader.kinds.base.Author``. The questions are read, and complained of, when the lab is completed."""
    if lab.checks:
        yield fault_at(("checks",), "the checks of a quiz are its questions: remove 'checks'")


def completed(lab: QuizLab, path: Path, data: bytes) -> QuizLab:
    """See ``grader.kinds.base.Author``: with all questions, and a check for each."""
    return with_questions(lab, path, data)


def texts(lab: QuizLab, variant: str) -> dict[str, str]:
    """See ``grader.kinds.base.Author``: the questions of one student."""
    return draw.texts(lab.quiz, variant)


def vocabulary() -> Sequence[Words]:
    """See ``grader.kinds.base.Author``."""
    from grader.kinds.quiz.words import made

    return made()

"""Which questions a person practises with."""

from __future__ import annotations

from pathlib import Path

from grader.kinds.quiz.bank import bundled, read_bank
from grader.kinds.quiz.draw import draw, new_seed, valid_seed
from grader.kinds.quiz.entries import sheets
from grader.kinds.quiz.questions import Question
from grader.model.errors import UsageError
from grader.model.templates import nearest

__all__ = ["chosen", "draw", "new_seed", "sheets", "valid_seed"]


def chosen(topics: tuple[str, ...], bank: tuple[Path, ...]) -> list[Question]:
    """The questions of the named topics, from smtplab's bank or from files of one's own.

    Raises ``UsageError`` for a topic that there is not, with the nearest.
    """
    questions = read_bank(list(bank) or bundled(), sheets())
    known = sorted({question.topic for question in questions})
    for topic in topics:
        if topic not in known:
            raise UsageError(
                f"there is no topic {topic!r}{nearest('%r', topic, known)} (there are {', '.join(known)})"
            )
    return [question for question in questions if not topics or question.topic in topics]

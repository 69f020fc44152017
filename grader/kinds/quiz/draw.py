"""Draws a check's questions, and the order of their choices, from a seed.

The page of the lesson draws by the same rules (``quiz-core.js``): a seed gives the same check there and here. All
chance comes from ``rank``, a number that depends on the seed and on what is ranked alone. So a question added to the
bank moves no other question's rank.
"""

from __future__ import annotations

import re
import secrets
from collections import Counter
from collections.abc import Sequence

from grader.kinds.quiz.answer_sheet import blank_sheet, key_by_letters
from grader.kinds.quiz.declare import Quiz
from grader.kinds.quiz.facts import Posed
from grader.kinds.quiz.questions import Question, Single, choices
from grader.model.errors import UsageError
from grader.model.variant import CANONICAL

NUMBER = 10
"""Questions of a knowledge check."""

_SEED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def valid_seed(seed: str) -> str:
    """``seed`` itself. Raises ``UsageError`` where it is none: 1 to 64 ASCII letters, digits, dots, dashes."""
    if not _SEED.fullmatch(seed):
        raise UsageError(
            f"the seed {seed[:70]!a} is not made of 1 to 64 letters, digits, dots and dashes: choose another"
        )
    return seed


def new_seed() -> str:
    """A seed that nobody has used, short enough to be told to somebody else."""
    return "".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(6))


def rank(seed: str, *what: str) -> int:
    """A number of 32 bits for a thing under a seed: FNV-1a over the words, stirred as MurmurHash3 ends."""
    number = 0x811C9DC5
    for byte in "\0".join((seed, *what)).encode():
        number = (number ^ byte) * 0x01000193 & 0xFFFFFFFF
    number = (number ^ number >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    number = (number ^ number >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    return number ^ number >> 16


def draw(questions: Sequence[Question], seed: str, number: int = NUMBER) -> list[Question]:
    """``number`` of the questions, or all where there are fewer; the easier ones first.

    One is drawn after another: from the topic with the fewest so far; while half of all are single choices already,
    rather another kind; of the difficulty with the fewest so far; and then the one of the lowest rank.
    """
    left = sorted(questions, key=lambda question: (rank(seed, "question", question.id), question.id))
    turns = {topic: rank(seed, "topic", topic) for topic in {question.topic for question in questions}}
    drawn: list[Question] = []
    topics: Counter[str] = Counter()
    difficulties: Counter[int] = Counter()
    singles = 0
    while left and len(drawn) < number:
        chosen = min(
            left,
            key=lambda question: (
                topics[question.topic],
                turns[question.topic],
                question.topic,
                isinstance(question, Single) and singles * 2 >= number,
                difficulties[question.difficulty],
            ),
        )
        left.remove(chosen)
        drawn.append(chosen)
        topics[chosen.topic] += 1
        difficulties[chosen.difficulty] += 1
        singles += isinstance(chosen, Single)
    return sorted(drawn, key=lambda question: (question.difficulty, rank(seed, "place", question.id)))


def arrange(question: Question, seed: str) -> list[int]:
    """The order in which a question's choices are shown, as their places in the bank.

    Where that order would be the answer itself (items to be put in order, pairs), all move up by one.
    """
    count = len(choices(question))
    order = sorted(range(count), key=lambda place: (rank(seed, "choice", question.id, str(place)), place))
    tells = question.kind in ("order", "match")
    return [*order[1:], order[0]] if tells and order == list(range(count)) else order


def pose(question: Question, seed: str) -> Posed:
    """A question with its choices in the order in which they are shown under a seed."""
    texts = choices(question)
    return Posed(question, [texts[place] for place in arrange(question, seed)])


def posed(quiz: Quiz, variant: str) -> list[Posed]:
    """The questions of a variant of a quiz, in their order."""
    if variant == CANONICAL and quiz.canonical:
        by_id = {question.id: question for question in quiz.questions}
        drawn = [by_id[id_] for id_ in quiz.canonical]
    else:
        drawn = draw(quiz.questions, variant, quiz.number)
    return [pose(question, variant) for question in drawn]


def texts(quiz: Quiz, variant: str) -> dict[str, str]:
    """What files of a quiz's lab may hold: ``@questions@``, the sheet to fill in; ``@letters@``, the key by letters."""
    drawn = posed(quiz, variant)
    return {"questions": blank_sheet(drawn), "letters": key_by_letters(drawn)}

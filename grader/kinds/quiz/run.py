"""Records a student's answers: the questions as they were asked, and what was answered, whatever it may mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from grader.kinds.base import Recorded
from grader.kinds.quiz.answers_file import UnreadableFileError, read_answers
from grader.kinds.quiz.declare import READABLE, QuizLab
from grader.kinds.quiz.draw import posed
from grader.kinds.quiz.facts import QuizFacts
from grader.kinds.quiz.plan import QuizPlan
from grader.kinds.quiz.questions import Question
from grader.model.templates import nearest

if TYPE_CHECKING:
    from grader.engines.base import Machines

MOST_NOTES = 5
_NUMBER = re.compile(r"(?:q(?:uestion)? ?)?#?([0-9]{1,3})[.):]?", re.IGNORECASE)


def act(
    plan: QuizPlan, lab: QuizLab, machines: Machines | None, *, overlap: Callable[[], object]
) -> Recorded:
    """See ``grader.kinds.base.Runner``."""
    asked = [one for one in plan.posed if plan.checks is None or one.question.id in plan.checks]
    drawn = [one.question for one in asked]
    codes = {READABLE, *(question.id for question in drawn)}
    answers: dict[str, Any] = {}
    problem, line = "", None
    try:
        found = read_answers(plan.submission.files[lab.submission.required[0]])
        answers = _by_name(found, [one.question.id for one in plan.posed])
    except UnreadableFileError as error:
        problem, line = str(error), error.line
    return Recorded(
        QuizFacts(asked, answers, problem, line),
        notes=list(_notes(lab, drawn, answers, partly=plan.checks is not None)),
        files=list(plan.submission.files),
        # The other questions of the bank stay out: evidence may be given to the student.
        lab=replace(
            lab,
            checks=[check for check in lab.checks if check.code in codes],
            quiz=replace(lab.quiz, draw=None, questions=[], canonical=[]),
        ),
    )


def _by_name(answers: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """Answers by the names of their questions: some write the number that a question has on the sheet."""
    found: dict[str, Any] = {}
    for key, value in answers.items():
        number = _NUMBER.fullmatch(key.strip())
        place = int(number[1]) - 1 if number else -1
        name = names[place] if 0 <= place < len(names) else key
        found[key if name in answers or name in found else name] = value
    return found


def nothing(lab: QuizLab, variant: str) -> QuizFacts:
    """See ``grader.kinds.base.Runner``: what the student was asked is known all the same."""
    return QuizFacts(posed(lab.quiz, variant), {})


def _notes(lab: QuizLab, drawn: list[Question], answers: dict[str, Any], *, partly: bool) -> Iterator[str]:
    """A word on answers to questions that were not asked: a slip of the pen, or somebody else's file."""
    mine = [question.id for question in drawn]
    others = {question.id for question in lab.quiz.questions} - set(mine)
    unknown = [name for name in answers if name not in mine and name not in others]
    for name in unknown[:MOST_NOTES]:
        unanswered = [id_ for id_ in mine if id_ not in answers]
        yield f"The answers name {name[:60]!r}, which is no question here{nearest('%r', name, unanswered)}"
    if len(unknown) > MOST_NOTES:
        yield f"The answers name {len(unknown) - MOST_NOTES} more questions that there are not."
    strange = [name for name in answers if name in others]
    if strange and not partly:
        yield (
            f"The answers hold {len(strange)} to questions that were not drawn here, such as {strange[0]!r}; "
            "they do not count."
        )

"""The bank of questions for course platforms: Moodle XML, GIFT and QTI 1.2.

===========  ===========================  =========================  =====================================
kind         Moodle XML                   GIFT                       QTI 1.2 (as Canvas reads it)
===========  ===========================  =========================  =====================================
single       multichoice, one answer      ``=`` and ``~``            multiple_choice_question
multiple     multichoice, several         ``~%n%`` weights           multiple_answers_question
order        ordering (core since 4.4)    matching to 1, 2, 3 …      matching_question to 1, 2, 3 …
match        matching                     ``left -> right``          matching_question
fill         shortanswer                  ``=%100%``, ``=%0%``       short_answer_question
===========  ===========================  =========================  =====================================

Choices stand in an order that a seed gives: the bank has the right one first, and some platforms show them as they
come.

What is said to each answer goes along as that answer's feedback, wherever a platform has such; what was missed, and
where to read, as the question's general feedback.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from grader.kinds.quiz.complete import rfc_sections
from grader.kinds.quiz.draw import arrange
from grader.kinds.quiz.entries import EntryTitle
from grader.kinds.quiz.judge.marking import mark
from grader.kinds.quiz.questions import Multiple, Question, Single

SEED = "export"
"""Gives the order of the choices where nobody asks for another."""


@dataclass(frozen=True)
class Exported:
    """A question with its options as they are to be shown, and what is said after any answer.

    ``order`` are the places of its items or right-hand sides, as they are to be shown.
    """

    question: Question
    afterwards: str
    order: list[int]


def prepared(questions: Sequence[Question], known: dict[str, EntryTitle], seed: str = SEED) -> list[Exported]:
    """Questions ready for every format, in the order of choices that ``seed`` gives; ``known`` are the lesson's
    entries that they refer to."""
    return [_prepared(question, known, seed) for question in questions]


def _prepared(question: Question, known: dict[str, EntryTitle], seed: str) -> Exported:
    order = arrange(question, seed)
    afterwards = _afterwards(question, known)
    if isinstance(question, Single | Multiple):
        question = replace(question, options=[question.options[place] for place in order])
    return Exported(question, afterwards, order)


def _afterwards(question: Question, known: dict[str, EntryTitle]) -> str:
    """What was right and why, a line each, and where to read about it."""
    lines = []
    for said in mark(question, []).said:
        named = said.about and not isinstance(question, Single)
        lines.append(f"{said.about.rstrip('.')}: {said.text}" if named else said.text)
    return "\n".join([*lines, f"Read {', '.join(rfc_sections(question, known))}."])

"""Which questions a student got, and what was answered."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from grader.kinds.quiz.declare import QuizLab
from grader.kinds.quiz.questions import Question
from grader.model.evidence import Evidence, Facts

QUOTE = "quote"
"""The kind of a pointer to what a question quotes, by the question's place among those that were posed."""


class Posed(Struct, frozen=True):
    """A question as a student got it: ``shown`` are its choices in the order of their letters."""

    question: Question
    shown: list[str]


class QuizFacts(Facts, frozen=True, tag="quiz"):
    """What a submission answered. ``problem`` says why nothing could be read; it is empty where all could.

    A value of ``answers`` has the shape that the student gave it: a text, a list, or a mapping.
    """

    posed: list[Posed]
    answers: dict[str, Any]
    problem: str = ""
    line: Annotated[int | None, Meta(description="Line of the problem in the file.")] = None


QuizEvidence = Evidence[QuizLab, QuizFacts]

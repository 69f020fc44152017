"""What a lab of the kind ``quiz`` declares: which questions there are, and how many of them a student gets."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from grader.kinds.quiz.questions import Id, Question, Topic
from grader.model import lab

READABLE = "readable"
"""The check on which all questions of a quiz wait: that the answers could be read at all."""


class Quiz(Struct, frozen=True, forbid_unknown_fields=True):
    """Which questions a quiz has, and how many of them a student gets."""

    draw: Annotated[
        Annotated[int, Meta(ge=1, le=200)] | None,
        Meta(description="How many questions each student gets, drawn for each anew; without it, all."),
    ] = None
    points: Annotated[int, Meta(ge=1, le=1000, description="What each question is worth.")] = 10
    topics: Annotated[
        list[Topic],
        Meta(
            description="Topics of smtplab's own bank: codes, commands, delivery, headers, ports, security."
        ),
    ] = []
    tell: Annotated[
        bool,
        Meta(
            description="Whether a wrong answer is told what would have been right. Without it, what the answer means, "
            "and where to read."
        ),
    ] = False
    bank: Annotated[list[str], Meta(description="Files of questions, beside lab.yaml.")] = []
    questions: Annotated[list[Question], Meta(description="Questions written here.")] = []
    canonical: Annotated[
        list[Id], Meta(description="Questions of the canonical variant; drawn like any other unless given.")
    ] = []

    @property
    def number(self) -> int:
        """How many questions a student gets, once all questions are loaded."""
        return min(self.draw or len(self.questions), len(self.questions))


class QuizLab(lab.Lab, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="quiz"):
    """A lab whose students answer questions."""

    quiz: Annotated[Quiz, Meta(description="Where the questions are, and how many a student gets.")]
    checks: Annotated[list[lab.Check], Meta(description="Made from the questions; not to be written.")] = []

    @property
    def max_score(self) -> int:
        """The points of those questions that one student gets."""
        return self.quiz.points * self.quiz.number


LAB = QuizLab
"""See ``grader.kinds.base.Declare``."""

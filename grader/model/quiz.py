"""A quiz: how a lab declares one, which questions a student got, and what was answered."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from grader.model.questions import Id, Question, Topic

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
    bank: Annotated[list[str], Meta(description="Files of questions, beside lab.yaml.")] = []
    questions: Annotated[list[Question], Meta(description="Questions written here.")] = []
    canonical: Annotated[
        list[Id], Meta(description="Questions of the canonical variant; drawn like any other unless given.")
    ] = []

    @property
    def number(self) -> int:
        """How many questions a student gets, once all questions are loaded."""
        return min(self.draw or len(self.questions), len(self.questions))


class Posed(Struct, frozen=True):
    """A question as a student got it: ``shown`` are its choices in the order of their letters."""

    question: Question
    shown: list[str]


class QuizFacts(Struct, frozen=True):
    """What a submission answered. ``problem`` says why nothing could be read; it is empty where all could.

    A value of ``answers`` has the shape that the student gave it: a text, a list, or a mapping.
    """

    posed: list[Posed]
    answers: dict[str, Any]
    problem: str = ""
    line: Annotated[int | None, Meta(description="Line of the problem in the file.")] = None

"""The quiz bank: enough questions, each with one right answer and something to say to every other."""

from __future__ import annotations

from collections import Counter
from typing import Any

from grader.kinds.quiz.questions import (
    KINDS,
    Expected,
    Fill,
    Match,
    MatchPair,
    Multiple,
    Option,
    OrderItems,
    Position,
    Question,
    Single,
    complaint,
)
from grader.lesson import library
from tests.tables import every

QUESTIONS = library().questions
TOPICS = {"commands", "codes", "ports", "security", "headers", "delivery"}


def test_there_are_questions_of_every_topic_kind_and_difficulty() -> None:
    assert len(QUESTIONS) >= 120
    assert sum(bool(question.quote) for question in QUESTIONS) >= 40, "questions that show something"
    topics = Counter(question.topic for question in QUESTIONS)
    assert set(topics) == TOPICS
    assert min(topics.values()) >= 10
    assert {question.kind for question in QUESTIONS} == set(KINDS)
    assert min(Counter(question.difficulty for question in QUESTIONS).values()) >= 10


@every("question", QUESTIONS, ids=lambda question: question.id)
def test_a_question_is_unambiguous(question: Question) -> None:
    assert complaint(question) == ""


@every("question", QUESTIONS, ids=lambda question: question.id)
def test_a_question_says_something_of_its_own_to_every_answer(question: Question) -> None:
    if isinstance(question, Fill):
        assert sum(not answer.right for answer in question.answers) >= 1, "a mistake that deserves a word"
    if isinstance(question, Single):
        said = [option.feedback for option in question.options]
        assert len(set(said)) == len(said)
    if isinstance(question, Single | Multiple):
        assert all(option.missed for option in question.options if option.right)


@every("question", QUESTIONS, ids=lambda question: question.id)
def test_a_question_does_not_tell_its_answer(question: Question) -> None:
    if isinstance(question, Fill):
        right = [answer.text.casefold() for answer in question.answers if answer.right]
        assert not any(f" {answer} " in f" {question.ask.casefold()} " for answer in right if len(answer) > 1)


RIGHT = Option("one", "yes", right=True, missed="it was")
WRONG = Option("two", "no")
BASE: dict[str, Any] = {"id": "q", "topic": "codes", "difficulty": 1, "ask": "?", "see": ["smtp"]}


@every(
    ("question", "wrong"),
    [
        (Single(**BASE, options=[RIGHT, WRONG]), ""),
        (Single(**BASE, options=[RIGHT, RIGHT]), "2 options are right"),
        (Single(**BASE, options=[WRONG]), "0 options are right"),
        (Single(**BASE, options=[RIGHT, Option("ONE", "no")]), "two options are the same text"),
        (Single(**BASE, options=[Option("one", "yes", right=True), WRONG]), "no 'missed'"),
        (Single(**BASE, options=[RIGHT, Option("two", "no", missed="x")]), "has 'missed'"),
        (Multiple(**BASE, options=[RIGHT, WRONG]), ""),
        (Multiple(**BASE, options=[WRONG, Option("three", "no")]), "0 of 2 options are right"),
        (Multiple(**BASE, options=[RIGHT, Option("three", "yes", True, "it was")]), "2 of 2 options are"),
        (OrderItems(**BASE, items=[Position("one", "x"), Position("one", "y")]), "two items are the same"),
        (Match(**BASE, pairs=[MatchPair("a", "10", "x"), MatchPair("b", "10", "y")]), "more than one matching"),
        (Single(**BASE, options=[RIGHT, Option("B", "no")]), "a single letter"),
        (Fill(**BASE, answers=[Expected("25", "no")], wrong="no"), "no answer is right"),
        (Fill(**BASE, answers=[Expected("A", "x", True), Expected("a", "y")], wrong="no"), "stands twice"),
    ],
)  # fmt: skip
def test_what_makes_a_question_ambiguous_is_refused(question: Question, wrong: str) -> None:
    found = complaint(question)
    assert (wrong in found) if wrong else found == ""

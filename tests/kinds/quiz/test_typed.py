"""Answers as people write them, each labelled by hand as an honest examiner would take it (R) or not (W)."""

from __future__ import annotations

from pathlib import Path

from grader.kinds.quiz.bank import bundled, read_bank
from grader.kinds.quiz.entries import sheets
from grader.kinds.quiz.facts import Posed
from grader.kinds.quiz.judge.answers import UnreadableError, read_answer
from grader.kinds.quiz.judge.marking import mark
from grader.kinds.quiz.questions import Expected, Fill, Option, Question, Single
from tests.kinds.quiz.test_marking import BASE, MATCH, MULTIPLE, ORDER, shown
from tests.tables import every

HERE = Path(__file__).parent
BANK: dict[str, Question] = {question.id: question for question in read_bank(bundled(), sheets())}
CHOICES: dict[str, Question] = {
    "multiple": MULTIPLE,
    "order": ORDER,
    "match": MATCH,
    "single": Single(
        **BASE, options=[Option("yes", "f"), Option("no: never", "g", True, "m"), Option("MX, A", "h")]
    ),
}


def labelled(name: str) -> list[tuple[str, str, str]]:
    """The rows of a file here: question, label, and what was written."""
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [(question, label, text) for question, label, text in (line.split(" ", 2) for line in lines)]


def taken(posed: Posed, text: str) -> str:
    try:
        given = read_answer(posed, text)
    except UnreadableError:
        return "W"
    return "R" if given is not None and mark(posed.question, given).right else "W"


@every(("question", "label", "text"), labelled("typed.txt"))
def test_what_is_typed_is_taken_as_an_examiner_would(question: str, label: str, text: str) -> None:
    assert taken(shown(BANK[question]), text) == label


@every(("question", "label", "text"), labelled("chosen.txt"))
def test_what_is_chosen_is_taken_as_an_examiner_would(question: str, label: str, text: str) -> None:
    assert taken(shown(CHOICES[question]), text) == label


def fill(ask: str, *right: str) -> Fill:
    return Fill(**{**BASE, "ask": ask}, answers=[Expected(text, "f", True) for text in right], wrong="w")


@every(
    ("ask", "right", "text", "label"),
    [
        ("How long (in ms)?", "300", "300 ms", "R"), ("How long (in ms)?", "300", "300 s", "W"),
        ("How long is it?", "300 minutes", "300 min", "R"), ("How long is it?", "300", "300 s", "R"),
        ("How many per cent is that?", "10 percent", "10 %", "R"), ("How large is it, in kB?", "64", "64 kB", "R"),
        ("How large is it, in kB?", "64", "64 MB", "W"), ("Which share?", "10%", "10 %", "R"),
        ("What goes into the second gap?", "11", "11 bytes", "R"),
    ],
)  # fmt: skip
def test_a_unit_is_the_one_that_is_asked_for(ask: str, right: str, text: str, label: str) -> None:
    numbers = [number for number in (right.split(" ")[0].rstrip("%"),) if number]
    assert taken(shown(fill(ask, right, *numbers)), text) == label

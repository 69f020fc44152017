"""What a quiz as a lab tells: what an answer means always, the right one only where its author wants it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from grader import labs, outputs, pipeline
from grader.kinds.quiz import show
from grader.kinds.quiz.draw import posed
from grader.kinds.quiz.judge.marking import mark
from grader.model.hints import TIERS
from grader.model.pointer import Pointer
from grader.model.result import Result
from grader.model.submission import Submission
from tests.kinds.quiz.test_labs import LAB, grade

TELLING = msgspec.structs.replace(LAB, quiz=msgspec.structs.replace(LAB.quiz, tell=True))


@pytest.mark.parametrize("hints", TIERS)
def test_the_instructor_caps_what_a_wrong_answer_is_told(hints: str) -> None:
    check = grade("received-trust: a\n", TELLING, hints=hints).checks[9]
    assert check.code == "knowledge-check/received-trust"
    assert "easiest to invent" in check.observed, "what was answered is always explained"
    assert ("Right is: Those that your own servers wrote" in check.next) == (hints == "example")
    assert ("sheet received" in check.references) == (hints not in ("none", "nudge"))
    assert bool(check.next) == (hints in ("next", "example"))


def told(result: Result) -> str:
    """All that a result says of its checks."""
    return msgspec.json.encode(result.checks).decode()


@pytest.mark.parametrize(
    "answers", ["", "received-trust:\nmx-port: ''\n", "received-trust: zz\nopen-relay-true: {a: b}\n"]
)
def test_without_an_answer_no_right_one_is_told(answers: str) -> None:
    result = grade(answers, TELLING)
    assert result.score == 0
    for one in posed(LAB.quiz, "canonical"):
        check = next(check for check in result.checks if check.code.endswith(f"/{one.question.id}"))
        assert "Right is" not in check.next
        assert check.next.startswith(("Answer it.", "Answer again."))
        for said in mark(one.question, []).said:
            assert said.text not in told(result)


def test_a_graded_check_tells_no_right_answer_by_default() -> None:
    wrong = "received-trust: a\nmx-port: 587\nopen-relay-true: [a]\nport-465-today: a\n"
    assert "Right is: Those that your own servers wrote" in told(grade(wrong, TELLING))
    result = grade(wrong)
    assert "Right is" not in told(result)
    assert "It is port 25." not in told(result)
    assert "There a server's own users submit." in told(result), "what was answered is explained"


def test_the_handout_gives_no_answer_away() -> None:
    handout = (labs.find("knowledge-check") / "handout.md").read_text()
    example = handout[handout.index("## How to write answers") : handout.index("## What you get back")]
    for question in LAB.quiz.questions:
        assert question.id not in example


def test_a_wrong_answer_stands_beside_what_the_question_shows(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "lab.yaml").write_text(
        "id: own\ntitle: Own\nversion: '1'\nkind: quiz\nsummary: One.\nsubmission: {required: [answers.yaml]}\n"
        "quiz:\n  questions:\n  - {id: gap, kind: fill, topic: codes, difficulty: 1, ask: What belongs in the gap?,\n"
        "     quote: \"S: 2__ mail\\nC: <b>EHLO\\n\", wrong: It is 20., see: [reply-220],\n"
        "     answers: [{text: '20', right: true, feedback: Yes.}, {text: '50', feedback: No.}]}\n"
    )  # fmt: skip
    own = labs.load(folder)
    run = pipeline.grade(own, Submission({"answers.yaml": b"gap: 50\n"}), engine=None)
    assert run.result.checks[1].evidence == ["quote:0"]
    page = outputs.html(run.result, run.evidence).decode()
    assert "What the question shows" in page
    assert "S: 2__ mail" in page
    assert "&lt;b&gt;EHLO" in page
    [shown], _ = show.excerpts(run.evidence, [Pointer("quote", 0), Pointer("quote", 7)], 2)
    assert [row.text for row in shown.rows] == ["S: 2__ mail", "C: <b>EHLO"]
    right = pipeline.grade(own, Submission({"answers.yaml": b"gap: 20\n"}), engine=None).result
    assert right.checks[1].evidence == []

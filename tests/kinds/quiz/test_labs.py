"""Quizzes as labs: an instructor's own in a few lines of YAML, what each student gets, and hostile answers."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from grader import labs, outputs, pipeline, verify
from grader.cli.app import CommandSettings, smtplab
from grader.judge import judge
from grader.kinds.quiz.answers_file import LARGEST, UnreadableFileError, read_answers
from grader.kinds.quiz.declare import QuizLab
from grader.kinds.quiz.draw import posed
from grader.model.errors import EngineError, LabError, SubmissionError
from grader.model.lab import Lab
from grader.model.result import Result
from grader.model.submission import Submission
from tests.conftest import examples
from tests.tables import every


def load(folder: str | Path) -> QuizLab:
    lab = labs.load(folder)
    assert isinstance(lab, QuizLab)
    return lab


LAB = load("knowledge-check")
OWN = """
id: own
title: A quiz of one's own
version: "1.0"
kind: quiz
summary: Two questions.
submission: {required: [answers.yaml]}
quiz:
  bank: [sums.yaml]
  questions:
  - id: greeting
    kind: fill
    topic: codes
    difficulty: 1
    ask: "Which code greets? It is not `250`, nor {braces}."
    answers: [{text: "220", right: true, feedback: Right.}]
    wrong: It is 220.
    see: [RFC 5321 section 4.2.3]
"""
SUMS = """
- id: two
  kind: single
  topic: sums
  difficulty: 1
  ask: One and one?
  options:
  - {text: two, right: true, feedback: Yes., missed: Count again.}
  - {text: three, feedback: Too many.}
  see: [reply-220]
"""


def grade(answers: str | bytes, lab: Lab = LAB, *, student: str | None = None, **more: Any) -> Result:
    """The result of a file of answers."""
    data = answers if isinstance(answers, bytes) else answers.encode()
    return pipeline.grade(
        lab, Submission({"answers.yaml": data}), engine=None, student=student, **more
    ).result


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """An instructor's lab."""
    folder = tmp_path / "labs" / "own"
    folder.mkdir(parents=True)
    (folder / "lab.yaml").write_text(OWN)
    (folder / "sums.yaml").write_text(SUMS)
    return folder


def test_a_quiz_of_ones_own_is_a_few_lines_of_yaml(own: Path) -> None:
    (own / "lab.yaml").write_text(OWN.replace("quiz:\n", "quiz:\n  tell: true\n"))
    lab = load(own)
    assert [check.code for check in lab.checks] == ["readable", "greeting", "two"]
    assert lab.max_score == 20
    result = grade("greeting: 220\ntwo: TWO\n", lab)
    assert (result.score, result.max_score, result.engine.name) == (20, 20, "none")
    wrong = {check.code: check for check in grade("greeting: 250\ntwo: three\n", lab).checks}
    assert wrong["own/two"].observed == "You answered: three. Too many."
    assert wrong["own/two"].why == "Count again."
    assert wrong["own/two"].next == "Right is: two. Read about it with `smtplab explain reply-220`."
    assert wrong["own/greeting"].title == "Which code greets? It is not '250', nor {braces}."
    assert wrong["own/greeting"].references == ["RFC 5321 section 4.2.3"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda text: text.replace("bank: [sums.yaml]", "bank: [../sums.yaml]"), "leaves the lab's folder"),
        (lambda text: text.replace("bank: [sums.yaml]", "bank: [sum.yaml]"), "sum.yaml"),
        (lambda text: text.replace("bank: [sums.yaml]", "topics: [comands]"), "did you mean 'commands'?"),
        (lambda text: text.replace("bank: [sums.yaml]", "draw: 9"), "9 questions are to be drawn, and there are 1"),
        (lambda text: text.replace("bank: [sums.yaml]", "canonical: [greting]"), "did you mean 'greeting'?"),
        (lambda text: text.replace("id: greeting", "id: two"), "two questions have the id 'two'"),
        (lambda text: text.replace("id: greeting", "id: readable"), "names the check that answers can be read"),
        (lambda text: text.replace("see: [RFC", "see: [RCF"), "neither an entry of the lesson nor an RFC section"),
        (lambda text: text.replace("right: true", "right: false"), "no answer is right"),
        (lambda text: text.replace("kind: quiz\n", ""), "it is one of labs of kind 'quiz', and this one is 'server'"),
        (lambda text: text[: text.index("quiz:\n")], "the file needs the key 'quiz'"),
        (lambda text: text.replace("kind: fill", "kind: fil"), "fil"),
        (lambda text: text.partition("quiz:\n")[0] + "quiz: {}\n", "the quiz has no questions"),
        (lambda text: text + "checks: []\n", None),
    ],
)  # fmt: skip
def test_a_faulty_quiz_is_refused_with_its_place(
    own: Path, change: Callable[[str], str], sentence: str | None
) -> None:
    (own / "lab.yaml").write_text(change(OWN))
    if sentence is None:
        assert load(own).max_score == 20
        return
    with pytest.raises(LabError) as caught:
        load(own)
    assert sentence in str(caught.value)
    assert str(own) in str(caught.value)


def test_a_changed_bank_is_read_anew(own: Path) -> None:
    assert load(own).check("two").title == "One and one?"
    (own / "sums.yaml").write_text(SUMS.replace("One and one?", "1 + 1?"))
    assert load(own).check("two").title == "1 + 1?"


def test_each_student_gets_questions_and_letters_of_their_own() -> None:
    drawn, letters = set(), set()
    for number in range(12):
        student = f"student-{number}"
        variant = labs.draw_variant(LAB, student, "key")
        assert variant == labs.draw_variant(LAB, student, "key")
        asked = yaml.safe_load(variant.texts["questions"])
        assert len(asked) == 10
        drawn.add(tuple(asked))
        letters.add(variant.texts["letters"])
        result = grade(variant.texts["letters"], student=student, key="key")
        assert result.score == result.max_score == 100, result.checks
        assert [check.code.partition("/")[2] for check in result.checks[1:]] == list(asked)
        assert grade(variant.texts["questions"], student=student, key="key").score == 0
    assert len(drawn) == len(letters) == 12
    copied = grade(labs.draw_variant(LAB, "alice", "key").texts["letters"], student="bob", key="key")
    assert copied.score < 60
    assert any("were not drawn here" in note for note in copied.notes)


def test_the_seed_of_the_work_draws_the_same_without_the_key() -> None:
    handed_out = labs.draw_variant(LAB, "alice", "key")
    again = labs.draw_variant(LAB, "alice", seed=handed_out.seed)
    assert again.texts == handed_out.texts


def test_nothing_tells_an_answer_before_it_is_given() -> None:
    assert LAB.quiz is not None
    for question in LAB.quiz.questions:
        check = LAB.check(question.id)
        told = json.loads(msgspec.json.encode(msgspec.structs.replace(check, explain="", title="")))
        secret = {one.text for one in getattr(question, "options", []) if one.right and len(one.text) > 3}
        secret |= {one.feedback for one in getattr(question, "options", [])}
        secret |= {one.text for one in getattr(question, "answers", []) if one.right and len(one.text) > 3}
        words = json.dumps(told)
        assert not [text for text in secret if re.search(rf"(?<!\w){re.escape(text)}(?!\w)", words)], (
            question.id
        )
        assert not any(name.startswith("sheet ") for name in check.see)
    first = [
        one.question.options[0].text
        for one in posed(LAB.quiz, "canonical")
        if hasattr(one.question, "options")
    ]
    explained = [LAB.check(one.question.id).explain or "" for one in posed(LAB.quiz, "canonical")]
    assert first
    assert not all("a) " + text in "".join(explained) for text in first), "the bank's order would tell"


def test_partial_credit_is_shown_everywhere() -> None:
    run = pipeline.grade(
        LAB,
        Submission({"answers.yaml": b"open-relay-true: [b, d, e]\ntransaction-order: [c, e, a, d, b]\n"}),
        engine=None,
    )
    points = {check.code: (check.status, check.points) for check in run.result.checks}
    assert points["knowledge-check/open-relay-true"] == ("fail", 6)
    assert points["knowledge-check/transaction-order"] == ("fail", 4)
    assert run.result.score == 10
    assert b"6/10" in outputs.html(run.result, run.evidence)
    assert b'name="points:knowledge-check/open-relay-true" value="6/10"' in outputs.junit([run.result])


def test_evidence_is_judged_again_alike_and_by_a_corrected_key(own: Path) -> None:
    lab = load(own)
    evidence = pipeline.grade(
        lab, Submission({"answers.yaml": b"greeting: 220\ntwo: three\n"}), engine=None
    ).evidence
    document = msgspec.json.encode(evidence)
    assert pipeline.regrade(document).score == 10
    assert b"sums.yaml" in document
    (own / "sums.yaml").write_text(
        SUMS.replace("text: two, right: true, ", "text: two, ")
        .replace(", missed: Count again.", "")
        .replace(
            "{text: three, feedback: Too many.}", "{text: three, right: true, feedback: Yes., missed: No.}"
        )
    )
    assert pipeline.regrade(document, lab=load(own)).score == 20


def test_evidence_holds_no_other_question_of_the_bank() -> None:
    assert LAB.quiz is not None
    evidence = pipeline.grade(LAB, Submission({"answers.yaml": b""}), engine=None).evidence
    asked = {one.question.id for one in posed(LAB.quiz, "canonical")}
    others = {question.id for question in LAB.quiz.questions} - asked
    document = msgspec.json.encode(evidence).decode()
    assert not [name for name in others if f'"{name}"' in document]


def test_a_failure_of_the_graders_own_costs_nothing() -> None:
    evidence = pipeline.failed(LAB, EngineError("no room"), student="eve", variant="abc123", names={})
    result = judge(evidence)
    assert result.status == "error"
    assert {check.status for check in result.checks} == {"error"}
    assert len(result.checks) == 11
    assert result.max_score == 100


def test_only_some_questions_may_be_graded() -> None:
    result = grade("mx-port: 25\n", only={"mx-port"})
    assert [(check.code, check.points) for check in result.checks] == [("knowledge-check/mx-port", 10)]


@every(
    ("data", "sentence"),
    [
        (b"\xff\xfe", "0xFF is no UTF-8"),
        ("ä: ö".encode("cp1252"), "0xE4 is no UTF-8"),
        (b"a: b\n" * 2, "'a' stands twice"),
        (b"a: *b", "the alias *b stands there"),
        (b"a: &b c", "the anchor &b stands there"),
        (b"a: !!binary aaaa", "the tag tag:yaml.org,2002:binary stands there"),
        (b"!<tag:x> a: b", "the tag tag:x stands there"),
        (b"a:\n\tb: c", "a tab stands where YAML wants spaces"),
        (b"a: 'b': c", "a colon stands inside an answer"),
        ("a:\n  b: \u201cc: d\u201d".encode(), "(left double quotation mark, U+201C) stands where `\"` belongs"),
        (b"a: [`x`]", "a backtick"),
        (b"a: ?\nb: c", "a question mark stands alone"),
        (b"- a\n- b", "no list of 'question: answer'"),
        (b"just text", "no list of 'question: answer'"),
        (b"a: b\n---\nc: d", "a second document begins"),
        (b"[a, b]: c", "a list or a mapping stands before a colon"),
        (b"a: " + b"[" * 100_000, "more deeply nested"),
        (b"a: " + b"{a: " * 1000, "more deeply nested"),
        (b"a: [" + b"x," * 50_000 + b"]", "there is more"),
        (b"a: x" * LARGEST, "bytes, and"),
        (b"a: \x1b[31m", "U+001B is no text"),
        (b"a: \x00", "U+0000 is no text"),
        ("a: \ufffe".encode(), "U+FFFE is no text"),
        (b"%YAML 9.9\n---\na: b", "'%' begins an answer"),
        (b'a: "\\xZZ"', "a backslash"),
        (b'a: "\\profile"', "a backslash"),
    ],
)  # fmt: skip
def test_a_hostile_file_gets_one_clear_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(UnreadableFileError) as caught:
        read_answers(data)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300
    result = grade(data)
    assert [check.status for check in result.checks] == ["fail", *["skipped"] * 10]
    assert sentence in result.checks[0].observed
    assert all(check.because == "knowledge-check/readable" for check in result.checks[1:])


@settings(max_examples=examples(300), deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(max_size=200).map(str.encode),
        st.text(alphabet="ab:-?[]{}&*!|>'\"%@`,#\n\t \r~=.", max_size=60).map(lambda text: f"mx-port: {text}".encode()),
        st.dictionaries(st.sampled_from([check.code for check in LAB.checks]), st.recursive(
            st.text(max_size=10) | st.integers() | st.none() | st.booleans(), lambda inner: st.lists(inner, max_size=4)
            | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=6), max_size=5,
        ).map(lambda value: yaml.safe_dump(value).encode()),
    )
)  # fmt: skip
def test_any_file_is_graded_without_an_error(data: bytes) -> None:
    result = grade(data)
    assert result.status == "graded"
    assert len(result.checks) == 11
    assert all(check.status in ("pass", "fail", "skipped") for check in result.checks)
    assert outputs.junit([result])
    assert msgspec.json.decode(outputs.document(result), type=Result) == result


def test_scalars_are_read_as_they_were_typed() -> None:
    text = "a: 025\nb: yes\nc: 1e3\nd: 2026-01-01\ne: ~\nf:\ng: '~'\nh: 0x10\ni: [1, null, no]\nj: <<\n"
    assert read_answers(text.encode()) == {
        "a": "025", "b": "yes", "c": "1e3", "d": "2026-01-01", "e": None, "f": None, "g": "~", "h": "0x10",
        "i": ["1", "", "no"], "j": "<<",
    }  # fmt: skip


def test_too_large_a_file_is_not_even_read(tmp_path: Path) -> None:
    (tmp_path / "answers.yaml").write_bytes(b"a" * 300_000)
    with pytest.raises(SubmissionError):
        labs.read_submission(LAB, tmp_path)


@pytest.mark.slow
def test_chance_earns_little() -> None:
    chance, total = random.Random(7), 0
    for number in range(60):
        student = f"s{number}"
        variant = labs.draw_variant(LAB, student, "k")
        lines = []
        for name, value in yaml.safe_load(variant.texts["questions"]).items():
            asked = yaml.safe_load(variant.texts["letters"])[name]
            if isinstance(value, dict):
                signs = [chr(97 + place) for place in range(len(value))]
                chance.shuffle(signs)
                lines.append(f"{name}: [{', '.join(signs)}]")
            elif isinstance(asked, list):
                lines.append(f"{name}: [{', '.join(chance.sample('abcd', 2))}]")
            else:
                lines.append(f"{name}: {chance.choice('abcd')}")
        total += grade("\n".join(lines), student=student, key="k").score
    assert total / 60 < 35


def test_a_new_quiz_does_what_it_declares(tmp_path: Path) -> None:
    folder = labs.new("week-3", tmp_path / "labs", "quiz")
    tried = [
        verify.try_one(folder, trial, student, None)
        for trial in verify.trials(folder)
        for student in (None, verify.RANDOM_STUDENT)
    ]
    assert [one.problem for one in tried] == [""] * len(tried)
    assert {one.trial for one in tried} == {
        "solution", "starter", "correct/letters", "wrong/old-port", "wrong/knows-nothing", "wrong/not-yaml",
    }  # fmt: skip
    lab = load(folder)
    assert lab.quiz is not None
    assert {question.kind for question in lab.quiz.questions} == {
        "single",
        "multiple",
        "order",
        "match",
        "fill",
    }


def test_questions_do_not_hide_words_of_the_field() -> None:
    shown = CliRunner().invoke(smtplab, ["explain", "rset"], obj=CommandSettings())
    assert "RSET" in shown.output
    assert "knowledge-check" not in shown.output
    question = CliRunner().invoke(smtplab, ["explain", "knowledge-check/new-sender"], obj=CommandSettings())
    assert "knowledge-check/new-sender, 10 points" in question.output
    assert "a) " in question.output


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        ("a: b: c\nd: e", {"a": "b: c", "d": "e"}),
        ("a: `x`\nb: @y\nc: %z", {"a": "`x`", "b": "@y", "c": "%z"}),
        ("a: it's: x  # I think\n", {"a": "it's: x"}),
        ("a: S: 220 ready\nb:\n- `x`\n- y", {"a": "S: 220 ready", "b": ["`x`", "y"]}),
        ("a: \u201cb: c\u201d", {"a": "\u201cb: c\u201d"}),
    ],
)
def test_a_sign_in_one_answer_costs_none_of_the_others(text: str, answers: dict[str, object]) -> None:
    """Who hands in on a platform has nobody to say that YAML wants quotation marks there."""
    assert read_answers(text.encode()) == answers

"""A quiz on paper: all choices are on it, the key on a page of its own, and nothing of a stranger's is obeyed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lxml.html
from click.testing import CliRunner

from grader.cli.app import CommandSettings, smtplab
from grader.kinds.quiz.draw import draw, pose
from grader.kinds.quiz.judge.answers import right_answer
from grader.kinds.quiz.questions import Fill, Match, Option, Single, letter
from grader.lesson import library
from grader.lesson.quiz.printed import printed

QUESTIONS = library().questions


def page(*arguments: Any, key: bool = False) -> Any:
    return lxml.html.fromstring(printed(*arguments, key=key).decode())


def test_every_choice_of_every_question_is_on_paper() -> None:
    questions = page(QUESTIONS, "week-3").find_class("question")
    assert len(questions) == len(QUESTIONS)
    for question, element in zip(QUESTIONS, questions, strict=True):
        listed = [one.text_content() for one in element.xpath(".//ol[@type='a']/li")]
        assert listed == [text.replace("`", "") for text in pose(question, "week-3").shown]
        if isinstance(question, Match):
            lefts = [one.text_content().strip() for one in element.xpath(".//ul/li")]
            assert lefts == [pair.left.replace("`", "") for pair in question.pairs]
        assert [one.text for one in element.iter("pre")] == ["\n".join(question.quoted)] * bool(
            question.quote
        )


def test_the_key_is_there_where_it_is_wanted_and_nowhere_else() -> None:
    drawn = draw(QUESTIONS, "week-3", 40)
    assert page(drawn, "week-3").find_class("key") == []
    lines = page(drawn, "week-3", key=True).find_class("key")[0].xpath("./ol/li")
    assert len(lines) == len(drawn)
    for question, line in zip(drawn, lines, strict=True):
        said = line.xpath("./p[1]")[0].text_content().strip()
        if isinstance(question, Single):
            place = pose(question, "week-3").shown.index(right_answer(question))
            assert said.startswith(f"{letter(place)} ")
        elif isinstance(question, Fill):
            assert said == right_answer(question)
        elif isinstance(question, Match):
            shown = pose(question, "week-3").shown
            assert said == "; ".join(
                f"{pair.left}: {letter(shown.index(pair.right))}" for pair in question.pairs
            )


def test_texts_of_an_author_are_shown_and_not_obeyed() -> None:
    bad = "<script>alert(1)</script> {{ 7 * 7 }} \x1b[31m"
    options = [Option(f"{bad} one", "x", True, "x"), Option(f"{bad} two", "x")]
    question = Single(id="q", topic="t", difficulty=1, ask=bad, quote=bad, see=["smtp"], options=options)
    made = page([question], "s", key=True)
    assert made.xpath("//script") == []
    assert "<script>alert(1)</script> {{ 7 * 7 }}" in made.text_content()
    assert "\x1b" not in made.text_content()


def test_the_command_writes_the_paper_of_a_seed(tmp_path: Path) -> None:
    target = tmp_path / "paper.html"
    asked = ["quiz", "print", "--seed", "week-3", "--number", "4", "--key", "--out", str(target)]
    done = CliRunner().invoke(smtplab, asked, obj=CommandSettings())
    assert done.output == f"4 questions, seed week-3: {target}\n"
    assert target.read_bytes() == printed(draw(QUESTIONS, "week-3", 4), "week-3", key=True)

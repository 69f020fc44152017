"""A knowledge check on paper: one HTML page to print, with a key on a page of its own where one is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import jinja2
from markupsafe import Markup

from grader import resources
from grader.display.sentences import count
from grader.display.text import visible
from grader.kinds.quiz.answer_sheet import TASKS
from grader.kinds.quiz.draw import pose
from grader.kinds.quiz.facts import Posed
from grader.kinds.quiz.judge.answers import right_answer
from grader.kinds.quiz.questions import Fill, Match, Question, Single, choices, letter
from grader.lesson.quiz.export.texts import as_html
from grader.outputs.webpage import content_hash

POINTS = 10
TITLE = "Knowledge check"


@dataclass(frozen=True)
class KeyLine:
    """The right answer of a question: by the letters that the paper has, and in words."""

    question: Question
    letters: str
    words: str


def printed(questions: Sequence[Question], seed: str, *, key: bool) -> bytes:
    """The questions as a page to print, their choices in the order that ``seed`` gives; with the key where wanted.

    It loads nothing and runs nothing.
    """
    posed = [pose(question, seed) for question in questions]
    style = (resources.folder("reports") / "quiz" / "print.css").read_text(encoding="utf-8")
    text = (
        _environment()
        .get_template("print.html.j2")
        .render(
            title=TITLE,
            seed=seed,
            points=POINTS,
            posed=posed,
            tasks=TASKS,
            key=[_key(one) for one in posed] if key else [],
            style=Markup(style),  # noqa: S704  smtplab's own file
            policy=content_hash(style),
        )
    )
    return text.encode()


def _key(posed: Posed) -> KeyLine:
    question = posed.question
    if isinstance(question, Fill):
        return KeyLine(question, "", right_answer(question))
    if isinstance(question, Match):
        letters = "; ".join(f"{pair.left}: {_letter(posed, pair.right)}" for pair in question.pairs)
        return KeyLine(question, letters, "")
    texts = choices(question)
    if hasattr(question, "options"):
        texts = [option.text for option in question.options if option.right]
    letters = ", ".join(_letter(posed, text) for text in texts)
    return KeyLine(question, letters, right_answer(question) if isinstance(question, Single) else "")


def _letter(posed: Posed, text: str) -> str:
    return letter(posed.shown.index(text))


@cache
def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(resources.folder("reports") / "quiz"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: (
            visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
        ),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["prose"] = lambda text: Markup(as_html(text))  # noqa: S704  escaped there
    made.globals["count"] = count
    return made

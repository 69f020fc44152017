"""GIFT, Moodle's format of plain text, in which the signs ``\\ ~ = # { } :`` of every text are escaped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from grader.kinds.quiz.questions import Fill, Match, Multiple, OrderItems, Question, Single
from grader.lesson.quiz.export import Exported
from grader.lesson.quiz.export.texts import as_html, as_line, percent, quote_as_html, shares
from grader.model.errors import UsageError

CATEGORY = "$CATEGORY: $course$/top/smtplab"
_SIGNS = re.compile(r"[\\~=#{}:]")


def gift(questions: Sequence[Exported]) -> bytes:
    """The questions as GIFT, UTF-8. Raises ``UsageError`` for one that GIFT cannot express."""
    parts = []
    topic = ""
    for exported in sorted(questions, key=lambda one: one.question.topic):
        if exported.question.topic != topic:
            topic = exported.question.topic
            parts.append(f"{CATEGORY}/{topic}")
        parts.append(_question(exported))
    return ("\n\n".join(parts) + "\n").encode()


def _question(exported: Exported) -> str:
    question = exported.question
    asked = f"{_html(question.ask)}{_escaped(quote_as_html(question.quoted))}"
    lines = [f"::{_escaped(question.id)}::[html]{asked} {{"]
    lines += [f"\t{line}" for line in _answers(question, exported.order)]
    return "\n".join([*lines, f"\t####{_html(exported.afterwards)}", "}"])


def _answers(question: Question, order: list[int]) -> Iterator[str]:
    if isinstance(question, Single):
        for option in question.options:
            yield f"{'=' if option.right else '~'}{_html(option.text)}#{_html(option.feedback)}"
    elif isinstance(question, Multiple):
        for option, share in zip(question.options, shares(question), strict=True):
            yield f"~%{percent(share)}%{_html(option.text)}#{_html(option.feedback)}"
    elif isinstance(question, OrderItems):
        for place in order:
            yield f"={_html(question.items[place].text)} -> {place + 1}"
    elif isinstance(question, Match):
        for pair in question.pairs:
            yield f"={_html(pair.left)} -> {_escaped(as_line(pair.right))}"
    else:
        yield from _words(question)


def _words(question: Fill) -> Iterator[str]:
    for answer in question.answers:
        text = as_line(answer.text).replace("*", "\\*")
        if "->" in text:
            raise UsageError(
                f"the question {question.id!r} has the answer {text!r}, and GIFT takes '->' for a pair: "
                "reword it, or leave the question out"
            )
        # A bracket would name a format, unless one is named already.
        plain = "[plain]" if text.startswith("[") else ""
        yield f"=%{100 * answer.right}%{plain}{_escaped(text)}#{_html(answer.feedback)}"
    yield f"=%0%*#{_html(question.wrong)}"


def _html(text: str) -> str:
    made = as_html(text).replace("[", "&#91;")  # At the beginning a bracket would name a format,
    return _escaped(re.sub(r"^\s*%", "&#37;", made))  # and a percent sign a weight.


def _escaped(text: str) -> str:
    return _SIGNS.sub(lambda sign: f"\\{sign[0]}", text)

"""Moodle XML: ``<quiz>`` with a ``<question type=…>`` for each question, in a category for each topic."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from grader.kinds.quiz.questions import Fill, Match, Multiple, OrderItems, Question, Single
from grader.lesson.quiz.export import Exported
from grader.lesson.quiz.export.texts import as_html, as_line, percent, quote_as_html, shares

Element = ElementTree.Element
CATEGORY = "$course$/top/smtplab"
TYPES = {
    "single": "multichoice",
    "multiple": "multichoice",
    "order": "ordering",
    "match": "matching",
    "fill": "shortanswer",
}


def moodle(questions: Sequence[Exported]) -> bytes:
    """The questions as Moodle XML, UTF-8. Raises ``UsageError`` for one that Moodle cannot take."""
    quiz = Element("quiz")
    topic = ""
    for exported in sorted(questions, key=lambda one: one.question.topic):
        if exported.question.topic != topic:
            topic = exported.question.topic
            _category(quiz, topic)
        _question(quiz, exported)
    ElementTree.indent(quiz)
    document: bytes = ElementTree.tostring(quiz, encoding="UTF-8", xml_declaration=True)
    return document + b"\n"


def _category(quiz: Element, topic: str) -> None:
    question = ElementTree.SubElement(quiz, "question", type="category")
    _text(ElementTree.SubElement(question, "category"), f"{CATEGORY}/{topic}")


def _question(quiz: Element, exported: Exported) -> None:
    question = exported.question
    element = ElementTree.SubElement(quiz, "question", type=TYPES[question.kind])
    _text(ElementTree.SubElement(element, "name"), question.id)
    asked = ElementTree.SubElement(element, "questiontext", format="html")
    _text(asked, as_html(question.ask) + quote_as_html(question.quoted))
    _html(element, "generalfeedback", exported.afterwards)
    for name, value in (
        ("defaultgrade", "1.0"),
        ("penalty", "0.3333333"),
        ("hidden", "0"),
        ("idnumber", f"smtplab-{question.id}"),
    ):
        ElementTree.SubElement(element, name).text = value
    _answers(element, question)
    tags = ElementTree.SubElement(element, "tags")
    for tag in (question.topic, f"difficulty-{question.difficulty}"):
        _text(ElementTree.SubElement(tags, "tag"), tag)


def _answers(element: Element, question: Question) -> None:
    if isinstance(question, Single | Multiple):
        _choices(element, question)
    elif isinstance(question, OrderItems):
        _ordering(element, question)
    elif isinstance(question, Match):
        ElementTree.SubElement(element, "shuffleanswers").text = "true"
        for pair in question.pairs:
            part = _html(element, "subquestion", pair.left)
            _text(ElementTree.SubElement(part, "answer"), as_line(pair.right))
    else:
        _words(element, question)


def _choices(element: Element, question: Single | Multiple) -> None:
    single = isinstance(question, Single)
    for name, value in (
        ("single", "true" if single else "false"),
        ("shuffleanswers", "true"),
        ("answernumbering", "abc"),
    ):
        ElementTree.SubElement(element, name).text = value
    worth = (
        [100.0 * option.right for option in question.options]
        if isinstance(question, Single)
        else shares(question)
    )
    for option, share in zip(question.options, worth, strict=True):
        _answer(element, as_html(option.text), share, option.feedback, kind="html")


def _ordering(element: Element, question: OrderItems) -> None:
    # Moodle takes the order of the file for the right one, and never shows it.
    # Moodle looks at what follows an item, smtplab at what it follows: the same but at the two ends.
    for name, value in (
        ("layouttype", "VERTICAL"),
        ("selecttype", "ALL"),
        ("selectcount", str(len(question.items))),
        ("gradingtype", "RELATIVE_NEXT_INCLUDE_LAST"),
        ("showgrading", "SHOW"),
        ("numberingstyle", "none"),
    ):
        ElementTree.SubElement(element, name).text = value
    for place, item in enumerate(question.items, 1):
        _answer(element, as_html(item.text), float(place), item.feedback, kind="html")


def _words(element: Element, question: Fill) -> None:
    ElementTree.SubElement(element, "usecase").text = "1" if question.exact else "0"
    for answer in question.answers:
        # An asterisk stands for anything, unless a backslash is before it.
        text = as_line(answer.text).replace("*", "\\*")
        _answer(element, text, 100.0 * answer.right, answer.feedback, kind="moodle_auto_format")
    _answer(element, "*", 0.0, question.wrong, kind="moodle_auto_format")


def _answer(element: Element, text: str, share: float, feedback: str, *, kind: str) -> None:
    answer = ElementTree.SubElement(element, "answer", fraction=percent(share), format=kind)
    _text(answer, text)
    _html(answer, "feedback", feedback)


def _html(parent: Element, name: str, text: str) -> Element:
    element = ElementTree.SubElement(parent, name, format="html")
    _text(element, as_html(text))
    return element


def _text(parent: Element, text: str) -> None:
    ElementTree.SubElement(parent, "text").text = text

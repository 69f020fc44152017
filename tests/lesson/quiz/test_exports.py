"""Exports: what other programs read out of them is what stands in the bank, hostile texts included."""

from __future__ import annotations

import html
import io
import json
import re
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from grader.kinds.quiz.draw import arrange
from grader.kinds.quiz.entries import sheets
from grader.kinds.quiz.questions import (
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
from grader.lesson.quiz.export import SEED, prepared
from grader.lesson.quiz.export.gift import gift
from grader.lesson.quiz.export.moodle import moodle
from grader.lesson.quiz.export.qti import FILE, QTI, qti
from grader.lesson.quiz.export.texts import as_html, as_line, quote_as_html, shares
from grader.model.errors import UsageError
from tests.conftest import examples
from tests.lesson.quiz.readers import read_gift

KNOWN = sheets()
QUESTIONS = library().questions
NS = f"{{{QTI}}}"
MOODLE_SHARES = {100, 90, 83.33333, 80, 75, 70, 66.66667, 60, 50, 40, 33.33333, 30, 25, 20, 16.66667, 14.28571,
                 12.5, 11.11111, 10, 5, 0}  # fmt: skip
"""The shares that Moodle's list of grades has; others are refused on import."""

HOSTILE = [
    "a \\ b \\n c \\\\", "{=yes ~no#}", "1 = 2 ~ 3 # 4 : 5", "a -> b", "// no comment", "::name:: [html]", "[plain]x",
    "%50%half", "####", "<b>&amp;</b> ]]> <!-- -->", "line\nbreak\r\nand\ttab", "$CATEGORY: x", "`<code>` and `",
    "* all *",    "\x1b[31m \x00 \ufffe \u202e", "&&058; &#58;", "''' \"\"\" {{x}} {name} @name@",
]  # fmt: skip
TEXTS = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=40),
    st.text(alphabet="\\~=#{}:->[]%*/`&<>\n $a1", min_size=1, max_size=25),
).filter(lambda text: as_line(text) != "")
BASE: dict[str, Any] = {"id": "q", "topic": "codes", "difficulty": 1, "see": ["reply-220"]}


@st.composite
def question(draw: st.DrawFn) -> Question:
    """A question of any kind, its texts hostile, that the bank would take."""
    kind = draw(st.sampled_from(["single", "multiple", "order", "match", "fill"]))
    texts = draw(st.lists(TEXTS, min_size=4, max_size=5, unique_by=as_line))
    said, asked = draw(TEXTS), {**BASE, "ask": draw(TEXTS)}
    made: Question
    if kind == "single":
        options = [
            Option(text, said, right=not place, missed="" if place else said)
            for place, text in enumerate(texts)
        ]
        made = Single(**asked, options=options)
    elif kind == "multiple":
        options = [
            Option(text, said, place < 2, said if place < 2 else "") for place, text in enumerate(texts)
        ]
        made = Multiple(**asked, options=options)
    elif kind == "order":
        made = OrderItems(**asked, items=[Position(text, said) for text in texts])
    elif kind == "match":
        made = Match(
            **asked,
            pairs=[MatchPair(left, right, said) for left, right in zip(texts, texts[::-1], strict=True)],
        )
    else:
        answers = [Expected(text, said, right=not place) for place, text in enumerate(texts)]
        made = Fill(**asked, answers=answers, wrong=said)
    return made


# A text that begins and ends with white space loses it in every platform; HTML does not show it either.
def shown(text: str) -> str:
    return as_html(text).strip()


def seen(text: str) -> str:
    """What a reader of HTML sees, its marks left in."""
    return html.unescape(text)


def said_to(question: Question) -> dict[str, tuple[str, bool]]:
    """What is said to each answer of a choice or a word, and whether it is right."""
    if isinstance(question, Single | Multiple):
        return {shown(option.text): (shown(option.feedback), option.right) for option in question.options}
    assert isinstance(question, Fill)
    return {as_line(a.text): (shown(a.feedback), a.right) for a in question.answers}


def asked(question: Question) -> str:
    """The question and the lines that it quotes, as HTML."""
    return shown(question.ask) + quote_as_html(question.quoted)


def pairs_of(question: Match | OrderItems) -> list[tuple[str, str]]:
    """Pairs as they are to be exported: items to be put in order do not stand in it."""
    if isinstance(question, Match):
        return [(shown(pair.left), as_line(pair.right)) for pair in question.pairs]
    return [(shown(question.items[place].text), str(place + 1)) for place in arrange(question, SEED)]


def arranged(question: Single | Multiple) -> list[Option]:
    """The options as they are to be exported."""
    return [question.options[place] for place in arrange(question, SEED)]


def holds_in_gift(questions: Sequence[Question]) -> None:
    """Read a GIFT file back and compare."""
    read = read_gift(gift(prepared(questions, KNOWN)).decode())
    assert len(read) == len(questions)
    by_name = {one.name: one for one in read}
    for question in questions:
        found = by_name[question.id]
        assert found.format == "html"
        assert found.category == f"$course$/top/smtplab/{question.topic}"
        assert seen(found.text) == seen(asked(question))
        assert "Read RFC" in found.general
        if isinstance(question, Match | OrderItems):
            assert [(seen(left), right) for left, right in found.pairs] == [
                (seen(left), right) for left, right in pairs_of(question)
            ]
            continue
        words = isinstance(question, Fill)
        got = {text if words else seen(text): (seen(said), weight) for text, weight, said in found.answers}
        if isinstance(question, Fill):
            assert got.pop("*") == (seen(shown(question.wrong)), 0.0)
            got = {text.replace("\\*", "*"): value for text, value in got.items()}
        assert {text: (said, weight > 0) for text, (said, weight) in got.items()} == {
            text if words else seen(text): (seen(said), right)
            for text, (said, right) in said_to(question).items()
        }
        assert found.kind == question.kind


@cache
def moodle_schema() -> Any:
    """The schema of Moodle XML. Whoever only collects the tests need not wait for it."""
    import xmlschema

    return xmlschema.XMLSchema(Path(__file__).with_name("moodle.xsd"))


def holds_in_moodle(questions: Sequence[Question]) -> None:
    """Read Moodle XML back, hold it against the schema, and compare."""
    document = moodle(prepared(questions, KNOWN))
    assert document.startswith(b"<?xml")
    root: Any = etree.fromstring(document)
    assert list(moodle_schema().iter_errors(root)) == []
    elements = {one.findtext("name/text"): one for one in root if one.get("type") != "category"}
    assert set(elements) == {question.id for question in questions}
    for question in questions:
        element = elements[question.id]
        assert element.findtext("questiontext/text").strip() == asked(question)
        answers = element.findall("answer")
        shares = [float(answer.get("fraction")) for answer in answers]
        texts = [(answer.findtext("text"), answer.findtext("feedback/text")) for answer in answers]
        if isinstance(question, OrderItems):
            assert shares == list(range(1, len(question.items) + 1))
            assert [text.strip() for text, _ in texts] == [shown(item.text) for item in question.items]
        elif isinstance(question, Match):
            pairs = [
                (one.findtext("text").strip(), one.findtext("answer/text"))
                for one in element.findall("subquestion")
            ]
            assert pairs == pairs_of(question)
        else:
            if isinstance(question, Fill):
                assert texts.pop() == ("*", as_html(question.wrong))
                texts = [(text.replace("\\*", "*"), said) for text, said in texts]
            assert {abs(share) for share in shares} <= MOODLE_SHARES
            got = {
                text.strip(): (said.strip(), share > 0)
                for (text, said), share in zip(texts, shares, strict=False)
            }
            assert got == said_to(question)


def items_of(document: bytes) -> dict[str, Any]:
    """The items of a QTI package, found by way of its manifest."""
    package = zipfile.ZipFile(io.BytesIO(document))
    assert package.testzip() is None
    manifest: Any = etree.fromstring(package.read("imsmanifest.xml"))
    resource = manifest.find(".//{*}resource[@type='imsqti_xmlv1p2']")
    assert resource is not None
    root: Any = etree.fromstring(package.read(resource.get("href")))
    assert root.tag == f"{NS}questestinterop"
    return {item.get("title"): item for item in root.iter(f"{NS}item")}


def holds_in_qti(questions: Sequence[Question]) -> None:
    """Read a QTI package back and compare; every feedback that is linked is there, and every one there is linked."""
    items = items_of(qti(prepared(questions, KNOWN)))
    for question in questions:
        item = items[question.id]
        linked = Counter(one.get("linkrefid") for one in item.iter(f"{NS}displayfeedback"))
        there = {one.get("ident"): one.findtext(f".//{NS}mattext") for one in item.iter(f"{NS}itemfeedback")}
        assert linked == Counter(there.keys())
        assert item.findtext(f"{NS}presentation/{NS}material/{NS}mattext").strip() == asked(question)
        labels = {
            one.get("ident"): one.findtext(f".//{NS}mattext") for one in item.iter(f"{NS}response_label")
        }
        if isinstance(question, Match | OrderItems):
            lefts = {
                one.get("ident"): one.findtext(f"{NS}material/{NS}mattext").strip()
                for one in item.iter(f"{NS}response_lid")
            }
            right = [(lefts[one.get("respident")], labels[one.text]) for one in item.iter(f"{NS}varequal")]
            assert right == pairs_of(question)
        elif isinstance(question, Fill):
            scored = [one for one in item.iter(f"{NS}respcondition") if one.find(f"{NS}setvar") is not None]
            right_words = {one.text for one in scored[0].iter(f"{NS}varequal")}
            assert right_words == {as_line(answer.text) for answer in question.answers if answer.right}
        else:
            got = {
                labels[ident].strip(): (there[f"{ident}_fb"].strip(), right_in(item, ident))
                for ident in labels
            }
            assert got == said_to(question)


def test_quoted_lines_pass_through_each_format() -> None:
    options = [
        Option(word, f"said {word}", not place, "" if place else "x")
        for place, word in enumerate(HOSTILE[:4])
    ]
    for text in HOSTILE:
        question = Single(
            **BASE, ask="What is wrong?", quote=f"C: {text}\n  {text}\n\n\tlast", options=options
        )
        holds_in_gift([question])
        holds_in_moodle([question])
        holds_in_qti([question])


def right_in(item: Any, ident: str) -> bool:
    """Whether a choice is among the right ones in the condition that gives the points."""
    scored = next(one for one in item.iter(f"{NS}respcondition") if one.find(f"{NS}setvar") is not None)
    return any(
        one.text == ident and one.getparent().tag != f"{NS}not" for one in scored.iter(f"{NS}varequal")
    )


def test_the_bank_is_read_back_from_every_format() -> None:
    holds_in_gift(QUESTIONS)
    holds_in_moodle(QUESTIONS)
    holds_in_qti(QUESTIONS)


@settings(
    max_examples=examples(150), suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
@given(question())
def test_hostile_texts_are_escaped_for_each_format(question: Question) -> None:
    holds_in_moodle([question])
    holds_in_qti([question])
    if isinstance(question, Fill) and any("->" in as_line(answer.text) for answer in question.answers):
        with pytest.raises(UsageError, match="GIFT takes '->' for a pair"):
            gift(prepared([question], KNOWN))
    else:
        holds_in_gift([question])


@pytest.mark.parametrize("text", HOSTILE)
def test_each_hostile_text_passes_through_each_kind(text: str) -> None:
    option = Option(text, text, True, text)
    others = [Option(f"{word} {text}", text) for word in ("one", "two", "three")]
    pairs = [MatchPair(f"{text} {number}", f"{number} {text}", text) for number in (10, 20, 30)]
    asked = {**BASE, "ask": text}
    made: list[Question] = [
        Single(**{**asked, "id": "single"}, options=[option, *others]),
        Multiple(
            **{**asked, "id": "multiple"}, options=[option, Option(f"x {text}", text, True, text), *others]
        ),
        OrderItems(**{**asked, "id": "order"}, items=[Position(pair.left, text) for pair in pairs]),
        Match(**{**asked, "id": "match"}, pairs=pairs),
    ]
    assert [complaint(one) for one in made] == [""] * 4
    holds_in_gift(made)
    holds_in_moodle(made)
    holds_in_qti(made)


GIFT_LIBRARY = """
import json, sys
from pygiftparser import parser
document = sys.stdin.read()
found = {}
category, *blocks = document.strip().split("\\n\\n")
for block in blocks:
    if not block.startswith("$CATEGORY"):
        parser.parse(block)
        one = parser.gift_result.questions[0]
        options = one.answer.options
        found[one.name] = [type(one.answer).__name__, len(options), [option.percentage for option in options]]
print(json.dumps(found))
"""
KINDS_THERE = {
    "single": "MultipleChoiceRadio",
    "multiple": "MultipleChoiceCheckbox",
    "match": "Matching",
    "order": "Matching",
    "fill": "Short",
}


def test_a_library_reads_the_gift_file() -> None:
    # That library takes no escaped sign but the colon, and no weight that is not whole; Moodle takes all.
    blocks = {question.id: gift(prepared([question], KNOWN)).decode() for question in QUESTIONS}
    able = [one for one in QUESTIONS if not re.search(r"\\[^:]|33\.33333", blocks[one.id])]
    assert len(able) > 60
    assert {question.kind for question in able} == set(KINDS_THERE)
    done = subprocess.run(
        [sys.executable, "-c", GIFT_LIBRARY],
        input=gift(prepared(able, KNOWN)), capture_output=True, check=True,
    )  # fmt: skip
    found = json.loads(done.stdout.decode().splitlines()[-1])
    for question in able:
        kind, count, shares = found[question.id]
        assert kind == KINDS_THERE[question.kind], question.id
        if isinstance(question, Single):
            assert count == len(question.options)
            assert shares == [1.0 if option.right else 0.0 for option in arranged(question)]


def test_a_library_reads_the_moodle_file() -> None:
    reader = pytest.importorskip("moodle_xml_parser.parser")
    found = {one.name: one for one in reader.parse_bytes(moodle(prepared(QUESTIONS, KNOWN)))["multichoice"]}
    expected = {question.id: question for question in QUESTIONS if isinstance(question, Single | Multiple)}
    assert set(found) == set(expected)
    for name, question in expected.items():
        assert found[name].single == isinstance(question, Single)
        assert found[name].text_pre_parse == html.unescape(asked(question))
        assert [option.feedback for option in found[name].options] == [
            html.unescape(as_html(option.feedback)) for option in arranged(question)
        ]
        assert [option.score_fraction > 0 for option in found[name].options] == [
            option.right for option in arranged(question)
        ]


def test_a_library_reads_the_qti_package() -> None:
    reader = pytest.importorskip("qti2latex")
    items = items_of(qti(prepared(QUESTIONS, KNOWN)))
    types = {
        "single": "multiple_choice_question", "multiple": "multiple_answers_question",
        "order": "matching_question", "match": "matching_question", "fill": "short_answer_question",
    }  # fmt: skip
    for question in QUESTIONS:
        item = items[question.id]
        assert reader.get_qti_metadata(item)["question_type"] == types[question.kind]
        assert reader.get_item_stem(item) == asked(question)
        if isinstance(question, Multiple):
            # That library takes every condition for one that gives points, those of the feedback too.
            for condition in list(item.iter(f"{NS}respcondition")):
                if condition.find(f"{NS}setvar") is None:
                    condition.getparent().remove(condition)
            right = reader.get_correct_idents(item)
            chosen = [text for ident, text in reader.get_choices(item) if ident in right]
            assert chosen == [as_html(option.text) for option in arranged(question) if option.right]


def test_the_same_questions_give_the_same_package() -> None:
    made = prepared(QUESTIONS[:5], KNOWN)
    assert qti(made) == qti(made)
    assert zipfile.ZipFile(io.BytesIO(qti(made))).namelist() == ["imsmanifest.xml", FILE]


def test_more_parts_than_moodle_knows_are_refused() -> None:
    options = [Option(f"text {number}", "x", number < 11, "x" if number < 11 else "") for number in range(12)]
    question = Multiple(**BASE, ask="?", options=options)
    with pytest.raises(UsageError, match="more than 10 right or wrong options"):
        shares(question)

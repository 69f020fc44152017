"""The quiz's script and the program draw the same questions, show them in the same order and mark answers alike."""

from __future__ import annotations

import json
import random

import msgspec
import pytest

from grader.kinds.quiz.draw import arrange, draw, rank
from grader.kinds.quiz.judge.marking import Given, mark
from grader.kinds.quiz.judge.typed import forms
from grader.kinds.quiz.questions import Fill, Match, OrderItems, Question, choices, plain
from grader.lesson import library
from tests.kinds.quiz.test_typed import labelled
from tests.lesson.embedded import Scripts

QUESTIONS = library().questions
SEEDS = ["canonical", "a", "week-3", "Z.9_z", "7" * 64, *(f"s{number}" for number in range(35))]
TEXTS = [
    " 25 ", "Grüße", "STRASSE", "`x`", "“.”", ".", "..", "a.", "\u00a0a\u00a0\tb ", "\uff21\uff22", "😀.", "'", '""',
    "\u2168", "İ", "ΣΑΣ", "\u212b", "e\u0301", "ﬁ", "½", "--all", "_domainkey.", "",
]  # fmt: skip


@pytest.fixture(scope="module")
def scripts() -> Scripts:
    """The quiz's script without its page, and the bank of questions."""
    loaded = Scripts(["quiz-core", "quiz-typed"])
    loaded.run("globalThis.bank = JSON.parse(dukpy.text); null", text=msgspec.json.encode(QUESTIONS).decode())
    loaded.run("globalThis.core = smtplab.quiz; null")
    return loaded


NUMBERS = [
    *(
        "twenty-five",
        "Two hundred and twenty",
        "five eighty-seven",
        "two two zero",
        "four six-five",
        "one",
        "not ten",
    ),
    *(
        "ten terms",
        "thousand and one hundred",
        "hundred hundred",
        "nine hundred ninety-three",
        "seven minutes",
    ),
    *(
        "twenty-fifth",
        "ten_",
        "tens",
        "ten,ten",
        "\u00e9ten",
        "ten" * 80,
        "no one",
        "twenty zero",
        "twenty twenty",
    ),
]


def some_answer(question: Question, chance: random.Random) -> Given:
    """Any answer, now and then the right one, or an incomplete or strange one."""
    count = len(choices(question))
    if isinstance(question, Fill):
        typed = chance.choice(
            [answer.text.upper() for answer in question.answers] + ["nothing", " "] + NUMBERS
        )
        return (
            chance.choice(["", "", "a ", "The ", "port ", "not ", "over the ", "-", "\u2212", "> "])
            + typed
            + chance.choice(["", "", ":", " =", "==", "\u2028="])
        )
    if isinstance(question, Match):
        return [chance.choice([place, chance.randrange(count), None]) for place in range(count)]
    places: list[int | None] = list(chance.sample(range(count), chance.randint(0, count)))
    if isinstance(question, OrderItems) and chance.random() < 0.5:
        cut = chance.randrange(count)
        return [*range(cut, count), *range(cut)]
    return places


def test_page_and_program_draw_alike(scripts: Scripts) -> None:
    call = "core.draw(bank, value, 10).map((question) => [question.id, core.arrange(question, value)])"
    assert scripts.ask(call, SEEDS) == [
        [[question.id, arrange(question, seed)] for question in draw(QUESTIONS, seed)] for seed in SEEDS
    ]
    assert scripts.ask("core.rank(...value)", [["ü", "😀", ""]]) == [rank("ü", "😀", "")]


def test_page_and_program_mark_alike(scripts: Scripts) -> None:
    chance = random.Random(1)
    asked = [place for place in range(len(QUESTIONS)) for _ in range(20)]
    answers = [some_answer(QUESTIONS[place], chance) for place in asked]
    marks = scripts.ask("core.mark(bank[value[0]], value[1])", list(zip(asked, answers, strict=True)))
    expected = [mark(QUESTIONS[place], given) for place, given in zip(asked, answers, strict=True)]
    assert marks == json.loads(msgspec.json.encode(expected))
    assert len({(one["got"], one["of"]) for one in marks}) > 8


def test_page_and_program_read_what_is_typed_alike(scripts: Scripts) -> None:
    for exact in (False, True):
        call = f"core.plain(value, {json.dumps(exact)})"
        assert scripts.ask(call, TEXTS) == [plain(text, exact=exact) for text in TEXTS]


def test_page_and_program_understand_what_is_typed_alike(scripts: Scripts) -> None:
    """Every labelled answer, put to every question that is typed; and pieces of them put together at random."""
    chance = random.Random(2)
    fills = [(place, one) for place, one in enumerate(QUESTIONS) if isinstance(one, Fill)]
    texts = list(dict.fromkeys(text for _, _, text in labelled("typed.txt")))
    pieces = [piece for text in texts for piece in text.split(" ")] + [
        "(",
        ")",
        "=",
        "`",
        "\u00a0",
        "\u2028",
        "or",
        "İ",
    ]
    texts += [
        chance.choice(["", " "]).join(chance.choices(pieces, k=chance.randint(1, 6))) for _ in range(400)
    ]
    asked = [(place, chance.choice(texts)) for place, _ in fills for _ in range(60)]
    told = scripts.ask("core.forms(bank[value[0]], value[1])", asked)
    questions = dict(fills)
    for (place, text), found in zip(asked, told, strict=True):
        assert [form for form in found if form] == [form for form in forms(questions[place], text) if form], (
            text
        )

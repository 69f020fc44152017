"""Marking: what an answer means, what it is worth, and that no answer is worth more than the right one."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.kinds.quiz.bank import bundled, read_bank
from grader.kinds.quiz.draw import arrange, draw, new_seed, pose, rank, valid_seed
from grader.kinds.quiz.entries import sheets
from grader.kinds.quiz.facts import Posed
from grader.kinds.quiz.judge.answers import UnreadableError, read_answer, right_answer, shown_answer
from grader.kinds.quiz.judge.marking import Given, mark
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
    choices,
)
from grader.model.errors import UsageError
from tests.tables import every

QUESTIONS = read_bank(bundled(), sheets())
BASE: dict[str, Any] = {"id": "q", "topic": "codes", "difficulty": 1, "ask": "?", "see": ["reply-220"]}
SINGLE = Single(
    **BASE, options=[Option("yes", "f", True, "m"), Option("no: never", "g"), Option("MX, A", "h")]
)
MULTIPLE = Multiple(
    **BASE,
    options=[
        Option("red", "1", True, "m1"), Option("green", "2", True, "m2"), Option("blue", "3"), Option("grey", "4"),
        Option("pink", "5"),
    ],
)  # fmt: skip
ORDER = OrderItems(
    **BASE, items=[Position(word, f"f-{word}") for word in ("EHLO", "MAIL FROM", "RCPT TO", "DATA")]
)
MATCH = Match(
    **BASE,
    pairs=[
        MatchPair("25", "transfer", "x"),
        MatchPair("587", "submission", "y"),
        MatchPair("993", "IMAP", "z"),
    ],
)
WORDED = Single(
    **BASE,
    options=[
        Option("Those of your own servers, at the top", "f", True, "m"), Option("All of them: servers sign them", "g"),
        Option("`..x` with two signs", "h"), Option("`.x` with two signs", "i"),
    ],
)  # fmt: skip
NAMED = Match(
    **BASE,
    pairs=[
        MatchPair("SPF", "addresses", "x"),
        MatchPair("DKIM", "a seal", "y"),
        MatchPair("DMARC", "both", "z"),
    ],
)
FILL = Fill(
    **BASE,
    answers=[Expected("25", "right", True), Expected("Twenty Five", "right", True), Expected("587", "no")],
    wrong="It is 25.",
)


def shown(question: Question) -> Posed:
    """The question with its choices in the bank's order."""
    return Posed(question, choices(question))


def right(question: Question) -> Given:
    if isinstance(question, Fill):
        return next(answer.text for answer in question.answers if answer.right)
    places = range(len(choices(question)))
    if isinstance(question, Single | Multiple):
        return [place for place in places if question.options[place].right]
    return list(places)


@every("question", QUESTIONS, ids=lambda question: question.id)
def test_the_key_of_every_question_is_worth_all_and_nothing_else_is(question: Question) -> None:
    key = mark(question, right(question))
    assert key.right
    assert key.points(10) == 10
    assert not mark(question, []).got
    assert all(said.tone == "missed" and said.text for said in mark(question, []).said)
    if isinstance(question, Single):
        assert [place for place in range(len(question.options)) if mark(question, [place]).right] == right(
            question
        )
    if isinstance(question, Multiple):
        every = list(range(len(question.options)))
        assert mark(question, list(every)).got == 0
        subsets = [
            [place for place, taken in zip(every, bits, strict=True) if taken]
            for bits in product((0, 1), repeat=len(every))
        ]
        assert [subset for subset in subsets if mark(question, list(subset)).right] == [right(question)]
    if isinstance(question, OrderItems | Match) and len(choices(question)) <= 5:
        orders = [list(order) for order in permutations(range(len(choices(question))))]
        assert [order for order in orders if mark(question, list(order)).right] == [right(question)]


@every("question", QUESTIONS, ids=lambda question: question.id)
def test_the_right_answer_in_words_is_read_as_right(question: Question) -> None:
    told: Any = right_answer(question)
    if isinstance(question, Match):
        told = {pair.left: pair.right.upper() for pair in question.pairs}
    given = read_answer(pose(question, "seed-1"), told)
    assert given is not None
    assert mark(question, given).right


@pytest.mark.parametrize(
    ("chosen", "worth"),
    [
        ([0, 1], Fraction(1)), ([0], Fraction(1, 2)), ([0, 1, 2], Fraction(2, 3)), ([0, 2], Fraction(1, 6)),
        ([2, 3, 4], Fraction(0)), ([0, 1, 2, 3, 4], Fraction(0)), ([0, 2, 3], Fraction(0)),
    ],
)  # fmt: skip
def test_of_several_right_ones_each_counts_less_the_wrong_ones(
    chosen: list[int | None], worth: Fraction
) -> None:
    marked = mark(MULTIPLE, chosen)
    assert Fraction(marked.got, marked.of) == worth
    assert marked.points(10) == int(10 * worth)


@pytest.mark.parametrize(
    ("order", "got"),
    [([0, 1, 2, 3], 4), ([1, 2, 3, 0], 2), ([3, 2, 1, 0], 0), ([0, 2, 1, 3], 1), ([1, 0, 2, 3], 1), ([3, 0, 1, 2], 2)],
)  # fmt: skip
def test_in_an_order_each_item_counts_that_follows_the_right_one(order: list[int | None], got: int) -> None:
    marked = mark(ORDER, order)
    assert (marked.got, marked.of) == (got, 4)
    assert len(marked.said) == 4 - got


@every(
    ("typed", "is_right"),
    [
        ("25", True), (" 25 ", True), ("“25”", True), ("25.", True), ("port 25", True), ("25/tcp", True),
        ("twenty  five", True), ("TWENTY FIVE", True), ("\uff12\uff15", True), ("`25`", True), ("587", False),
        ("the twenty five", True), ("Twenty Five:", True), ("twenty five =", True),
        ("25 or 587", False), ("2", False), ("255", False), ("", False), (" ", False), ("2 5", False),
        ("-25", False), ("\u221225", False), ("not 25", False), ("not port 25", False), ("isn't 25", False),
        ("anything but 25", False), ("over 25", False), ("> 25", False), ("!25", False), ("more than the 25", False),
        ("no. 25", True), ("smtp-25", True), ("<25>", True), ("it is 25", True), ("#25", True), ("tcp - 25", True),
    ],
)  # fmt: skip
def test_a_word_is_compared_with_tolerance(typed: str, is_right: bool) -> None:
    assert mark(FILL, typed).right is is_right


def test_capitals_matter_where_the_question_says_so() -> None:
    exact = Fill(**BASE, answers=[Expected("EHLO", "yes", True)], wrong="no", exact=True)
    assert mark(exact, " EHLO. ").right
    assert not mark(exact, "ehlo").right
    assert not mark(exact, "EHLO:").right


@every(
    ("id_", "typed"),
    [
        ("session-gap", "MAIL FROM:"), ("dmarc-report-tag", "rua="), ("dkim-key-tag", "p="),
        ("trace-handed-over", "[198.51.100.25]"), ("trace-seconds", "seven"), ("starttls-then", "EHLO client.example"),
        ("spf-two-records", "Perm Error"), ("null-mx-record", "a dot"), ("data-end", "the full stop"),
        ("data-end", "a point"), ("spf-own-address", "ip4:"),
        ("header-end", "an empty line"), ("date-weekday", "Sat,"), ("cleartext-offer", "auth_only = yes"),
        ("log-mailbox-full", "status=deferred"), ("dkim-label", "mail._domainkey.example.com"), ("spf-lookups", "ten."),
        ("large-message", "size"), ("smtp-sister", "the Local Mail Transfer Protocol"),
    ],
)  # fmt: skip
def test_a_right_answer_in_another_form_is_right(id_: str, typed: str) -> None:
    [question] = [one for one in QUESTIONS if one.id == id_]
    assert mark(question, typed).right


def test_the_nearest_form_decides() -> None:
    answers = [
        Expected("p", "yes", True),
        Expected("p=", "no"),
        Expected("7", "yes", True),
        Expected("7 min", "no"),
    ]
    near = Fill(**BASE, answers=answers, wrong="no")
    assert [mark(near, typed).right for typed in ("p", "p=", "p:", "7 s", "7 min")] == [
        True,
        False,
        True,
        True,
        False,
    ]


def test_what_is_said_follows_the_answer() -> None:
    assert [(one.tone, one.text) for one in mark(SINGLE, [1]).said] == [("missed", "m"), ("wrong", "g")]
    assert [(one.tone, one.text) for one in mark(FILL, "587").said] == [
        ("wrong", "no"),
        ("missed", "It is 25."),
    ]
    tones = {one.about: one.tone for one in mark(MULTIPLE, [0, 4]).said}
    assert tones == {"red": "right", "green": "missed", "pink": "wrong"}


@every(
    ("question", "value", "given"),
    [
        (SINGLE, "a", [0]), (SINGLE, "A)", [0]), (SINGLE, "(b)", [1]), (SINGLE, "no: never", [1]), (SINGLE, ["c"], [2]),
        (SINGLE, "a) yes", [0]), (SINGLE, "b) No: never", [1]),
        (ORDER, ["a) EHLO", "b) MAIL FROM", "c) RCPT TO", "d) DATA"], [0, 1, 2, 3]), (SINGLE, "mx, a", [2]),
        (SINGLE, "`Yes`.", [0]), (SINGLE, None, None), (SINGLE, "", None), (SINGLE, "?", None),
        (SINGLE, "---", None), (SINGLE, [], None), (MULTIPLE, "a, c", [0, 2]), (MULTIPLE, "ac", [0, 2]),
        (MULTIPLE, "a and c", [0, 2]), (MULTIPLE, "red; BLUE", [0, 2]), (MULTIPLE, ["red", "c", ""], [0, 2]),
        (MULTIPLE, ["c", "C", "blue"], [2]), (MULTIPLE, "c, a, c", [2, 0]), (SINGLE, "a a", [0]),
        (ORDER, "d c b a", [3, 2, 1, 0]), (ORDER, "a > b > c > d", [0, 1, 2, 3]), (ORDER, "abcd", [0, 1, 2, 3]),
        (ORDER, "EHLO, mail from, rcpt to, DATA", [0, 1, 2, 3]),
        (ORDER, "EHLO -> MAIL FROM -> RCPT TO -> DATA", [0, 1, 2, 3]),
        (MATCH, {"25": "a", "587": "c"}, [0, 2, None]), (MATCH, "c b a", [2, 1, 0]),
        (MATCH, ["a", "b", "c"], [0, 1, 2]),
        (MATCH, [{"25": "transfer"}, {"993": ["IMAP"]}], [0, None, 2]), (MATCH, {"25": None, "587": ""}, None),
        (FILL, ".", "."), (FILL, ["25"], "25"),
        (SINGLE, "answer b", [1]), (SINGLE, "Option (c)", [2]), (MULTIPLE, "a & c", [0, 2]),
        (ORDER, "d-c-b-a", [3, 2, 1, 0]), (ORDER, "d \u2013 c \u2013 b \u2013 a", [3, 2, 1, 0]),
        (MATCH, "25=c, 587 = b; 993: a", [2, 1, 0]), (MATCH, "25-c 587-b 993-a", [2, 1, 0]),
        (MATCH, "25 c, 587 (b)", [2, 1, None]), (WORDED, "those of your own servers at the top", [0]),
        (WORDED, "b: All of them; servers sign them.", [1]), (WORDED, "b - All of them: servers sign them", [1]),
        (SINGLE, "`b`", [1]), (SINGLE, "'b'", [1]), (SINGLE, "*b*", [1]), (SINGLE, "\u201cb\u201d", [1]),
        (MULTIPLE, "[a, c]", [0, 2]), (ORDER, "[d, c, b, a]", [3, 2, 1, 0]), (MULTIPLE, "`a`, `c`", [0, 2]),
        (ORDER, "1. d 2. c 3. b 4. a", [3, 2, 1, 0]), (ORDER, "1) d, 2) c, 3) b, 4) a", [3, 2, 1, 0]),
        (ORDER, "1d 2c 3b 4a", [3, 2, 1, 0]), (ORDER, "2=c; 1=d; 3=b; 4=a", [3, 2, 1, 0]),
        (ORDER, "1. DATA 2. RCPT TO 3. MAIL FROM 4. EHLO", [3, 2, 1, 0]),
        (ORDER, ["1. d", "2. c", "3. b", "4. a"], [3, 2, 1, 0]),
        (ORDER, {"1": "d", "2.": "c", "3": "b", "4": "a"}, [3, 2, 1, 0]),
        (ORDER, [{"1": "d"}, {"2": "c"}, {"3": "b"}, {"4": "EHLO"}], [3, 2, 1, 0]),
        (ORDER, {"a": "4", "b": "3", "c": "2", "d": "1"}, [3, 2, 1, 0]),
        (ORDER, "EHLO - MAIL FROM - RCPT TO - DATA", [0, 1, 2, 3]), (ORDER, "d then c then b then a", [3, 2, 1, 0]),
        (ORDER, "EHLO < MAIL FROM < RCPT TO < DATA", [0, 1, 2, 3]),
        (MULTIPLE, "1. a 2. c", [0, 2]), (MULTIPLE, {"1": "a", "2": "c"}, [0, 2]), (SINGLE, {"b": "true"}, [1]),
        (MULTIPLE, {"a": "yes", "b": "no", "c": "x", "d": None}, [0, 2]),
        (NAMED, "1. b 2. a 3. c", [1, 0, 2]), (NAMED, {"1": "b", "2": "a", "3": "c"}, [1, 0, 2]),
        (NAMED, {"b": "SPF", "a": "dkim", "c": "DMARC"}, [1, 0, 2]), (NAMED, {"b": "SPF"}, [1, None, None]),
    ],
)  # fmt: skip
def test_an_answer_is_read_in_many_forms(question: Question, value: Any, given: Given | None) -> None:
    assert read_answer(shown(question), value) == given


@every(
    ("question", "value", "sentence"),
    [
        (SINGLE, "a b", "2 answers are given, and exactly one is right"),
        (SINGLE, "d", "'d' is neither a letter from a to c nor one of the texts"),
        (SINGLE, "yess", "did you mean 'yes'?"),
        (SINGLE, "b) yes", "names one choice by its letter and another by its text"),
        (SINGLE, {"a": "b"}, "put a text with a colon in quotation marks"),
        (ORDER, "a a b c", "stands twice"),
        (SINGLE, "a a b", "2 answers are given, and exactly one is right"),
        (MULTIPLE, [["a"]], "list of lists"),
        (ORDER, "a b c", "3 of 4 items are put in order; 'DATA' is missing"),
        (MATCH, {"5877": "a"}, "'5877' is none of the left-hand sides; did you mean '587'?"),
        (MATCH, "a b", "3 pairs are asked for, and the answer has 2"),
        (MATCH, {"25": ["a", "b"]}, "one letter or text is asked for"),
        (FILL, ["25", "26"], "one word or number is asked for"),
        (SINGLE, "x" * 500, f"'{'x' * 60}…' is neither"),
        (MULTIPLE, "a-c", "'a-c' is neither"),
        (MATCH, "25=c, 25 = b, 587=a", "is neither"),
        (MATCH, "25=c, 26=a, 587=b", "is neither"),
        (WORDED, "c with signs", "is neither"),
        (WORDED, "one's own", "is neither"),
    ],
)
def test_what_cannot_be_read_gets_a_sentence(question: Question, value: Any, sentence: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        read_answer(shown(question), value)
    assert sentence in str(caught.value)


SCALARS = st.one_of(
    st.text(max_size=30), st.none(), st.sampled_from(["a", "b", "ab", "c a", "EHLO", "25", "~", "a:"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | st.just("25"), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(st.sampled_from([SINGLE, MULTIPLE, ORDER, MATCH, FILL]), VALUES)
def test_any_answer_is_read_or_refused_with_a_sentence(question: Question, value: Any) -> None:
    try:
        given = read_answer(shown(question), value)
    except UnreadableError as error:
        assert str(error)  # noqa: PT017  # any value may be read as well
        return
    marked = mark(question, given if given is not None else [])
    assert 0 <= marked.got <= marked.of
    assert (
        marked.right or any(said.tone == "missed" for said in marked.said) or isinstance(question, Multiple)
    )
    assert isinstance(shown_answer(shown(question), given if given is not None else []), str)


def test_a_draw_is_the_same_for_a_seed_and_balanced() -> None:
    seen = set()
    for number in range(60):
        seed = f"s{number}"
        drawn = draw(QUESTIONS, seed)
        assert [one.id for one in drawn] == [one.id for one in draw(list(reversed(QUESTIONS)), seed)]
        assert len({one.id for one in drawn}) == 10
        topics = [one.topic for one in drawn]
        assert {topics.count(topic) for topic in set(topics)} <= {1, 2}
        assert len(set(topics)) == 6
        levels = [one.difficulty for one in drawn]
        assert min(levels.count(level) for level in (1, 2, 3)) >= 2
        assert levels == sorted(levels)
        assert sum(isinstance(one, Single) for one in drawn) <= 6
        seen |= {one.id for one in drawn}
    assert len(seen) > len(QUESTIONS) * 0.9
    assert draw(QUESTIONS[:3], "x") != []
    assert len(draw(QUESTIONS[:3], "x", 10)) == 3


def test_a_rank_stays_what_it_is() -> None:
    # Seeds are handed around: another rank would give everybody another check.
    assert rank("abc", "question", "x") == 2707528119


def test_choices_are_shuffled_and_never_give_an_order_away() -> None:
    firsts = set()
    for question in QUESTIONS:
        for number in range(30):
            order = arrange(question, f"s{number}")
            assert sorted(order) == list(range(len(choices(question))))
            if isinstance(question, OrderItems | Match):
                assert order != sorted(order)
            elif isinstance(question, Single):
                firsts.add(order[0])
    assert firsts == {0, 1, 2, 3}


@pytest.mark.parametrize("seed", ["", "a b", "ü", "x" * 65, "-a", "a\n", "../x"])
def test_a_seed_is_a_short_word(seed: str) -> None:
    with pytest.raises(UsageError, match="letters, digits, dots and dashes"):
        valid_seed(seed)
    assert valid_seed(new_seed())

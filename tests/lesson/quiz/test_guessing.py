"""Nobody can guess: neither length, punctuation, words, number nor place of an option tells whether it is right."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from statistics import correlation, mean

import pytest

from grader.kinds.quiz.draw import arrange
from grader.kinds.quiz.questions import Fill, Multiple, Option, Single
from grader.lesson import library
from grader.lesson.quiz.export import SEED
from tests.tables import every

SINGLES = [question for question in library().questions if isinstance(question, Single)]
MULTIPLES = [question for question in library().questions if isinstance(question, Multiple)]
MOST = 0.35
"""What a way of guessing may score among questions with four options, of which chance finds a quarter."""


def length(text: str) -> int:
    """Characters that a reader sees."""
    return len(text.replace("`", ""))


def holds(pattern: str) -> Callable[[str], int]:
    """Whether a pattern stands in a text, in any case of letters."""
    return lambda text: bool(re.search(pattern, text, re.IGNORECASE))


def lacks(pattern: str) -> Callable[[str], int]:
    """Whether a pattern does not stand in a text."""
    return lambda text: not re.search(pattern, text, re.IGNORECASE)


ABSOLUTE = r"\b(all|only|always|never|nobody|everybody|nothing|alone|none|any|every)\b"
GUESSES: dict[str, Callable[[str], int]] = {
    "the longest": length,
    "the shortest": lambda text: -length(text),
    "one with a comma, colon or semicolon": holds("[,:;]"),
    "one without": lacks("[,:;]"),
    "one with a number": holds("[0-9]"),
    "one with code": holds("`"),
    "one without code": lacks("`"),
    "one that says yes": lacks(r"\b(no|not|nor|never|none|nothing|nobody)\b"),
    "one without great words": lacks(ABSOLUTE),
    "one that gives a reason": holds(r"\b(because|since|so|for|as)\b"),
    "one that ends in a full stop": holds(r"[.]$"),
}


def scored(questions: list[Single], liking: Callable[[str], int]) -> float:
    """The share of questions that are right for whoever takes the option that he likes best, or one of several."""
    worth = []
    for question in questions:
        most = max(liking(option.text) for option in question.options)
        liked = [option.right for option in question.options if liking(option.text) == most]
        worth.append(sum(liked) / len(liked))
    return mean(worth)


@every("way", GUESSES)
def test_no_way_of_guessing_finds_the_right_option(way: str) -> None:
    assert len(SINGLES) >= 40
    assert scored(SINGLES, GUESSES[way]) <= MOST


def words(text: str) -> set[str]:
    """The beginnings of its words, by which a word is known in another form."""
    return {word[:5] for word in re.findall("[a-z0-9]+", text.lower()) if len(word) > 1}


def test_a_question_s_name_does_not_tell_the_answer() -> None:
    """Students see it on their sheet, and in reports."""
    worth = []
    for question in SINGLES:
        shared = [len(words(question.id) & words(option.text)) for option in question.options]
        liked = [option.right for option, n in zip(question.options, shared, strict=True) if n == max(shared)]
        worth.append(sum(liked) / len(liked))
    assert mean(worth) <= MOST - 0.05
    for fill in library().questions:
        if isinstance(fill, Fill):
            right = [answer.text for answer in fill.answers if answer.right]
            assert not [text for text in right if words(fill.id) & words(text)], fill.id


def test_the_right_option_is_not_the_one_with_the_question_s_words() -> None:
    worth = []
    for question in SINGLES:
        asked = words(f"{question.ask} {question.quote}")
        shared = [
            len(asked & words(option.text)) / max(1, len(words(option.text))) for option in question.options
        ]
        liked = [option.right for option, n in zip(question.options, shared, strict=True) if n == max(shared)]
        worth.append(sum(liked) / len(liked))
    assert mean(worth) <= MOST


def test_the_ways_of_guessing_are_found_out() -> None:
    def asked(*texts: str) -> Single:
        options = [Option(text, "x", not place, "" if place else "x") for place, text in enumerate(texts)]
        return Single(id="q", topic="codes", difficulty=1, ask="?", see=["smtp"], options=options)

    telling = [
        asked("the right one, which is long: so", "no", "never", "three"),
        asked("right, as it is", "a b"),
    ]
    assert scored(telling, GUESSES["the longest"]) == 1
    assert scored(telling, GUESSES["one with a comma, colon or semicolon"]) == 1
    assert scored(telling, GUESSES["the shortest"]) == 0


@pytest.mark.parametrize("questions", [SINGLES, MULTIPLES], ids=["single", "multiple"])
def test_length_and_right_do_not_go_together(questions: list[Single] | list[Multiple]) -> None:
    long, right = [], []
    for question in questions:
        usual = mean(length(option.text) for option in question.options)
        long += [length(option.text) / usual for option in question.options]
        right += [float(option.right) for option in question.options]
    assert abs(correlation(long, right)) <= 0.15


def test_the_right_option_is_seldom_the_longest_or_the_shortest() -> None:
    longest = shortest = 0
    for question in SINGLES:
        right = next(length(option.text) for option in question.options if option.right)
        others = [length(option.text) for option in question.options if not option.right]
        longest += right >= max(others)
        shortest += right <= min(others)
    assert longest <= MOST * len(SINGLES)
    assert shortest <= MOST * len(SINGLES)


def test_the_number_of_right_options_is_not_always_the_same() -> None:
    numbers = Counter(sum(option.right for option in question.options) for question in MULTIPLES)
    assert set(numbers) == {1, 2, 3, 4}
    assert max(numbers.values()) <= len(MULTIPLES) / 2


@pytest.mark.parametrize("seed", [SEED, "canonical", "week-3"])
def test_the_right_option_stands_at_each_place_alike(seed: str) -> None:
    places = Counter(
        next(letter for letter, place in enumerate(arrange(question, seed)) if question.options[place].right)
        for question in SINGLES
    )
    assert set(places) == {0, 1, 2, 3}
    assert max(places.values()) <= 0.4 * len(SINGLES)

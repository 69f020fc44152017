"""What an answer is worth, and what there is to say to it.

The page of the lesson marks by the same rules (``quiz-core.js``). An answer is partly right by one rule a kind:

========  ==============================================================================================
single    right or wrong
fill      right or wrong
multiple  share of the right options chosen, less the share of the wrong ones chosen; never below nothing
order     share of the items that follow the item they belong behind (the first: that stand first)
match     share of the pairs put together
========  ==============================================================================================

So no answer and all options at once are both worth nothing, and one item moved to another place does not cost the
whole order.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from msgspec import Struct

from grader.kinds.quiz.judge.typed import forms
from grader.kinds.quiz.questions import Fill, Match, Multiple, OrderItems, Question, Single, plain

Given = str | list[int | None]
"""An answer: the text filled in; or places in the bank. They are the options chosen, the items in the order given, or
for each left-hand side the right-hand one put to it (``None`` for none)."""

Tone = Literal["right", "wrong", "missed"]


class Said(Struct, frozen=True):
    """Something said to an answer. ``missed`` tells what would have been right, the other tones what the answer was."""

    tone: Tone
    text: str
    about: str = ""


class Mark(Struct, frozen=True):
    """What an answer is worth: ``got`` of ``of`` parts."""

    got: int
    of: int
    said: list[Said]

    @property
    def right(self) -> bool:
        """Whether all of it is right."""
        return self.got == self.of

    def points(self, most: int) -> int:
        """Its worth in points of ``most``, rounded down."""
        return most * self.got // self.of


def mark(question: Question, given: Given) -> Mark:
    """The mark of an answer. An empty one is worth nothing and gets what was missed."""
    if isinstance(question, Fill):
        return _filled(question, given if isinstance(given, str) else "")
    places = given if isinstance(given, list) else []
    if isinstance(question, Single):
        return _chosen(question, places[:1], 1)
    if isinstance(question, Multiple):
        return _chosen(question, places, sum(option.right for option in question.options))
    if isinstance(question, OrderItems):
        return _ordered(question, places)
    return _matched(question, places)


def _filled(question: Fill, text: str) -> Mark:
    known = {plain(answer.text, exact=question.exact): answer for answer in question.answers}
    answer = next((known[form] for form in forms(question, text) if form in known), None)
    if answer is None:
        return Mark(0, 1, [Said("missed", question.wrong)])
    said = [Said("right" if answer.right else "wrong", answer.feedback)]
    return Mark(1, 1, said) if answer.right else Mark(0, 1, [*said, Said("missed", question.wrong)])


def _chosen(question: Single | Multiple, places: list[int | None], right: int) -> Mark:
    wrong = len(question.options) - right
    said, hits, slips = [], 0, 0
    for place, option in enumerate(question.options):
        if place in places:
            said.append(Said("right" if option.right else "wrong", option.feedback, option.text))
            hits, slips = hits + option.right, slips + (not option.right)
        elif option.right:
            said.append(Said("missed", option.missed, option.text))
    worth = max(Fraction(0), Fraction(hits, right) - Fraction(slips, wrong))
    return Mark(worth.numerator, worth.denominator, said)


def _ordered(question: OrderItems, places: list[int | None]) -> Mark:
    count = len(question.items)
    # What stands before an item, -1 before the first: right where the bank has it directly behind that.
    before = dict(zip(places, [-1, *places], strict=False))
    inplace = [place in before and before[place] == place - 1 for place in range(count)]
    said = [
        Said("missed", item.feedback, item.text)
        for item, right in zip(question.items, inplace, strict=True)
        if not right
    ]
    return Mark(sum(inplace), count, said)


def _matched(question: Match, places: list[int | None]) -> Mark:
    count = len(question.pairs)
    right = [place < len(places) and places[place] == place for place in range(count)]
    said = [
        Said("missed", pair.feedback, pair.left)
        for pair, together in zip(question.pairs, right, strict=True)
        if not together
    ]
    return Mark(sum(right), count, said)

"""The quiz bank's questions, one type for each kind, and how an answer is marked."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from grader.lesson.entries import Id, Text

Topic = Literal["commands", "codes", "ports", "security", "headers", "delivery"]


class Option(Struct, frozen=True, forbid_unknown_fields=True):
    """An answer to choose. ``feedback`` is said when it was chosen, ``missed`` when it was right and was not."""

    text: Text
    feedback: Text
    right: bool = False
    missed: str = ""


class Pair(Struct, frozen=True, forbid_unknown_fields=True):
    """Two things that belong together; ``feedback`` is said when they were not put together."""

    left: Text
    right: Text
    feedback: Text


class Position(Struct, frozen=True, forbid_unknown_fields=True):
    """A thing in its place; ``feedback`` is said when it was put elsewhere."""

    text: Text
    feedback: Text


class Expected(Struct, frozen=True, forbid_unknown_fields=True):
    """Something that may be filled in: right, or a mistake that deserves an answer of its own."""

    text: Text
    feedback: Text
    right: bool = False


class Base(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every question has. ``difficulty``: 1 recall, 2 understanding, 3 judgement."""

    id: Id
    topic: Topic
    difficulty: Annotated[int, Meta(ge=1, le=3)]
    ask: Text
    see: Annotated[list[Id], Meta(min_length=1, description="Ids of the entries that answer it.")]
    kind: str


class Single(Base, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Exactly one option is right."""

    options: Annotated[list[Option], Meta(min_length=3)]


class Multiple(Base, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At least two options are right; all of them and no other must be chosen."""

    options: Annotated[list[Option], Meta(min_length=4)]


class Order(Base, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Things to be put in order; they are listed in the right one."""

    items: Annotated[list[Position], Meta(min_length=3)]


class Match(Base, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Things to be put together in pairs."""

    pairs: Annotated[list[Pair], Meta(min_length=3)]


class Fill(Base, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A word or number to be typed. ``wrong`` is said to any answer that is not among the expected ones."""

    answers: Annotated[list[Expected], Meta(min_length=1)]
    wrong: Text
    exact: Annotated[bool, Meta(description="Whether capitals matter.")] = field(default=False)


Question = Single | Multiple | Order | Match | Fill
KINDS: dict[str, type[Question]] = {
    "single": Single,
    "multiple": Multiple,
    "order": Order,
    "match": Match,
    "fill": Fill,
}


def complaint(question: Question) -> str:
    """What the types cannot say against a question; empty where nothing is."""
    if isinstance(question, Single | Multiple):
        return _choice_complaint(question)
    if isinstance(question, Order):
        texts = [item.text for item in question.items]
        return (
            "two items are the same text, so their order cannot be told"
            if len(set(texts)) < len(texts)
            else ""
        )
    if isinstance(question, Match):
        for side in ([pair.left for pair in question.pairs], [pair.right for pair in question.pairs]):
            if len(set(side)) < len(side):
                return "one side of the pairs has the same text twice, so more than one matching is right"
        return ""
    if not any(answer.right for answer in question.answers):
        return "no answer is right; mark at least one with 'right: true'"
    known = [answer.text if question.exact else answer.text.casefold() for answer in question.answers]
    return "an answer stands twice" if len(set(known)) < len(known) else ""


def _choice_complaint(question: Single | Multiple) -> str:
    right = [option for option in question.options if option.right]
    if isinstance(question, Single) and len(right) != 1:
        return f"{len(right)} options are right; a single choice has exactly one"
    if isinstance(question, Multiple) and not 2 <= len(right) < len(question.options):
        return f"{len(right)} of {len(question.options)} options are right; a multiple choice has at least two, not all"
    if any(not option.missed for option in right):
        return "a right option has no 'missed', which is said to whoever did not choose it"
    if any(option.missed for option in question.options if not option.right):
        return "a wrong option has 'missed', which is never said: not choosing it is right"
    texts = [option.text.casefold() for option in question.options]
    return "two options are the same text" if len(set(texts)) < len(texts) else ""

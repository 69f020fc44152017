"""Questions of a quiz, one type for each kind, as a bank of questions declares them.

Texts are Markdown of the simplest sort: backticks for what is typed, no other marks.
"""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Meta, Struct, field

Text = Annotated[str, Meta(min_length=1, max_length=2000)]
Id = Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
Topic = Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
See = Annotated[str, Meta(min_length=1, max_length=100)]
MOST = 20
"""Options, items or pairs that a question may have, and so the last letter that names one is ``t``."""


class Option(Struct, frozen=True, forbid_unknown_fields=True):
    """An answer to choose."""

    text: Annotated[Text, Meta(description="What is to be chosen.")]
    feedback: Annotated[Text, Meta(description="Said to whoever chose it.")]
    right: Annotated[bool, Meta(description="Whether it is right to choose it.")] = False
    missed: Annotated[str, Meta(description="Said to whoever did not choose it, though it is right.")] = ""


class MatchPair(Struct, frozen=True, forbid_unknown_fields=True):
    """Two things that belong together."""

    left: Annotated[Text, Meta(description="What stands there.")]
    right: Annotated[Text, Meta(description="What is to be put to it.")]
    feedback: Annotated[Text, Meta(description="Said when they were not put together; may tell the answer.")]


class Position(Struct, frozen=True, forbid_unknown_fields=True):
    """A thing in its place."""

    text: Annotated[Text, Meta(description="What is to be put in its place.")]
    feedback: Annotated[Text, Meta(description="Said when it was put elsewhere; may tell the answer.")]


class Expected(Struct, frozen=True, forbid_unknown_fields=True):
    """Something that may be filled in: right, or a mistake that deserves an answer of its own."""

    text: Annotated[Text, Meta(description="The answer; capitals and white space do not matter.")]
    feedback: Annotated[Text, Meta(description="Said to whoever gave it.")]
    right: Annotated[bool, Meta(description="Whether it is right.")] = False


class Base(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """What every question has."""

    id: Annotated[Id, Meta(description="Its name: the code of its check, and the key of its answer.")]
    topic: Annotated[Topic, Meta(description="What it is about; draws take from all topics alike.")]
    difficulty: Annotated[int, Meta(ge=1, le=3, description="1 recall, 2 understanding, 3 judgement.")]
    ask: Annotated[Text, Meta(description="The question.")]
    quote: Annotated[
        str,
        Meta(
            max_length=4000,
            description="What the question is about, shown line by line as it stands: a transcript, a record, a "
            "header, a log line.",
        ),
    ] = ""
    see: Annotated[
        list[See],
        Meta(
            min_length=1,
            description="What answers it: ids of entries of the lesson, or RFC sections. Not shown before grading.",
        ),
    ]

    @property
    def kind(self) -> str:
        """The word that names its kind in YAML: ``single``, ``multiple``, ``order``, ``match`` or ``fill``."""
        return str(self.__struct_config__.tag)

    @property
    def quoted(self) -> list[str]:
        """The lines of ``quote``, tabs as spaces, without the empty ones at its ends."""
        lines = self.quote.expandtabs().strip("\n")
        return lines.split("\n") if lines else []

    @property
    def title(self) -> str:
        """The question where code cannot be shown as such: in quotation marks instead of backticks."""
        return " ".join(self.ask.replace("`", "'").split())


class Single(Base, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="single"):
    """Exactly one option is right."""

    options: Annotated[list[Option], Meta(min_length=2, max_length=MOST, description="One is right.")]


class Multiple(Base, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="multiple"):
    """One option is right, or several are, but not all; all of them and no other must be chosen."""

    options: Annotated[
        list[Option], Meta(min_length=3, max_length=MOST, description="One or more are right, not all.")
    ]


class OrderItems(Base, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="order"):
    """Things to be put in order; they are listed in the right one."""

    items: Annotated[
        list[Position], Meta(min_length=3, max_length=MOST, description="The items, in the right order.")
    ]


class Match(Base, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="match"):
    """Things to be put together in pairs."""

    pairs: Annotated[list[MatchPair], Meta(min_length=3, max_length=MOST, description="The right pairs.")]


class Fill(Base, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="fill"):
    """A word or number to be typed. ``wrong`` tells the answer to whoever gave none of the right ones."""

    answers: Annotated[
        list[Expected], Meta(min_length=1, description="Right answers, and mistakes worth a word.")
    ]
    wrong: Annotated[Text, Meta(description="Tells the answer to whoever gave no right one.")]
    exact: Annotated[bool, Meta(description="Whether capitals matter.")] = field(default=False)


Question = Single | Multiple | OrderItems | Match | Fill
KINDS: dict[str, type[Question]] = {
    "single": Single,
    "multiple": Multiple,
    "order": OrderItems,
    "match": Match,
    "fill": Fill,
}

_SPACE = re.compile("[ \t\n\v\f\r\u00a0]+")
_QUOTES = {'"': '"', "'": "'", "`": "`", "\u201c": "\u201d", "\u2018": "\u2019", "\u00ab": "\u00bb"}


def joined(text: str) -> str:
    """``text`` in Unicode's NFKC, white space as one space."""
    import unicodedata

    return _SPACE.sub(" ", unicodedata.normalize("NFKC", text)).strip(" ")


def plain(text: str, *, exact: bool = False) -> str:
    """``text`` as answers are compared: in Unicode's NFKC, white space as one space, without the quotation marks or
    backticks around it and a full stop behind it, in small letters unless ``exact``."""
    text = joined(text)
    if len(text) > 2 and _QUOTES.get(text[0]) == text[-1]:
        text = text[1:-1].strip(" ")
    if len(text) > 1 and text.endswith(".") and not text.endswith(".."):
        text = text[:-1].rstrip(" ")
    return text if exact else text.lower()


def bare(text: str) -> str:
    """``text`` as an option is compared: as ``plain`` has it, and without the backticks inside."""
    return plain(text.replace("`", ""))


def choices(question: Question) -> list[str]:
    """The texts that letters stand for: options, items, or the right-hand sides of pairs."""
    if isinstance(question, Single | Multiple):
        return [option.text for option in question.options]
    if isinstance(question, OrderItems):
        return [item.text for item in question.items]
    if isinstance(question, Match):
        return [pair.right for pair in question.pairs]
    return []


def letter(place: int) -> str:
    """The letter that names the choice at a place, counted from 0."""
    return chr(ord("a") + place)


def complaint(question: Question) -> str:
    """What the types cannot say against a question; empty where nothing is."""
    texts = [bare(text) for text in choices(question)]
    if any(re.fullmatch("[a-z]", text) for text in texts):
        return "a choice is a single letter, which reads like the letter of another choice; write a word more"
    if isinstance(question, Single | Multiple):
        return _choice_complaint(question, texts)
    if isinstance(question, OrderItems):
        return (
            "two items are the same text, so their order cannot be told"
            if len(set(texts)) < len(texts)
            else ""
        )
    if isinstance(question, Match):
        lefts = [bare(pair.left) for pair in question.pairs]
        if len(set(lefts)) < len(lefts) or len(set(texts)) < len(texts):
            return "one side of the pairs has the same text twice, so more than one matching is right"
        return ""
    if not any(answer.right for answer in question.answers):
        return "no answer is right; mark at least one with 'right: true'"
    if any(not plain(answer.text) for answer in question.answers):
        return "an answer is nothing but white space"
    known = [plain(answer.text, exact=question.exact) for answer in question.answers]
    return "an answer stands twice" if len(set(known)) < len(known) else ""


def _choice_complaint(question: Single | Multiple, texts: list[str]) -> str:
    right = [option for option in question.options if option.right]
    if isinstance(question, Single) and len(right) != 1:
        return f"{len(right)} options are right; a single choice has exactly one"
    if isinstance(question, Multiple) and not 1 <= len(right) < len(question.options):
        return f"{len(right)} of {len(question.options)} options are right; a multiple choice has at least one, not all"
    if any(not option.missed for option in right):
        return "a right option has no 'missed', which is said to whoever did not choose it"
    if any(option.missed for option in question.options if not option.right):
        return "a wrong option has 'missed', which is never said: not choosing it is right"
    return "two options are the same text" if len(set(texts)) < len(texts) else ""

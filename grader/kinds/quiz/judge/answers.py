"""What a student's answer means: letters or texts, alone, in a list or in a line of text."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any

from grader.kinds.quiz.facts import Posed
from grader.kinds.quiz.judge.marking import Given
from grader.kinds.quiz.judge.numbered import numbered, ranked, ticked
from grader.kinds.quiz.judge.phrases import plainly, ranks
from grader.kinds.quiz.judge.spelled import with_digits
from grader.kinds.quiz.judge.wrapping import written_plainly
from grader.kinds.quiz.questions import (
    Fill,
    Match,
    Multiple,
    OrderItems,
    Question,
    Single,
    bare,
    choices,
    letter,
)

_LETTER = re.compile(r"\(?([A-Za-z])[).:]?")
_LETTER_AND_TEXT = re.compile(r"\(?([A-Za-z])(?:[).:]\s+|\s+[-\u2013\u2014:=]\s+)(.+)", re.DOTALL)
"""A whole line of the sheet: ``b) EHLO``."""

_BETWEEN_LETTERS = re.compile(
    r"\s*(?:,|;|/|\||\+|&|->|=>|>|→|<|\b(?:and|und|y)\b|\b(?:then|dann|luego)\b|(?<=\))(?=\()|\s)\s*"
)
_ROW = re.compile(r"[A-Za-z](?:\s*[-\u2013]\s*[A-Za-z]){2,}")
"""Letters with hyphens between; two alone may mean a range."""
_DOTTED = re.compile(r"[A-Za-z](?:\s*(?:\.+|\u2026)\s*[A-Za-z])+\.?")
_AROUND = " \t\r\n`'\"*\u2018\u2019\u201c\u201d"
"""What may stand around a letter and makes no difference."""
_LIST = re.compile(r"\[([^\[\]]*)\]")
"""A list that was put in quotation marks."""
_CALLED = re.compile(r"(?:answer|option|choice)\s+(?=\S+$)", re.IGNORECASE)
_PAIR = re.compile(r"([^=:→>]+?)\s*(?:->|=>|=|:|→|-|\bis\b|\s)\s*\(?([A-Za-z])\)?")
_LETTER_FIRST = re.compile(
    r"\(?(?P<letter>[A-Za-z])\)?\s*(?:->|=>|=|:|\u2192|-|\bis\b|(?<=[A-Za-z])(?=[0-9]))\s*(?P<left>.+)"
)
_GLUED = re.compile(
    r"(?P<left>[0-9]+|[Pp]ort [0-9]+)\s*(?:->|=>|=|:|\u2192|-|\bis\b)?\s*\(?(?P<letter>[A-Za-z])\)?"
)
_PORT = re.compile("^port (?=[0-9])")
_BETWEEN_TEXTS = [
    re.compile(sign, re.IGNORECASE)
    for sign in (
        "[;\n]",
        "->|=>|→",
        r",\s*then\b|\bthen\b",
        "(?<=\\s)[-<>\u2013\u2014](?=\\s)",
        ",",
        r"\b(?:and|und|y)\b|,",
    )
]
"""What may part texts, the signs first that stand inside a text the least. The white space around is taken off later:
to look for a sign behind every blank of a long run would take its length squared."""

_BETWEEN_SIDES = [re.compile(sign) for sign in ("->|=>|=|:|→", r"(?<=\s)(?:-|is)(?=\s)", r"\s")]
_NOTHING = re.compile(r"[\s~?_.-]*")
_LONGEST = 60
_LONGEST_PAIRS = 1000


class UnreadableError(Exception):
    """An answer that means nothing; the text is a sentence for the student."""


def read_answer(posed: Posed, value: Any) -> Given | None:
    """The answer that a value stands for; ``None`` where it is no answer at all.

    ``value`` is a text, a list or a mapping of such. Letters mean the choices as they were shown. Raises
    ``UnreadableError`` with what is wrong.
    """
    question = posed.question
    if value is None or value in ("", [], {}) or (isinstance(value, str) and _is_blank(value, question)):
        return None
    if isinstance(question, Fill):
        return _word(value)
    if isinstance(question, Match):
        return _pairs(posed, question, value)
    places = _places(posed, value)
    if isinstance(question, Single | Multiple):
        # A choice is made or not: named twice, it is chosen once.
        places = list(dict.fromkeys(places))
    if len(set(places)) < len(places):
        twice = next(place for place in places if places.count(place) > 1)
        raise UnreadableError(f"{_quoted(choices(question)[twice])} stands twice in the answer")
    if isinstance(question, Single) and len(places) > 1:
        raise UnreadableError(f"{len(places)} answers are given, and exactly one is right")
    if isinstance(question, OrderItems) and len(places) < len(question.items):
        absent = next(item.text for place, item in enumerate(question.items) if place not in places)
        raise UnreadableError(
            f"{len(places)} of {len(question.items)} items are put in order; {_quoted(absent)} is missing"
        )
    return list(places)


def _is_blank(text: str, question: Question) -> bool:
    # A dot may be what is to be filled in; a row of dots, dashes or question marks is a blank left open.
    return not text.strip() or (not isinstance(question, Fill) and bool(_NOTHING.fullmatch(text)))


def _word(value: Any) -> str:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, str):
        raise UnreadableError("one word or number is asked for, and the answer is a list or a mapping")
    return value


def _places(posed: Posed, value: Any) -> list[int]:
    """The choices that a value names, as places in the bank."""
    if isinstance(value, str):
        return [_place(posed, part) for part in _said(posed, value)]
    if (named := _set_out(posed, value)) is not None:
        return [_place(posed, part) for part in named]
    if isinstance(value, list):
        if not all(isinstance(part, str) for part in value):
            raise UnreadableError(
                "the answer is a list of lists or mappings; write letters or texts in one list"
            )
        return [_place(posed, part) for part in value if part.strip()]
    raise UnreadableError(
        "the answer is a mapping, and letters or texts are asked for; put a text with a colon in quotation marks"
    )


def _said(posed: Posed, text: str) -> list[str]:
    """The choices' names in a text as it stands, or else in what is left of it without the words around them."""
    parts = _parts(posed, text)
    if all(_found(posed, part) is not None for part in parts):
        return parts
    if isinstance(posed.question, OrderItems) and (placed := ranked(ranks(text))):
        return placed
    for simpler in (plainly(text), plainly(written_plainly(text))):
        others = _parts(posed, simpler)
        if all(_found(posed, part) is not None for part in others):
            return others
    return parts


def _parts(posed: Posed, text: str) -> list[str]:
    """The choices' names in a text that may hold several: ``a, c``, ``ac``, ``MAIL, RCPT``, or one whole text."""
    if _found(posed, text) is not None:
        return [text]
    if bracketed := _LIST.fullmatch(text.strip()):
        text = bracketed[1]
    if _ROW.fullmatch(text.strip()) or _DOTTED.fullmatch(text.strip()):
        text = re.sub("[-\u2013.\u2026]", " ", text)
    parts = [part for part in _BETWEEN_LETTERS.split(text.strip()) if part]
    if all(_LETTER.fullmatch(part) for part in parts):
        return parts
    glued = text.strip().lower()
    last = letter(len(posed.shown) - 1)
    if glued.isascii() and glued.isalpha() and max(glued) <= last and len(set(glued)) == len(glued):
        return list(glued)
    ways = [[part for part in map(str.strip, sign.split(text)) if part] for sign in _BETWEEN_TEXTS]
    for test in (all, any):
        for parts in ways:
            if len(parts) > 1 and test(_found(posed, part) is not None for part in parts):
                return parts
        if test is all and (counted := numbered(text)):
            return counted
    return [text]


def _set_out(posed: Posed, value: Any) -> list[str] | None:
    """The choices' names in a list or a mapping that puts numbers or ticks to them."""
    if isinstance(value, list) and all(isinstance(p, str) and _found(posed, p) is not None for p in value):
        return None
    found = numbered(value)
    if found is None:
        found = ranked(value) if isinstance(posed.question, OrderItems) else ticked(value)
    # To a choice that is there twice, or that there is none of, the plain reading has the better words.
    return found if found and all(_found(posed, part) is not None for part in found) else None


def _found(posed: Posed, name: str) -> int | None:
    """The choice with that text or letter, as its place in the bank."""
    texts = [bare(text) for text in choices(posed.question)]
    # No choice is a single letter: the bank refuses such.
    if found := _LETTER.fullmatch(_CALLED.sub("", name.strip(_AROUND))):
        place = ord(found[1].lower()) - ord("a")
        text = bare(posed.shown[place]) if place < len(posed.shown) else ""
        return texts.index(text) if text in texts else None
    both = _LETTER_AND_TEXT.fullmatch(name.strip())
    worded = _worded(both[2] if both else name, texts)
    if both and worded is not None and _found(posed, both[1]) != worded:
        raise UnreadableError(f"{_quoted(name)} names one choice by its letter and another by its text")
    return _worded(name, texts) if worded is None else worded


def _worded(name: str, texts: list[str]) -> int | None:
    """The text that is the same, or else the one that has the same words, whatever signs stand between them."""
    if bare(name) in texts:
        return texts.index(bare(name))
    words = [_words(text) for text in texts]
    wanted = _words(name)
    if len(wanted) > 2 and words.count(wanted) == 1:
        return words.index(wanted)
    others = (bare(with_digits(name)), bare(name.rstrip(" :;,!")))
    return next((texts.index(other) for other in others if other in texts), None)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", bare(text))


def _place(posed: Posed, name: str) -> int:
    place = _found(posed, name)
    if place is None:
        last = letter(len(posed.shown) - 1)
        hint = _nearest(name, posed.shown)
        raise UnreadableError(
            f"{_quoted(name)} is neither a letter from a to {last} nor one of the texts{hint}"
        )
    return place


def _pairs(posed: Posed, question: Match, value: Any) -> Given | None:
    if isinstance(value, list) and value and all(isinstance(part, dict) and len(part) == 1 for part in value):
        merged = [item for part in value for item in part.items()]
        if len({left for left, _ in merged}) < len(merged):
            raise UnreadableError("a left-hand side stands twice in the answer")
        value = dict(merged)
    if isinstance(value, str):
        value = _named_pairs(question, value) or value
    if isinstance(value, dict) and (counted := _counted(question, value)) is not None:
        value = counted
    if isinstance(value, dict):
        return _mapped(posed, question, _turned(question, value))
    places = _places(posed, value)
    if len(places) != len(question.pairs):
        raise UnreadableError(
            f"{len(question.pairs)} pairs are asked for, and the answer has {len(places)}; put one to each"
        )
    return list(places)


def _named_pairs(question: Match, text: str) -> dict[str, str]:
    """``SPF=b, DKIM=a``: letters with their left-hand sides; nothing where the text is made otherwise."""
    lefts = {bare(pair.left) for pair in question.pairs}
    if len(text) > _LONGEST_PAIRS:
        return {}
    for sign in ("[,;\n]", r"\s+"):
        parts = [_PAIR.fullmatch(part.strip()) for part in re.split(sign, text) if part.strip()]
        named = {bare(part[1]): part[2] for part in parts if part}
        if len(named) == len(parts) and named.keys() <= lefts:
            return named
        if turned := _turned_pairs(lefts, sign, text):
            return turned
    return _worded_pairs(lefts, [part.strip() for part in re.split("[,;\n]", text) if part.strip()])


def _turned_pairs(lefts: set[str], sign: str, text: str) -> dict[str, str]:
    """``a=25, b=587``, ``a25 b587`` and ``25a 587b``: letters in front, or without a sign between them and numbers."""
    found: dict[str, str] = {}
    for part in filter(None, re.split(sign, text)):
        pair = _LETTER_FIRST.fullmatch(part.strip()) or _GLUED.fullmatch(part.strip())
        if pair is None:
            return {}
        groups = pair.groupdict()
        left = _PORT.sub("", bare(groups["left"]))
        if left not in lefts or left in found:
            return {}
        found[left] = groups["letter"]
    return found if len(found) > 1 else {}


def _worded_pairs(lefts: set[str], parts: list[str]) -> dict[str, str]:
    """``SPF=the address, DKIM: a signature``: texts with their left-hand sides, whichever stands in front."""
    found: dict[str, str] = {}
    for part in parts:
        halves = next((both for sign in _BETWEEN_SIDES if (both := _halves(sign, part, lefts))), None)
        if halves is None or bare(halves[0]) in found:
            return {}
        found[bare(halves[0])] = halves[1]
    return found if len(parts) > 1 else {}


def _halves(sign: re.Pattern[str], part: str, lefts: set[str]) -> tuple[str, str] | None:
    """A part cut at a sign, the left-hand side first; ``None`` where neither half is one."""
    for cut in sign.finditer(part):
        one, other = part[: cut.start()].strip(), part[cut.end() :].strip()
        if one and other and bare(one) in lefts:
            return one, other
        if one and other and bare(other) in lefts:
            return other, one
    return None


def _counted(question: Match, value: dict[Any, Any]) -> list[str] | None:
    """What is put to the left-hand sides by their number, where none of them is a number itself."""
    if any(pair.left.strip().isdigit() for pair in question.pairs):
        return None
    found = numbered(value)
    return found if found and len(found) == len(question.pairs) else None


def _turned(question: Match, value: dict[Any, Any]) -> dict[Any, Any]:
    """Pairs with the left-hand side in front, where all are the other way round."""
    lefts = {bare(pair.left) for pair in question.pairs}
    rights = [bare(right) for right in value.values() if isinstance(right, str)]
    turned = len(rights) == len(value) and lefts.issuperset(rights) and len(set(rights)) == len(rights)
    return {right: left for left, right in value.items()} if turned else value


def _mapped(posed: Posed, question: Match, value: dict[Any, Any]) -> Given | None:
    lefts = [bare(pair.left) for pair in question.pairs]
    given: list[int | None] = [None] * len(lefts)
    for left, right in value.items():
        if bare(str(left)) not in lefts:
            hint = _nearest(str(left), [pair.left for pair in question.pairs])
            raise UnreadableError(f"{_quoted(str(left))} is none of the left-hand sides{hint}")
        if isinstance(right, list) and len(right) == 1:
            right = right[0]
        if right is not None and not isinstance(right, str):
            raise UnreadableError(
                f"{_quoted(str(left))} has a list or a mapping, and one letter or text is asked for"
            )
        if right and not _NOTHING.fullmatch(right):
            given[lefts.index(bare(str(left)))] = _place(posed, right)
    return given if any(place is not None for place in given) else None


def _nearest(name: str, texts: list[str]) -> str:
    """``; did you mean …?`` with the text as it is shown."""
    close = get_close_matches(bare(name), [bare(text) for text in texts], n=1)
    return f"; did you mean '{next(text for text in texts if bare(text) == close[0])}'?" if close else ""


def shown_answer(posed: Posed, given: Given) -> str:
    """An answer in words, as the bank writes its choices."""
    question = posed.question
    if isinstance(given, str):
        return given
    texts = choices(question)
    if isinstance(question, Match):
        return "; ".join(
            f"{pair.left}: {texts[place] if place is not None else 'nothing'}"
            for pair, place in zip(question.pairs, given, strict=False)
        )
    separator = ", then " if isinstance(question, OrderItems) else "; "
    return separator.join(texts[place] for place in given if place is not None)


def right_answer(question: Question) -> str:
    """The right answer in words."""
    if isinstance(question, Fill):
        return next((answer.text for answer in question.answers if answer.right), "")
    places: list[int | None] = list(range(len(choices(question))))
    if isinstance(question, Single | Multiple):
        places = [place for place, option in enumerate(question.options) if option.right]
    return shown_answer(Posed(question, []), places)


def _quoted(text: str) -> str:
    text = " ".join(text.split())
    short = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return f"'{short}'"

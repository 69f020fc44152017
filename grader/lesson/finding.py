"""Finds what the sheets say about words that somebody types, a server's reply among them.

``reports/lesson/js/search-find.js`` is the same in the pages, function by function; a test compares what they answer.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from grader.lesson.fulltext import Sought

_WORD = re.compile(r"[a-z0-9\u00c0-\u024f]+(?:[._-][a-z0-9\u00c0-\u024f]+)*")
_ADDRESS = re.compile(r"<[^<> @]*@[^<> ]*>")
"""An address in a reply is somebody's own, and in an example another one."""
_CONTINUED = re.compile(r"(^|[^a-z0-9._-])([2-5][0-9][0-9])-(?=[a-z0-9])")
"""A reply of several lines, ``550-5.7.26 …``: its code is a word of its own."""
_OWN = re.compile(r"[0-9]+(\.[0-9]+){3}|.*\.[a-z_-]+")
"""An IPv4 address, a host's name or a file's: somebody's own, of which sheets need not know."""
_NUMBERS = re.compile(r"[0-9.]+")
_ASKED = re.compile(
    r"^ *(?:what|how|why|who|where|when) (?:is|are|was|does|do|did|can|should|to) (?:(?:an?|the|i|my|you) )?",
    re.IGNORECASE | re.ASCII,
)
_MEANS = re.compile(r" means?[ ?]*$", re.IGNORECASE | re.ASCII)
_RFC = re.compile(r" rfc (?=[0-9])")
_CAPITALS = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
MOST = 30
MOST_WORDS = 24
LONGEST = 400
_SHORT = 3
"""Letters of a word for which nothing else is near: one letter more or less makes another word of it."""
_LONG = 8
"""Letters from which on two may be wrong."""


class Hit(Struct, frozen=True):
    """Something found, and the line of it that has most of the words; empty where title and summary have them."""

    id: str
    line: str


class Found(Struct, frozen=True):
    """What was found for some words, the best first.

    ``instead`` has the words that occur nowhere, each with the one near it, or with nothing; addresses, and names
    of hosts and files that nothing is near, are left out. ``partly`` says that nothing has all the words that are left:
    then the first has most of them.
    """

    hits: list[Hit]
    instead: list[tuple[str, str]] = []
    partly: bool = False


class _Prepared(Struct, frozen=True):
    id: str
    title: str
    names: str
    about: str
    text: str
    lines: list[str]


class Index:
    """Documents made ready to be searched. ``find`` may be asked any number of times."""

    def __init__(self, sought: Sequence[Sought]) -> None:
        self._all = [_prepared(one) for one in sought]
        self._count: Counter[str] = Counter()
        for one in self._all:
            self._count.update(set(f"{one.title}{one.names}{one.about}{one.text}".split()))

    def find(self, query: str) -> Found:
        """The best 30 for a query of at most 24 words."""
        asked = list(dict.fromkeys(normal(_about(query[:LONGEST])).split()))[:MOST_WORDS]
        known, instead = [], []
        for word in asked:
            if any(_fit(one, word) for one in self._all):
                known.append(word)
                continue
            near = self._near(word)
            own = _OWN.fullmatch(word)
            if own and "." not in near:
                near = ""
            if near or not own:
                instead.append((word, near))
            if near and near not in known:
                known.append(near)
        ranked, partly = self._ranked(known)
        hits = [Hit(one.id, _best_line(one, known)) for one in ranked]
        return Found(hits, instead, partly)

    def _ranked(self, words: list[str]) -> tuple[list[_Prepared], bool]:
        fits = [(one, [_fit(one, word) for word in words]) for one in self._all]
        whole = [(one, fit) for one, fit in fits if words and all(fit)]
        partly = not whole and bool(words)
        if partly:
            most = max(sum(map(bool, fit)) for _, fit in fits)
            whole = [(one, fit) for one, fit in fits if sum(map(bool, fit)) == most]
        phrase = f" {' '.join(words)} "
        scored = [
            (sum(fit) + _as_a_whole(one, phrase, len(words)), place) for place, (one, fit) in enumerate(whole)
        ]
        scored.sort(key=lambda pair: (-pair[0], len(whole[pair[1]][0].title), pair[1]))
        return [whole[place][0] for _, place in scored[:MOST]], partly

    def _near(self, word: str) -> str:
        """The word of the sheets that is nearest, the most frequent of several; empty where none is near."""
        allowed = 0 if len(word) <= _SHORT or _NUMBERS.fullmatch(word) else 1 if len(word) < _LONG else 2
        best: tuple[int, int, str] | None = None
        for known, count in self._count.items() if allowed else ():
            if abs(len(known) - len(word)) <= allowed:
                far = distance(word, known, allowed)
                if far <= allowed and (best is None or (far, -count, known) < best):
                    best = (far, -count, known)
        return best[2] if best else ""


def _about(query: str) -> str:
    """What a question is about: ``what does 550 mean?`` is about 550."""
    asked = _ASKED.match(query)
    return _MEANS.sub("", query[asked.end() :]) if asked else query


def normal(text: str) -> str:
    """The words of a text in small letters with a blank around each; ``RFC 5321`` is one word, ``<a@b>`` is none."""
    small = _ADDRESS.sub(" ", text).translate(_CAPITALS)
    words = _WORD.findall(_CONTINUED.sub(r"\1\2 ", small))
    return _RFC.sub(" rfc", f" {' '.join(words)} ")


def distance(one: str, other: str, most: int) -> int:
    """Letters wrong, missing, too many or changed over (Damerau and Levenshtein); ``most + 1`` where they are more."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i in range(1, len(one) + 1):
        row = [i]
        for j in range(1, len(other) + 1):
            change = 0 if one[i - 1] == other[j - 1] else 1
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + change)
            if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
        before, last = last, row
    return last[len(other)]


def _prepared(one: Sought) -> _Prepared:
    text = "".join(map(normal, one.lines))
    return _Prepared(one.id, normal(one.title), normal(one.names), normal(one.about), text, one.lines)


def _fit(one: _Prepared, word: str) -> int:
    """How well a word fits: the beginning of a title counts most, a mention in the text least."""
    begun = f" {word}"
    if one.title.startswith(begun):
        return 16
    if begun in one.title:
        return 12
    if f"{begun} " in one.names:
        return 10
    if begun in one.names:
        return 8
    if word in one.title:
        return 6
    if word in one.about:
        return 4
    if f"{begun} " in one.text:
        return 3
    return 1 if word in one.text else 0


def _as_a_whole(one: _Prepared, phrase: str, words: int) -> int:
    """What more it counts that several words stand side by side, as they were typed."""
    if words < 2:
        return 0
    if phrase in one.title or phrase in one.names:
        return 40
    return 30 if phrase in one.text or phrase in one.about else 0


def _best_line(one: _Prepared, words: list[str]) -> str:
    """The first of the lines with most of the words, where title and summary lack some of them."""
    if all(word in one.title or word in one.about for word in words):
        return ""
    phrase = f" {' '.join(words)} "
    best, most = "", 0
    for line in one.lines:
        plain = normal(line)
        score = sum(word in plain for word in words) + (1 if phrase in plain else 0)
        if score > most:
            best, most = line, score
    return best

"""Where hand-ins are alike beyond what their lab explains: pointers to copying, never verdicts. Pure.

Two things are looked for. A variant's names are nobody else's, so whoever has those of another student has something of
that student's. And work that few others did so is compared as it is when order, comments, spacing and the student's
own names are taken away, and with them all that the lab hands out.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from math import fsum, log2

from msgspec import Struct

from grader.display.text import csv_cell, scalars

ALIKE = 0.75
"""How much of what two hand-ins hold must be in both, what is rare in the class counting more."""
ENOUGH_BITS = 10.0
"""How improbable what they share must be: a statement that half of the class has is worth one bit."""
CROWD = 50
"""Shared by more students than these, or a twentieth of the class, something leads from nobody to nobody."""
SHOWN = 5
LONGEST = 500
"""Characters of a statement that are shown."""
WORDS = 3
"""A statement is compared by each of its runs of so many words, so that a word more or less does not hide it."""

_COMMENT = re.compile(r"^\s*(#|;|//).*|\s(#|;|//).*$")
_WORD = re.compile(r"[^\s,=\"']+")
_TOKEN = re.compile(r"[\w.:/+-]+")
_TELLING = re.compile(r".*[.:\d]")

Feature = tuple[str, ...]


class Work(Struct, frozen=True, kw_only=True):
    """What a student, or a group, handed in: ``files`` as text, and the same of what was ``given`` to them.

    ``names`` are their variant's by what they stand for, passwords too; ``own`` says that they are nobody else's.
    """

    student: str
    files: Mapping[str, str]
    given: Mapping[str, str]
    names: Mapping[str, str]
    own: bool


class ForeignNames(Struct, frozen=True):
    """A student whose work holds ``names`` of the variant of each of ``others``, and no reason to know them."""

    student: str
    others: list[str]
    names: list[str]


class Likeness(Struct, frozen=True):
    """Two students' works: what part is in both (0 to 1), and the rarest statements of it, without their names."""

    one: str
    other: str
    share: float
    statements: list[str]


def foreign_names(works: Sequence[Work]) -> list[ForeignNames]:
    """Whose work holds names of another's variant: two of them at least, for one alone can be a slip."""
    owners: defaultdict[str, list[int]] = defaultdict(list)
    for place, work in enumerate(works):
        if work.own:
            for name in {name for name in work.names.values() if len(name) > 5 and _TELLING.match(name)}:
                owners[name].append(place)
    found = []
    for place, work in enumerate(works if owners else ()):
        explained = _words(work.given) | set(work.names.values())
        held: defaultdict[int, list[str]] = defaultdict(list)
        for word in sorted(_words(work.files) - explained):
            for owner in owners.get(word, ()):
                if owner != place:
                    held[owner].append(word)
        most = max(map(len, held.values()), default=0)
        if most > 1:
            best = [owner for owner, names in held.items() if len(names) == most]
            names = sorted({name for owner in best for name in held[owner]})
            found.append(ForeignNames(work.student, [works[owner].student for owner in best], names))
    return found


def _words(files: Mapping[str, str]) -> set[str]:
    """Everything in files that could be a name: words, what domains end with, and networks without their length."""
    found: set[str] = set()
    for text in files.values():
        for token in set(_TOKEN.findall(text)):
            for word in (token, token.partition("/")[0]):
                labels = word.strip(".:").split(".")
                found.update(".".join(labels[start:]) for start in range(min(len(labels), 6)))
    return found


def likenesses(works: Sequence[Work]) -> list[Likeness]:
    """The pairs that are alike beyond what the lab and the class explain, the most alike first."""
    held = list(_held(works))
    spread = Counter(feature for features in held for feature in features)
    weight = {feature: log2((len(works) + 1) / number) for feature, number in spread.items()}
    # Exact, whichever order a set is gone through in: what is alike to the same degree is listed by its names.
    totals = [fsum(weight[feature] for feature in features) for features in held]
    found = []
    for one, other in _candidates(held, spread, max(CROWD, len(works) // 20)):
        common = held[one].keys() & held[other].keys()
        bits = fsum(weight[feature] for feature in common)
        share = bits / ((totals[one] + totals[other] - bits) or 1)
        if share >= ALIKE and bits >= ENOUGH_BITS:
            rarest = sorted(common, key=lambda feature: (-weight[feature], feature))
            shared = list(dict.fromkeys(held[one][feature][:LONGEST] for feature in rarest))[:SHOWN]
            found.append(Likeness(works[one].student, works[other].student, share, shared))
    return sorted(found, key=lambda pair: (-pair.share, pair.one, pair.other))


class Circle(Struct, frozen=True):
    """Works of which each is like some other of them, through ``pairs``, the most alike first."""

    students: list[str]
    pairs: list[Likeness]


def circles(pairs: Sequence[Likeness]) -> list[Circle]:
    """The pairs by whom they lead to, in their order: forty copies of one work are one find, and 780 pairs."""
    home: dict[str, list[str]] = {}
    for pair in pairs:
        one, other = home.setdefault(pair.one, [pair.one]), home.setdefault(pair.other, [pair.other])
        if one is not other:
            small, large = sorted((one, other), key=len)
            large += small
            home.update(dict.fromkeys(small, large))
    found: dict[int, list[Likeness]] = {}
    for pair in pairs:
        found.setdefault(id(home[pair.one]), []).append(pair)
    return [Circle(sorted(home[theirs[0].one]), theirs) for theirs in found.values()]


def _candidates(
    held: Sequence[Mapping[Feature, str]], spread: Counter[Feature], crowd: int
) -> list[tuple[int, int]]:
    """Pairs that share something that few have: to compare each with each would take the class's size squared."""
    by_feature: defaultdict[Feature, list[int]] = defaultdict(list)
    for place, features in enumerate(held):
        for feature in features:
            if 1 < spread[feature] <= crowd:
                by_feature[feature].append(place)
    return sorted({pair for places in by_feature.values() for pair in combinations(places, 2)})


def _held(works: Iterable[Work]) -> Iterator[dict[Feature, str]]:
    """What each work holds that was not handed out, each with the statement in which it stands."""
    before: Work | None = None
    given: set[Feature] = set()
    for work in works:
        if before is None or (work.given, work.names) != (before.given, before.names):
            given = {feature for _, feature in _all_features(work.given, work.names)}
        before = work
        yield {
            feature: statement
            for statement, feature in _all_features(work.files, work.names)
            if feature not in given
        }


def _all_features(files: Mapping[str, str], names: Mapping[str, str]) -> Iterator[tuple[str, Feature]]:
    for text in files.values():
        for statement in statements(text, names):
            words = _WORD.findall(statement.lower())
            for start in range(max(1, len(words) - WORDS + 1)):
                if feature := tuple(words[start : start + WORDS]):
                    yield statement, feature


def statements(text: str, names: Mapping[str, str]) -> list[str]:
    """A file's statements without comments and spacing, the student's own names as ``{name}``.

    A line that begins with a blank goes on with the one before, as in main.cf and in the header of a message.
    """
    found: list[list[str]] = []
    for raw in _without_names(text, names).splitlines():
        line = _COMMENT.sub("", raw)
        if not line.strip():
            continue
        if line[0].isspace() and found:
            found[-1] += line.split()
        else:
            found.append(line.split())
    return [" ".join(words) for words in found]


def _without_names(text: str, names: Mapping[str, str]) -> str:
    known = {value: name for name, value in names.items() if len(value) > 2}
    if not known:
        return text
    values = "|".join(re.escape(value) for value in sorted(known, key=lambda value: (-len(value), value)))
    return re.sub(rf"(?<![\w-])(?:{values})(?![\w-])", lambda match: "{" + known[match[0]] + "}", text)


def as_csv(
    foreign: Iterable[ForeignNames],
    alike: Iterable[Likeness],
    faults: Iterable[tuple[Sequence[str], Sequence[str]]] = (),
) -> bytes:
    """The pointers as CSV (RFC 4180, UTF-8), a line for each pair; ``share`` is of works that are alike alone.

    ``faults`` are students with the rare faults that they have in common.
    """
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\r\n")
    table.writerow(["pointer", "student", "other", "share", "what"])
    for one in foreign:
        for other in one.others:
            words = [csv_cell(word) for word in (one.student, other)]
            table.writerow(["foreign names", *words, "", csv_cell("; ".join(one.names))])
    for pair in alike:
        words = [csv_cell(word) for word in (pair.one, pair.other)]
        table.writerow(["alike", *words, f"{pair.share:.2f}", csv_cell("; ".join(pair.statements))])
    for students, what in faults:
        for pair_ in combinations(students, 2):
            table.writerow(["rare faults", *map(csv_cell, pair_), "", csv_cell("; ".join(what))])
    return scalars(text.getvalue()).encode()

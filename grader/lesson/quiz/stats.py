"""How each question of a quiz did in a class: how hard it was, and whether it tells who knows from who does not.

Classical test theory, with shares of the points instead of right and wrong:

- *difficulty*: the mean share of the points; 1 where all had all of them.
- *discrimination*: the correlation of a question's share with the mean share of the student's other questions (the
  corrected point-biserial). It is not known where all had the same.
- *upper-lower*: the mean share among the best 27 percent less that among the worst 27 percent, by the other questions
  (Kelley 1939). Students with the same share at the border count in part.

Students may have drawn different questions: each is looked at among those who got it.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import StatisticsError, correlation, fmean

import msgspec
from msgspec import Struct

from grader.display.text import csv_cell, one_line, scalars
from grader.model.result import Result

SCHEMA = "smtplab/quiz-stats/1"
FEW = 10
"""Below so many answers nothing is said of a question but its numbers."""
HARD, EASY, WEAK = 0.2, 0.95, 0.1
_GROUP = 0.27


class ItemStats(Struct, frozen=True):
    """A question in a class: ``answered`` is by how many it was answered or left out; ``None`` is not known."""

    item: str
    title: str
    answered: int
    difficulty: float
    discrimination: float | None
    upper_lower: float | None
    remark: str


class QuizStats(Struct, frozen=True, kw_only=True):
    """All questions of a class; ``unmarked`` results say nothing of any, as their answers could not be read."""

    schema: str = SCHEMA
    results: int
    unmarked: int
    items: list[ItemStats]


def stats(results: Iterable[Result]) -> QuizStats:
    """The numbers of each question, those that told least first."""
    shares: dict[str, list[tuple[float, float]]] = defaultdict(list)
    titles: dict[str, str] = {}
    number = unmarked = 0
    for result in results:
        number += 1
        own = {
            check.code: check.points / check.max_points
            for check in result.checks
            if check.max_points and check.status in ("pass", "fail")
        }
        titles |= {check.code: check.title for check in result.checks}
        unmarked += not own
        for code, share in own.items():
            others = [other for name, other in own.items() if name != code]
            shares[code].append((share, fmean(others) if others else share))
    items = [_item(code.rpartition("/")[2], titles[code], pairs) for code, pairs in shares.items()]
    items.sort(key=lambda one: (one.discrimination is None, one.discrimination or 0.0, one.item))
    return QuizStats(results=number, unmarked=unmarked, items=items)


def _item(name: str, title: str, pairs: Sequence[tuple[float, float]]) -> ItemStats:
    """``pairs`` are each student's share of this question and of the others."""
    own = [share for share, _ in pairs]
    difficulty = fmean(own)
    try:
        discrimination = correlation(own, [rest for _, rest in pairs])
    except StatisticsError:
        discrimination = None
    upper_lower = _upper_lower(pairs) if len(pairs) > 1 else None
    return ItemStats(
        name,
        title,
        len(pairs),
        round(difficulty, 3),
        None if discrimination is None else round(discrimination, 3),
        None if upper_lower is None else round(upper_lower, 3),
        _remark(len(pairs), difficulty, discrimination),
    )


def _upper_lower(pairs: Sequence[tuple[float, float]]) -> float:
    size = max(1, round(_GROUP * len(pairs)))
    return _of_best(pairs, size) - _of_best([(share, -rest) for share, rest in pairs], size)


def _of_best(pairs: Sequence[tuple[float, float]], size: int) -> float:
    """The mean share of the ``size`` students with the highest rest; equals at the border share what room is left."""
    border = sorted((rest for _, rest in pairs), reverse=True)[size - 1]
    above = [share for share, rest in pairs if rest > border]
    equal = [share for share, rest in pairs if rest == border]
    return (sum(above) + fmean(equal) * (size - len(above))) / size


def _remark(number: int, difficulty: float, discrimination: float | None) -> str:
    """What an instructor should look at; empty where nothing stands out."""
    if number < FEW:
        return "too few answers to tell"
    if discrimination is not None and discrimination < 0:
        return "those who know the rest fail it: look at its key and its words"
    if difficulty >= EASY:
        return "nearly all have it right"
    if difficulty <= HARD:
        return "hardly anybody has it right: was it taught?"
    if discrimination is None or discrimination < WEAK:
        return "it hardly tells who knows from who does not"
    return ""


def as_csv(found: QuizStats) -> bytes:
    """The numbers as CSV, one line a question."""
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\r\n")
    table.writerow(["item", "title", "answered", "difficulty", "discrimination", "upper_lower", "remark"])
    for one in found.items:
        numbers = ["" if value is None else value for value in (one.discrimination, one.upper_lower)]
        words = [csv_cell(one_line(word)) for word in (one.item, one.title)]
        table.writerow([*words, one.answered, one.difficulty, *numbers, one.remark])
    return scalars(text.getvalue()).encode()


def as_json(found: QuizStats) -> bytes:
    """The numbers as one JSON document."""
    return msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n"


def as_text(found: QuizStats) -> bytes:
    """The numbers as a table of plain text."""
    wide = max([len(one.item) for one in found.items], default=4)
    lines = [f"{'question':{wide}}  answers  difficulty  discrimination  upper-lower  remark"]
    for one in found.items:
        numbers = [
            f"{one.answered:7}",
            f"{one.difficulty:10.2f}",
            f"{_shown(one.discrimination):>14}",
            f"{_shown(one.upper_lower):>11}",
            one.remark,
        ]
        lines.append("  ".join([f"{one_line(one.item):{wide}}", *numbers]).rstrip())
    left = f", {found.unmarked} of them not marked" if found.unmarked else ""
    return "\n".join([*lines, f"{found.results} results{left}, {len(found.items)} questions.", ""]).encode()


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:+.2f}"

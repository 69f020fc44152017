"""A class on a terminal as its grading ends: a line a student, and what failed most often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import IO, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.console import RenderableType
from rich.rule import Rule
from rich.segment import Segment, Segments
from rich.text import Text

from grader.display.looks import LOOKS, QUIET
from grader.display.screen import Screen, bar, grid, words
from grader.display.sentences import count
from grader.model.result import Result, ResultLine, Status
from grader.outputs.terminal import codes

LONGEST_NAME = 32
AT_A_TIME = 500
"""Lines that are laid out before they are written."""
LEAST_ROOM = 8
"""For what is said of a student; where there is less, columns are narrowed."""


def show_class(
    results: Iterable[Result | ResultLine],
    *,
    file: IO[str] | None = None,
    width: int | None = None,
    color: bool | None = None,
) -> None:
    """Print a class: one line a student, then how often each check failed. Of the results a few words are kept."""
    screen = Screen(file, width=width, color=color)
    class_ = _Class.of(results)
    room = screen.console.width - (1 + class_.name_width + class_.points_width + 3 * 2)
    waiting: list[Segment] = []
    if room < LEAST_ROOM:
        screen.show(_table(screen, class_.rows))
    for number, row in enumerate(class_.rows if room >= LEAST_ROOM else (), 1):
        waiting += _lines(screen, row, class_, room)
        if number % AT_A_TIME == 0:
            screen.show(Segments(waiting))
            waiting = []
    screen.show(Segments(waiting), Text(), *_class_summary(screen, class_))


class _Row(NamedTuple):
    """A student's line; ``style`` is that of what is said."""

    status: Status
    name: str
    points: str
    said: str
    style: str

    @classmethod
    def of(cls, result: Result | ResultLine) -> _Row:
        status: Status = "error" if result.status == "error" else "pass" if result.passed else "fail"
        points = f"{result.score if result.status == 'graded' else '?'}/{result.max_score}"
        if result.status != "graded":
            why = result.error or "the grader failed"
            why = f"refused: {why}" if result.status == "refused" else why
            said, style = words(why, single=True).plain, LOOKS[status].style
        elif lost := [check for check in result.checks if check.status in ("fail", "error")]:
            said, style = codes(lost, QUIET).plain, QUIET
        else:
            said, style = LOOKS[status].word, LOOKS[status].style
        return cls(status, words(result.student or result.lab, single=True).plain, points, said, style)


@dataclass
class _Class:
    """What is shown of a class: the lines of its students, how wide they are, and what is counted."""

    rows: list[_Row] = field(default_factory=list)
    passed: int = 0
    refused: int = 0
    shares: list[float] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)
    name_width: int = 0
    points_width: int = 0

    @classmethod
    def of(cls, results: Iterable[Result | ResultLine]) -> _Class:
        found = cls()
        for result in results:
            row = _Row.of(result)
            found.rows.append(row)
            found.refused += result.status == "refused"
            found.name_width = max(found.name_width, min(LONGEST_NAME, cell_len(row.name)))
            found.points_width = max(found.points_width, len(row.points))
            if result.status == "graded":
                found.passed += row.status == "pass"
                found.shares.append(result.score / (result.max_score or 1))
                found.failed.update(check.code for check in result.checks if check.status == "fail")
        found.shares.sort()
        return found


def _lines(screen: Screen, row: _Row, class_: _Class, room: int) -> list[Segment]:
    """The lines of a row; a table of rich's takes a millisecond for one, longer than all else that is done for it."""
    sign, style = screen.sign(row.status), screen.console.get_style
    mark, points = Segment(sign.plain, style(sign.style)), row.points.rjust(class_.points_width)
    made = []
    for name, said in zip_longest(
        _wrapped(screen, row.name, class_.name_width), _wrapped(screen, row.said, room), fillvalue=""
    ):
        made += [
            mark,
            Segment(f"  {set_cell_size(name, class_.name_width)}  {points}  "),
            Segment(said, style(row.style)),
            Segment.line(),
        ]
        mark, points = Segment(" "), " " * class_.points_width
    return made


def _wrapped(screen: Screen, text: str, width: int) -> list[str]:
    if cell_len(text) <= width:
        return [text]
    lines = Text(text).wrap(screen.console, width, overflow="fold")
    return [line.plain.rstrip() for line in lines]


def _table(screen: Screen, rows: Iterable[_Row]) -> RenderableType:
    """Rows in columns that are narrowed until all have room."""
    table = grid(
        {"width": 1}, {"max_width": LONGEST_NAME}, {"justify": "right", "no_wrap": True}, {"ratio": 1}
    )
    for row in rows:
        name, said = Text(row.name, overflow="fold"), Text(row.said, row.style, overflow="fold")
        table.add_row(screen.sign(row.status), name, row.points, said)
    return table


def _class_summary(screen: Screen, class_: _Class) -> Iterator[RenderableType]:
    yield Rule(style=QUIET, characters=screen.glyph("─", "-"))
    graded, shares = len(class_.shares), class_.shares
    line = Text(count(len(class_.rows), "submission"), "bold")
    if graded:
        median = (shares[(graded - 1) // 2] + shares[graded // 2]) / 2
        line.append(f"   {class_.passed} passed everything   median {median:.0%}")
    if class_.refused:
        line.append(f"   {class_.refused} refused", LOOKS["fail"].style)
    if missing := len(class_.rows) - graded - class_.refused:
        line.append(f"   {missing} not graded", LOOKS["error"].style)
    yield line
    if class_.failed:
        bars = grid({"max_width": 40}, {"justify": "right", "no_wrap": True}, {"ratio": 1})
        for code, number in class_.failed.most_common():
            bars.add_row(words(code, single=True), str(number), bar(screen, number, graded, "red"))
        yield Text()
        yield Text("Failed most often", "bold")
        yield bars

"""A class on a terminal as its grading ends: a line a student, and what failed most often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO

from rich.cells import cell_len, set_cell_size
from rich.console import RenderableType
from rich.rule import Rule
from rich.segment import Segment, Segments
from rich.text import Text

from grader.display.looks import LOOKS, QUIET
from grader.display.screen import Screen, bar, grid, words
from grader.display.sentences import count
from grader.model.result import Result, Status
from grader.outputs.terminal import codes

LONGEST_NAME = 32
AT_A_TIME = 500
"""Lines that are laid out before they are written: a large class takes no more memory than a small one."""


def show_class(
    results: Sequence[Result],
    *,
    file: IO[str] | None = None,
    width: int | None = None,
    color: bool | None = None,
) -> None:
    """Print a class: one line a student, then how often each check failed.

    Each result is asked for twice, since how wide the columns are depends on all of them.
    """
    screen = Screen(file, width=width, color=color)
    class_ = _Class.of(results)
    room = screen.console.width - (1 + class_.name_width + class_.points_width + 3 * 2)
    waiting: list[Segment] = []
    for number, result in enumerate(results, 1):
        row = _row(screen, result)
        if (line := _line(screen, row, class_, room)) is not None:
            waiting += line
        if waiting and (line is None or number % AT_A_TIME == 0):
            screen.show(Segments(waiting))
            waiting = []
        if line is None:
            screen.show(_wrapped(row, class_))
    screen.show(Segments(waiting), Text(), *_class_summary(screen, class_))


@dataclass
class _Class:
    """What is shown of a class beside the lines of its students, and how wide those are."""

    size: int = 0
    passed: int = 0
    refused: int = 0
    shares: list[float] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)
    name_width: int = 0
    points_width: int = 0

    @classmethod
    def of(cls, results: Iterable[Result]) -> _Class:
        found = cls()
        for result in results:
            found.size += 1
            found.refused += result.status == "refused"
            found.name_width = max(found.name_width, min(LONGEST_NAME, cell_len(_name(result).plain)))
            found.points_width = max(found.points_width, len(_points(result)))
            if result.status == "graded":
                found.passed += result.passed
                found.shares.append(result.score / (result.max_score or 1))
                found.failed.update(check.code for check in result.checks if check.status == "fail")
        found.shares.sort()
        return found


@dataclass(frozen=True)
class _Row:
    sign: Text
    name: Text
    points: str
    said: Text


def _row(screen: Screen, result: Result) -> _Row:
    status: Status = "error" if result.status == "error" else "pass" if result.passed else "fail"
    if result.status != "graded":
        why = result.error or "the grader failed"
        why = f"refused: {why}" if result.status == "refused" else why
        said = words(why, LOOKS[status].style, single=True)
    else:
        said = codes([check for check in result.checks if check.status in ("fail", "error")], QUIET)
        said = said if said.plain else Text(LOOKS[status].word, LOOKS[status].style)
    return _Row(screen.sign(status), _name(result), _points(result), said)


def _name(result: Result) -> Text:
    return words(result.student or result.lab, single=True)


def _points(result: Result) -> str:
    return f"{result.score if result.status == 'graded' else '?'}/{result.max_score}"


def _line(screen: Screen, row: _Row, class_: _Class, room: int) -> list[Segment] | None:
    """The line of a row that takes no more than one, with ``room`` for what is said; ``None`` where it takes more.

    rich's tables take half a millisecond for a row, which is longer than all else that is done for one.
    """
    if cell_len(row.name.plain) > class_.name_width or cell_len(row.said.plain) > room:
        return None
    name = set_cell_size(row.name.plain, class_.name_width)
    between = f"  {name}  {row.points:>{class_.points_width}}  "
    style = screen.console.get_style
    return [
        Segment(row.sign.plain, style(row.sign.style)),
        Segment(between),
        Segment(row.said.plain, style(row.said.style)),
        Segment.line(),
    ]


def _wrapped(row: _Row, class_: _Class) -> RenderableType:
    table = grid(
        {"width": 1},
        {"min_width": class_.name_width, "max_width": LONGEST_NAME},
        {"min_width": class_.points_width, "justify": "right", "no_wrap": True},
        {"ratio": 1},
    )
    table.add_row(row.sign, row.name, row.points, row.said)
    return table


def _class_summary(screen: Screen, class_: _Class) -> Iterator[RenderableType]:
    yield Rule(style=QUIET, characters=screen.glyph("─", "-"))
    graded, shares = len(class_.shares), class_.shares
    line = Text(count(class_.size, "submission"), "bold")
    if graded:
        median = (shares[(graded - 1) // 2] + shares[graded // 2]) / 2
        line.append(f"   {class_.passed} passed everything   median {median:.0%}")
    if class_.refused:
        line.append(f"   {class_.refused} refused", LOOKS["fail"].style)
    if missing := class_.size - graded - class_.refused:
        line.append(f"   {missing} not graded", LOOKS["error"].style)
    yield line
    if class_.failed:
        bars = grid({"max_width": 40}, {"justify": "right", "no_wrap": True}, {"ratio": 1})
        for code, number in class_.failed.most_common():
            bars.add_row(words(code, single=True), str(number), bar(screen, number, graded, "red"))
        yield Text()
        yield Text("Failed most often", "bold")
        yield bars

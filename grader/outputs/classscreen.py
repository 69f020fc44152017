"""A class on a terminal as its grading ends: a line a student, and what failed most often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import IO

from rich.console import RenderableType
from rich.rule import Rule
from rich.text import Text

from grader.display.looks import LOOKS, QUIET
from grader.display.screen import Screen, bar, grid, words
from grader.display.sentences import count
from grader.model.result import Result, Status
from grader.outputs.terminal import codes


def show_class(
    results: Sequence[Result],
    *,
    file: IO[str] | None = None,
    width: int | None = None,
    color: bool | None = None,
) -> None:
    """Print a class: one line a student, then how often each check failed."""
    screen = Screen(file, width=width, color=color)
    table = grid({"width": 1}, {"max_width": 32}, {"justify": "right", "no_wrap": True}, {"ratio": 1})
    for result in results:
        status: Status = "error" if result.status == "error" else "pass" if result.passed else "fail"
        if result.status != "graded":
            why = result.error or "the grader failed"
            why = f"refused: {why}" if result.status == "refused" else why
            said = words(why, LOOKS[status].style, single=True)
        else:
            said = codes([check for check in result.checks if check.status in ("fail", "error")], QUIET)
            said = said if said.plain else Text(LOOKS[status].word, LOOKS[status].style)
        points = (
            f"{result.score}/{result.max_score}" if result.status == "graded" else f"?/{result.max_score}"
        )
        table.add_row(screen.sign(status), words(result.student or result.lab, single=True), points, said)
    screen.show(table, Text(), *_class_summary(screen, results))


def _class_summary(screen: Screen, results: Sequence[Result]) -> Iterator[RenderableType]:
    yield Rule(style=QUIET, characters=screen.glyph("─", "-"))
    graded = [result for result in results if result.status == "graded"]
    line = Text(count(len(results), "submission"), "bold")
    if graded:
        shares = sorted(result.score / (result.max_score or 1) for result in graded)
        median = (shares[(len(shares) - 1) // 2] + shares[len(shares) // 2]) / 2
        line.append(f"   {sum(result.passed for result in graded)} passed everything   median {median:.0%}")
    if refused := sum(result.status == "refused" for result in results):
        line.append(f"   {refused} refused", LOOKS["fail"].style)
    if missing := len(results) - len(graded) - refused:
        line.append(f"   {missing} not graded", LOOKS["error"].style)
    yield line
    failed = Counter(check.code for result in graded for check in result.checks if check.status == "fail")
    if failed:
        bars = grid({"max_width": 40}, {"justify": "right", "no_wrap": True}, {"ratio": 1})
        for code, number in failed.most_common():
            bars.add_row(words(code, single=True), str(number), bar(screen, number, len(graded), "red"))
        yield Text()
        yield Text("Failed most often", "bold")
        yield bars

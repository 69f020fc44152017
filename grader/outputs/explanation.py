"""What a check is about, on a terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO

from rich.console import RenderableType
from rich.markdown import Markdown

from grader.display.layout import Column, Grid, Words, words
from grader.display.looks import QUIET
from grader.display.screen import Screen, laid_out
from grader.display.sentences import count
from grader.model.lab import Check, Lab


def explain(
    lab: Lab,
    check: Check,
    *,
    fill: Callable[[str], str] = str,
    file: IO[str] | None = None,
    width: int | None = None,
    color: bool | None = None,
) -> None:
    """Print what a check is about: the long text, why it matters, where to read more.

    ``fill`` puts a variant's names into the lab's texts. Fixes and hints are left to a failure's own feedback.
    """
    screen = Screen(file, width=width, color=color)
    table = Grid(Column(8), Column(rest=True))
    for label, text in (
        ("Expected", check.expected or ""),
        ("Why", check.why),
        ("See", "; ".join(check.see)),
    ):
        if text:
            table.row(Words(label, "bold"), words(fill(text)))
    parts = (
        words(fill(check.title), "bold"),
        words(f"{lab.id}/{check.code}, {count(check.points, 'point')}", QUIET, single=True),
        Words(),
        table,
    )
    long: list[RenderableType] = []
    if check.explain:
        text = words(fill(check.explain), longest=100_000).plain
        long = ["", Markdown(text, hyperlinks=False, code_theme="ansi_dark")]
    screen.show(*(laid_out(part, screen) for part in parts), *long)

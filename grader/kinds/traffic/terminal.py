"""A dialogue with its notes, and the whole log, on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from grader.display.layout import VOICES
from grader.display.looks import QUIET
from grader.display.screen import grid, words
from grader.display.sentences import count
from grader.kinds.traffic.dialogue import AnnotatedLine
from grader.kinds.traffic.narrative import TROUBLE


def dialogue(steps: Iterable[AnnotatedLine]) -> Iterator[RenderableType]:
    """The lines of a session, each with what there is to say to it."""
    table = grid({"width": 2}, {"ratio": 1})
    for step in steps:
        said = words(step.text, VOICES.get(step.who, ""), single=True)
        if step.note:
            said.append_text(words(f"\n{step.note}", f"italic {QUIET}"))
        table.add_row(Text(f"{step.who}:" if step.who in ("C", "S") else step.who, QUIET), said)
    yield Text()
    yield Text("The dialogue, step by step", "bold")
    yield Padding(table, (0, 0, 0, 3))


MOST_LINES = 400
"""Lines of a log on a terminal; the HTML report and the evidence document have the rest."""


def log(lines: Sequence[str]) -> Iterator[RenderableType]:
    """The student's host's whole log, what somebody should read of it in bold."""
    if not lines:
        return
    shown = [
        words(line, "bold" if TROUBLE.search(line) else QUIET, single=True) for line in lines[:MOST_LINES]
    ]
    if len(lines) > MOST_LINES:
        shown.append(Text(f"and {count(len(lines) - MOST_LINES, 'more line')} in the report", QUIET))
    yield Text()
    yield Text("The server's whole log", "bold")
    yield Padding(Group(*shown), (0, 0, 0, 3))

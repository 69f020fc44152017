"""A dialogue with its notes, on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from grader.display.screen import QUIET, VOICES, grid, words
from grader.kinds.traffic.dialogue import AnnotatedLine


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

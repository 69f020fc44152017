"""How a class stands, on a terminal: what the page on a class shows, but for the list of all students."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from grader.display.looks import LOOKS, QUIET, Look
from grader.display.screen import Screen, bar, grid, words
from grader.display.sentences import count, some
from grader.outputs.classview import ClassView, State, StudentView

SHOWN = 20
"""Names beside one fault; how many more there are is said."""
STATES: dict[State, tuple[str, Look]] = {
    "passed": ("passed everything", LOOKS["pass"]),
    "failed": ("failed something", LOOKS["fail"]),
    "waiting": ("wait for a person", LOOKS["manual"]),
    "refused": ("refused", LOOKS["fail"]),
    "error": ("not graded by the grader's fault", LOOKS["error"]),
    "missing": ("handed nothing in", LOOKS["skipped"]),
}
"""For each state: in words, and the status that it looks like."""


def show(
    view: ClassView,
    *,
    anonymous: bool = False,
    file: IO[str] | None = None,
    width: int | None = None,
    color: bool | None = None,
) -> None:
    """Print how the class stands; ``anonymous`` names no students, and repeats nothing of theirs."""
    screen = Screen(file, width=width, color=color)
    parts: list[RenderableType] = [*_heading(view), *_points(screen, view), *_checks(screen, view)]
    parts += _faults(view, anonymous)
    if not anonymous:
        parts += [*_late(view), *_without_result(view)]
    screen.show(*parts)


def _heading(view: ClassView) -> Iterator[RenderableType]:
    yield words(view.title or view.lab, "bold", single=True)
    line = Text(count(len(view.students), "student"), "bold")
    if view.median is not None:
        line.append(f"   median {view.median:.0%}")
    for state, (said, look) in STATES.items():
        if number := view.states[state]:
            line.append(f"   {number} {said}", look.style)
    yield line


def _points(screen: Screen, view: ClassView) -> Iterator[RenderableType]:
    if not view.shares:
        return
    table = grid({"width": 8, "justify": "right"}, {"justify": "right", "no_wrap": True}, {"ratio": 1})
    for name, number in view.distribution:
        table.add_row(
            f"{name} %",
            str(number),
            bar(screen, number, len(view.shares)),
        )
    yield from (Text(), Text("How many have how much of the points", "bold"), table)


def _checks(screen: Screen, view: ClassView) -> Iterator[RenderableType]:
    table = grid({"max_width": 40}, {"justify": "right", "no_wrap": True}, {"width": 16}, {"ratio": 1})
    for check in view.checks:
        rate = "-" if check.rate is None else f"{int(check.rate * 100)} %"
        said = f"{check.statuses['fail']} failed" + (
            f", {check.unjudged} not judged" if check.unjudged else ""
        )
        table.add_row(
            words(check.code, single=True),
            rate,
            bar(screen, check.statuses["pass"], check.judged),
            Text(said, QUIET),
        )
    yield from (Text(), Text("Passed, of those judged", "bold"), table)


def _faults(view: ClassView, anonymous: bool) -> Iterator[RenderableType]:
    if view.faults:
        yield from (Text(), Text("Faults, the most frequent first", "bold"))
    for fault in view.faults:
        line = words(fault.check.code, LOOKS["fail"].style, single=True)
        yield Text.assemble(line, f"  {count(len(fault.students), 'student')}")
        if fault.advice.text and (fault.anybody_s or not anonymous):
            yield Padding(words(fault.advice.text, QUIET), (0, 0, 0, 2))
        if not anonymous:
            yield Padding(
                words(some([_name(one) for one in fault.students], SHOWN), single=True), (0, 0, 0, 2)
            )


def _late(view: ClassView) -> Iterator[RenderableType]:
    if late := view.late:
        yield from (Text(), Text(f"Handed in late, {count(len(late), 'student')}", "bold"))
        said = [f"{_name(one)} ({one.handed_in})" if one.handed_in else _name(one) for one in late]
        yield Padding(words(some(said, SHOWN), single=True), (0, 0, 0, 2))


def _without_result(view: ClassView) -> Iterator[RenderableType]:
    if not view.without_result:
        return
    yield from (Text(), Text("No result, and why", "bold"))
    table = grid({"max_width": 32}, {"ratio": 1})
    for student in view.without_result:
        said, look = STATES[student.state]
        why = f"{said}: {student.reason}" if student.reason else said
        table.add_row(words(_name(student), single=True), words(why, look.style, single=True))
    yield table


def _name(student: StudentView) -> str:
    return student.id or "no name"

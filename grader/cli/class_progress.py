"""A class on the terminal: how far it is, and how it ended."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import click

from grader.display.text import printed_line

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from grader.course import ClassRow, Summary


class ClassProgress:
    """Shows a bar on a terminal, a line for each submission elsewhere; on standard error, both."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._began = time.monotonic()
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._done = 0
        self._total = 0

    def __enter__(self) -> ClassProgress:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
            )
            # No thread of its own: workers are forked while the bar is shown, and a fork with threads can hang.
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False)
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()
        if kind is not None and issubclass(kind, KeyboardInterrupt) and self._done:
            click.echo(
                f"smtplab: {self._done} of {self._total} submissions are finished and kept in "
                f"{printed_line(str(self._out))}; the same command with --resume does the rest",
                err=True,
            )

    def report(self, row: ClassRow, done: int, total: int) -> None:
        """Told of each submission as it ends."""
        self._done, self._total = done, total
        if self._bar is None:
            # No class is given up because the log that it is told to has no room.
            with suppress(OSError):
                click.echo(f"{done}/{total} {printed_line(row.student)}: {ending(row)}", err=True)
            return
        if self._task is None:
            self._task = self._bar.add_task("grading", total=total)
        self._bar.update(
            self._task, completed=done, description=printed_line(row.student)[:30].ljust(30), refresh=True
        )

    def summarise(self, summary: Summary) -> None:
        """The class on standard output: a line a student, then what failed most often, how long, and where."""
        from grader.outputs import classscreen

        classscreen.show_class(summary.lines())
        seconds = time.monotonic() - self._began
        click.echo(f"{len(summary.rows)} in {seconds:.1f} s ({len(summary.rows) / seconds:.1f} a second)")
        click.echo(f"grades are in {printed_line(str(self._out))}")


def ending(row: ClassRow) -> str:
    """How a submission ended, in a few words."""
    if row.ending == "error":
        return f"error of the grader, costs no points: {printed_line(row.note)}"
    if row.ending == "refused":
        return f"refused: {printed_line(row.note)}"
    return f"{row.score}/{row.max_score}"

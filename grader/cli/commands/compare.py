"""``smtplab compare``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli import options

if TYPE_CHECKING:
    from grader.course.compare import Change


LONGEST_NAME = 40
AT_A_TIME = 500
"""Lines that are laid out before they are written."""


@click.command()
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option(
    "--csv", "table", metavar="FILE", type=click.Path(), help="Write it as CSV ('-' is standard output)."
)
@options.exit_zero
@options.debug
def compare(old: Path, new: Path, table: str | None, exit_zero: bool) -> int:
    """Whose points differ between two folders of grades, and by which check.

    Exit code 0 where nothing changed, 1 where something did.
    """
    from grader import outputs
    from grader.cli.files import refuse_impossible
    from grader.course import compare as comparing
    from grader.course.results_folder import kept, results
    from grader.model.errors import UsageError
    from grader.outputs.files import STANDARD_OUTPUT

    refuse_impossible({"--csv": table})
    found = []
    for folder in (old, new):
        if not (folders := kept(folder)):
            raise UsageError(f"{str(folder)!r} holds no results: name a folder that 'smtplab grade' wrote")
        found.append(results(folders))
    changed = list(comparing.changes(*found))
    if table is not None:
        outputs.write(table, comparing.as_csv(changed))
    if table != STANDARD_OUTPUT:
        _show(changed)
    return 1 if changed and not exit_zero else 0


def _show(changed: list[Change]) -> None:
    from rich.text import Text

    from grader.course.compare import TOTAL
    from grader.display.looks import QUIET
    from grader.display.screen import Screen, grid, words
    from grader.display.sentences import count

    def name(one: Change) -> Text:
        whole = one.check == TOTAL
        return (
            words(one.student, "bold", single=True) if whole else words(f"  {one.check}", QUIET, single=True)
        )

    screen = Screen(None)
    name_width = min(LONGEST_NAME, max((name(one).cell_len for one in changed), default=0))
    points_width = max((len(_both(one)) for one in changed), default=0)
    difference_width = max((len(f"{one.difference:+d}") for one in changed), default=0)
    # All parts have the columns of the whole: a table of a large class would take more memory than its results.
    for start in range(0, len(changed), AT_A_TIME):
        rows = grid(
            {"min_width": name_width, "max_width": LONGEST_NAME},
            {"min_width": points_width, "justify": "right", "no_wrap": True},
            {"min_width": difference_width, "justify": "right", "no_wrap": True},
            {"ratio": 1},
        )
        for one in changed[start : start + AT_A_TIME]:
            said = f"{one.old_status} -> {one.new_status}" if one.old_status != one.new_status else ""
            style = "red" if one.difference < 0 else "green" if one.difference else QUIET
            rows.add_row(
                name(one), _both(one), Text(f"{one.difference:+d}", style), words(said, QUIET, single=True)
            )
        screen.show(rows)
    students = sum(one.check == TOTAL for one in changed)
    screen.show(*([Text()] if changed else []), Text(f"{count(students, 'student')} changed", "bold"))


def _both(one: Change) -> str:
    return f"{_points(one.old_points)} -> {_points(one.new_points)}"


def _points(points: int | None) -> str:
    return "?" if points is None else str(points)

"""What ``smtplab lab verify`` prints: each submission's outcome, a matrix of faults and checks, one report in full."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from grader import labs, verify
from grader.cli.progress import build_image
from grader.cli.standby import Standby
from grader.display.text import printed, printed_line
from grader.engines.base import Engine
from grader.model.errors import UsageError
from grader.model.templates import nearest
from grader.outputs import write
from grader.outputs.files import STANDARD_OUTPUT

SIGNS = {"fails": "✗", "skipped": "s", "passes": "·", "-": " "}


@dataclass(frozen=True)
class Wish:
    """What was asked for on the command line, beside the labs."""

    jobs: int | None = None
    matrix: bool = False
    csv: str | None = None


def prove(folder: Path, wish: Wish, standby: Standby) -> int:
    """Grade all of a lab's own submissions and say what is not as declared. The exit code."""
    engine = _ready(folder, standby)
    aside = wish.csv == STANDARD_OUTPUT
    wrong = 0
    for fault in labs.inspected(folder):
        wrong += 1
        _bad(fault, aside)
    tried = []
    for trial in verify.verify(folder, engine=engine, jobs=wish.jobs):
        tried.append(trial)
        name = f"{trial.trial} ({trial.variant})"
        if trial.problem:
            wrong += 1
            _bad(f"{name}: {trial.problem}", aside)
        else:
            click.echo(f"{click.style('✓', fg='green')} {printed_line(name)}: {trial.score}", err=aside)
    if failed := next((one.trial for one in tried if one.judged and one.problem), ""):
        click.echo(f"  its report: smtplab lab verify {folder.name} --show {printed_line(failed)}", err=aside)
    if unproved := verify.unproved(tried):
        wrong += len(unproved)
        _bad(f"no submission in wrong/ loses: {', '.join(unproved)}", aside)
    if wish.matrix:
        click.echo(as_text(*verify.matrix(tried)), err=aside)
    if wish.csv is not None:
        write(wish.csv, as_csv(*verify.matrix(tried)))
    click.echo(f"{folder.name}: {len(tried)} tried, {wrong} not as declared", err=aside)
    return 1 if wrong else 0


def show(folder: Path, name: str, standby: Standby) -> int:
    """Print the report that one of a lab's own submissions gets, as its student would read it. The exit code."""
    from grader.outputs import terminal

    known = {trial.name: trial for trial in verify.trials(folder)}
    if name not in known:
        hint = nearest("%r", name, known) or f" (there are {', '.join(known)})"
        raise UsageError(f"the lab {folder.name} has no submission {name!r}{hint}")
    if known[name].fault:
        raise UsageError(known[name].fault)
    run = verify.run_trial(folder, known[name], None, _ready(folder, standby))
    standby.like = run.plan
    terminal.show(run.result, run.evidence)
    if problem := verify.problem(known[name], run.result):
        _bad(f"{name}: {problem}")
        return 1
    return 0


def _ready(folder: Path, standby: Standby) -> Engine | None:
    engine = standby.engine(labs.load(folder))
    if engine is not None:
        build_image(engine)
    return engine


def _bad(sentence: str, aside: bool = False) -> None:
    click.echo(f"{click.style('✗', fg='red')} {printed(sentence)}", err=aside)


def as_text(codes: Sequence[str], rows: dict[str, list[str]]) -> str:
    """The matrix with a numbered column for each check, and below it how many submissions lose each."""
    wide = max((len(name) for name in (*rows, "lost by")), default=0)
    lines = [f"{number:3} {code}" for number, code in enumerate(codes, 1)]
    lines += ["", _row("", (str(number) for number in range(1, len(codes) + 1)), wide)]
    lines += [_row(printed_line(name), (SIGNS[cell] for cell in cells), wide) for name, cells in rows.items()]
    lost = (str(sum(cells[place] == "fails" for cells in rows.values())) for place in range(len(codes)))
    lines += [_row("lost by", lost, wide), "", "✗ fails   s skipped   · passes"]
    return "\n".join(lines)


def _row(name: str, cells: Iterable[str], wide: int) -> str:
    return " ".join([name.ljust(wide), *(cell.rjust(2) for cell in cells)]).rstrip()


def as_csv(codes: Sequence[str], rows: dict[str, list[str]]) -> bytes:
    """The matrix as CSV (RFC 4180): a row for each submission of ``wrong/``, a column for each check."""
    made = io.StringIO()
    writer = csv.writer(made)
    writer.writerow(["wrong", *codes])
    writer.writerows([name, *cells] for name, cells in rows.items())
    return made.getvalue().encode()

"""``smtplab lab``: for lab authors."""

from __future__ import annotations

from pathlib import Path

import click

from grader import kinds
from grader.cli import options
from grader.cli.complete import KIND, LAB
from grader.labs.schema import SCHEMAS, rendered


@click.group()
def lab() -> None:
    """Write labs of your own. SMTPLAB_LABS names the folders that hold them, separated as in PATH."""


@lab.command()
@click.argument("lab_id", metavar="ID")
@click.argument("where", metavar="[DIR]", default="labs", type=click.Path(file_okay=False, path_type=Path))
@click.option("--kind", type=KIND, default=kinds.DEFAULT, show_default=True, help="What is handed in.")
@options.debug
def new(lab_id: str, where: Path, kind: str) -> int:
    """Make a small lab that works, in DIR/ID (labs/ID), for you to change."""
    from grader import labs
    from grader.display.text import printed_line

    folder = printed_line(str(labs.new(lab_id, where, kind)))
    click.echo(f"{folder}: change lab.yaml, handout.md, starter, solution and wrong, and prove it with:")
    click.echo(f"  SMTPLAB_LABS={printed_line(str(where.resolve()))} smtplab lab verify {lab_id}")
    return 0


@lab.command()
@click.argument("ids", metavar="[ID]...", nargs=-1, type=LAB)
@click.option(
    "-j", "--jobs", type=click.IntRange(1, 1000), help="How many at a time.  [default: one a processor]"
)
@options.engine
@options.debug
def verify(ids: tuple[str, ...], jobs: int | None, engine: str) -> int:
    """Prove labs: the solution gets full marks, the starter does not, and each known fault costs what it declares.

    A check that no known fault loses proves nothing, and is named. Without ID, every lab.
    """
    from grader import labs

    folders = [labs.find(given) for given in ids] or [entry.path for entry in labs.list_labs()]
    return max((_verify(folder, engine, jobs) for folder in folders), default=0)


def _verify(folder: Path, engine_name: str, jobs: int | None) -> int:
    from grader import labs, verify
    from grader.cli.engine import engine_for
    from grader.cli.progress import build_image
    from grader.display.text import printed, printed_line

    engine = engine_for(labs.load(folder), engine_name)
    if engine is not None:
        build_image(engine)
    wrong = 0
    tried = []
    for trial in verify.verify(folder, engine=engine, jobs=jobs):
        tried.append(trial)
        name = f"{printed_line(trial.trial)} ({trial.variant})"
        if trial.problem:
            wrong += 1
            click.echo(f"{click.style('✗', fg='red')} {name}: {printed(trial.problem)}")
        else:
            click.echo(f"{click.style('✓', fg='green')} {name}: {trial.score}")
    if unproved := verify.unproved(tried):
        wrong += len(unproved)
        codes = printed_line(", ".join(unproved))
        click.echo(f"{click.style('✗', fg='red')} no submission in wrong/ loses: {codes}")
    click.echo(f"{folder.name}: {len(tried)} tried, {wrong} not as declared")
    return 1 if wrong else 0


@lab.command()
@click.argument("kind", type=click.Choice(list(SCHEMAS)), default="lab")
@options.debug
def schema(kind: str) -> int:
    """Print a JSON Schema: of lab.yaml, of wrong/*/expect.yaml, of course.yaml, of a result or of evidence."""
    click.echo(rendered(kind), nl=False)
    return 0

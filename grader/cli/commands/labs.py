"""``smtplab labs``."""

from __future__ import annotations

import click

from grader.cli import options
from grader.cli.typed import command
from grader.cli.work import work_on


@click.command()
@options.debug
def labs() -> int:
    """List the labs in the order in which they are best done, with what you have begun and your last score."""
    from grader import labs as declared
    from grader.display.text import printed_line
    from grader.lesson.path import in_order

    listed = {entry.path.name: entry for entry in declared.list_labs()}
    widest = max(map(len, listed), default=0)
    begun = False
    for id_ in in_order(list(listed)):
        entry = listed[id_]
        name = id_.ljust(widest)
        if entry.lab is None:
            click.echo(f"{name}  broken: {printed_line(entry.error)}")
            continue
        lab = entry.lab
        state = _state(lab.id)
        begun = begun or bool(state)
        told = state or f"{lab.max_score} points"
        click.echo(f"{name}  {told:>16}  {lab.minutes:3} min  {printed_line(lab.title)}")
    click.echo(
        f"\nBegin with: {command('start', 'LAB')}"
        if not begun
        else f"\nGo on with: {command('check', 'LAB')}"
    )
    return 0


def _state(lab: str) -> str:
    """What has come of a lab here: ``62 of 100``, ``begun``, or nothing."""
    from grader.cli import lastrun

    folder = work_on(lab)
    if folder is None:
        return ""
    last = lastrun.read(folder, lab)
    return f"{last.result.score} of {last.result.max_score}" if last else "begun"

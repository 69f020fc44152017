"""``smtplab formats``."""

from __future__ import annotations

import click

from grader.cli import options


@click.command()
@options.debug
def formats() -> int:
    """List what results can be written as, for 'grade --format' and, where it says check, 'check --NAME FILE'.

    A star marks what is written where nothing is chosen.
    """
    from grader.outputs import FORMATS

    name = max(map(len, FORMATS))
    file = max(len(kind.file) for kind in FORMATS.values())
    for kind in FORMATS.values():
        star = "*" if kind.usual else " "
        where = "check, grade" if kind.one else "grade"
        about = f"{kind.reader}: {kind.about}" if kind.reader else kind.about
        click.echo(f"{star} {kind.name:{name}}  {kind.file:{file}}  {where:12}  {about}")
    return 0

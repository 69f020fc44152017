"""``smtplab labs``."""

from __future__ import annotations

import click

from grader.cli import options


@click.command()
@options.debug
def labs() -> int:
    """List the labs, with their points and the time that they take."""
    from grader import labs as declared
    from grader.display.text import printed_line

    found = declared.list_labs()
    widest = max((len(entry.path.name) for entry in found), default=0)
    for entry in found:
        name = entry.path.name.ljust(widest)
        if entry.lab is None:
            click.echo(f"{name}  broken: {printed_line(entry.error)}")
        else:
            lab = entry.lab
            click.echo(f"{name}  {lab.max_score:4} points  {lab.minutes:3} min  {printed_line(lab.title)}")
    return 0

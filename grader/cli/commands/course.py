"""``smtplab course``: the settings that a course keeps beside its work."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli import options


@click.group()
def course() -> None:
    """Keep what a course always says (its key, class, labs, formats) in a course.yaml."""


@course.command("signing-key")
@click.argument("where", metavar="FILE", type=click.Path(path_type=Path))
@options.debug
def signing_key(where: Path) -> int:
    """Make a key for 'smtplab grade --sign' in FILE, and the public key for others in FILE.pub."""
    from grader.course.signing import new_keys
    from grader.display.text import printed_line

    for path in new_keys(where):
        click.echo(f"  {printed_line(str(path))}")
    click.echo(
        "Keep the first to yourself: whoever has it can sign any result. Give the second to whoever checks."
    )
    return 0


@course.command()
@click.argument("where", metavar="[DIR]", default=".", type=click.Path(file_okay=False, path_type=Path))
@options.debug
def new(where: Path) -> int:
    """Make a course.yaml for you to change, with a new key, in DIR or here."""
    from grader.course.coursefile import new_course
    from grader.display.text import printed_line

    for path in new_course(where):
        click.echo(f"  {printed_line(str(path))}")
    click.echo("Change course.yaml, and keep the key to yourself: whoever has it can draw anybody's variant.")
    return 0

"""``smtplab start``."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli import options
from grader.cli.complete import LAB
from grader.cli.work import WORK


@click.command()
@click.argument("lab", type=LAB)
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(file_okay=False, path_type=Path))
@click.option("--student", metavar="ID", help="Names and networks drawn for this student alone.")
@options.course
@options.seed
@options.debug
def start(lab: str, folder: Path | None, student: str | None, course: Path | None, key: str | None) -> int:
    """Hand out a lab: its handout and starter files, in work/LAB or in DIR."""
    from grader import labs
    from grader.course.coursefile import find_course
    from grader.display.text import printed_line

    lab_folder = labs.find(lab)
    declared = labs.load(lab_folder)
    where = folder or WORK / declared.id
    if key is None and student is not None and (found := find_course(course)) is not None:
        key = found.key
    variant = labs.draw_variant(declared, student, key)
    written = labs.start(lab_folder, where, variant, student=student)
    click.echo(
        f"{printed_line(declared.title)} ({declared.max_score} points, about {declared.minutes} minutes)"
    )
    for path in written:
        click.echo(f"  {printed_line(str(path))}")
    check = "smtplab check" if where == WORK / declared.id else f"smtplab check {declared.id} {where}"
    click.echo(
        f"Read {printed_line(str(where / 'handout.md'))}, do what it asks, and grade it with: {printed_line(check)}"
    )
    return 0

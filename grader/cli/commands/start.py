"""``smtplab start``."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli import options
from grader.cli.complete import LAB
from grader.cli.typed import command
from grader.cli.work import WORK, put_aside
from grader.model.errors import SmtplabError


@click.command()
@click.argument("lab", type=LAB)
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(file_okay=False, path_type=Path))
@click.option("--student", metavar="ID", help="Names and networks drawn for this student alone.")
@click.option("--again", is_flag=True, help="Begin anew; the work that is there is kept beside it.")
@options.course
@options.seed
@options.debug
def start(
    lab: str, folder: Path | None, student: str | None, again: bool, course: Path | None, key: str | None
) -> int:
    """Hand out a lab: its handout and starter files, in work/LAB or in DIR."""
    from grader import labs
    from grader.course.coursefile import find_course
    from grader.display.text import printed_line
    from grader.model.variant import composed

    lab_folder = labs.find(lab)
    declared = labs.load(lab_folder)
    where = folder or WORK / declared.id
    if key is None and student is not None and (found := find_course(course)) is not None:
        key = found.key
    student = composed(student) if student else None
    before = labs.started(where) if again else None
    seed = None
    if before is not None and before.lab == declared.id and student in (None, before.student):
        # Whoever begins anew has the names of before.
        student, seed = before.student, before.seed
    variant = labs.draw_variant(declared, student, key, seed=seed)
    kept = put_aside(where) if again and where.exists() else None
    try:
        written = labs.start(
            lab_folder,
            where,
            variant,
            student=student,
            again=command("start", *_named(lab, folder), "--again"),
        )
    except SmtplabError:
        if kept is not None and not where.exists():
            kept.rename(where)
        raise
    click.echo(
        f"{printed_line(declared.title)} ({declared.max_score} points, about {declared.minutes} minutes)"
    )
    for path in written:
        click.echo(f"  {printed_line(str(path))}")
    if kept is not None:
        click.echo(f"What was there before lies in {printed_line(str(kept))}.")
    check = command("check", *_named(declared.id, folder))
    click.echo(f"Read {printed_line(str(where / 'handout.md'))}, do what it asks, and grade it with:")
    click.echo(f"  {printed_line(check)}")
    return 0


def _named(lab: str, folder: Path | None) -> list[str | Path]:
    return [lab] if folder is None else [lab, folder]

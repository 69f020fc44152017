"""``smtplab grade``."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli import options
from grader.cli.complete import LAB

if TYPE_CHECKING:
    from grader.course import Summary
    from grader.course.shards import Shard
    from grader.course.signing import Signer
    from grader.engines.base import Engine
    from grader.schedule import Scheduler


def _jobs(_: click.Context, __: click.Parameter, value: str) -> int:
    if value == "auto":
        return 0
    if value.isascii() and value.isdigit() and 0 < int(value) <= 1000:
        return int(value)
    raise click.BadParameter("give a number from 1 to 1000, or 'auto' for one a processor")


def _shard(_: click.Context, __: click.Parameter, value: str | None) -> Shard | None:
    from grader.course.shards import parsed
    from grader.model.errors import UsageError

    try:
        return parsed(value) if value is not None else None
    except UsageError as error:
        raise click.BadParameter(str(error)) from error


@click.command()
@click.argument("lab", type=LAB)
@click.argument("submissions", metavar="SOURCE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for the grades.")
@click.option(
    "-j", "--jobs", default="auto", metavar="N", callback=_jobs, help="How many at a time.  [default: auto]"
)
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Grade on the workers of the Dask scheduler at tls://HOST:PORT, or tcp:// on this machine.",
)
@options.formats
@click.option("--resume", is_flag=True, help="Skip what an earlier run into the same folder finished.")
@click.option(
    "--shard",
    metavar="K/N",
    callback=_shard,
    help="Grade share K of N of the class, drawn from the students' names; see 'smtplab merge'.",
)
@click.option(
    "--student-from",
    type=click.Choice(["folder", "none"]),
    help="Whose variant of the lab each had: the one drawn for the folder's name, or everybody the canonical "
    "one.  [default: folder with --seed, else none]",
)
@click.option(
    "--layout",
    metavar="NAME",
    help="What SOURCE is: 'named' (by student), canvas, moodle, gradescope, classroom[:ASSIGNMENT], ilias, mail.  "
    "[default: recognised]",
)
@click.option(
    "--roster",
    type=click.Path(path_type=Path),
    metavar="CSV",
    help="The class, with ids, addresses, logins, groups: columns by their titles.",
)
@click.option(
    "--groups", is_flag=True, help="The roster's groups hand in together: one run, a result for each."
)
@click.option(
    "--map",
    "decisions",
    type=click.Path(path_type=Path),
    metavar="CSV",
    help="Columns 'source' and 'student': who is who where you decide it.",
)
@click.option(
    "--trust-handout",
    "trust",
    is_flag=True,
    help="Take the word of each hand-out (.smtplab.json) for whose it is, and for its variant.",
)
@options.overrides
@options.sign
@options.course
@options.hints
@options.engine
@options.seed
@options.exit_zero
@options.debug
def grade(
    lab: str,
    submissions: tuple[Path, ...],
    out: Path,
    jobs: int,
    scheduler: str | None,
    formats: tuple[str, ...],
    resume: bool,
    shard: Shard | None,
    student_from: str | None,
    layout: str | None,
    roster: Path | None,
    groups: bool,
    decisions: Path | None,
    trust: bool,
    overrides: Path | None,
    sign: Path | None,
    course: Path | None,
    hints: str,
    engine: str,
    key: str | None,
    exit_zero: bool,
) -> int:
    """Grade many submissions: folders or archives, one a student, named by the student's id; or a platform's download.

    DIR/STUDENT gets a result, evidence, a report and JUnit XML; DIR itself the class as CSV, JUnit XML and a page,
    index.html.
    """
    from grader import labs
    from grader.cli.class_progress import ClassProgress
    from grader.cli.course import settled
    from grader.cli.engine import engine_for
    from grader.cli.progress import build_image
    from grader.course import ClassSettings, grade_class
    from grader.course.coursefile import visibility
    from grader.course.intake import Choices
    from grader.course.intake.reading import refuse_missing
    from grader.course.intake.roster import read_decisions, read_roster
    from grader.model.errors import UsageError

    declared = labs.load(labs.find(lab))
    said = settled(
        course, declared.id, roster=roster, groups=groups, layout=layout, overrides=overrides, formats=formats,
        hints=hints, key=key,
    )  # fmt: skip
    if said.groups and said.roster is None:
        raise UsageError("--groups are those of a roster: give one with --roster")
    choices = Choices(
        layout=said.layout,
        roster=read_roster(said.roster) if said.roster else None,
        groups=said.groups,
        decisions=read_decisions(decisions) if decisions else {},
        due=said.due,
    )
    # An image may take minutes to build.
    refuse_missing(submissions)
    able = engine_for(declared, engine)
    if able is not None:
        build_image(able)
    settings = ClassSettings(
        lab=labs.find(lab),
        out=out,
        engine=able,
        key=said.key,
        draw=student_from == "folder" or (student_from is None and said.key is not None),
        hints=said.hints,
        resume=resume,
        formats=said.formats,
        workers=jobs,
        choices=choices,
        trust=trust,
        overrides=said.overrides,
        shard=shard,
        visibility=visibility(said.of_lab, declared.all_checks) if said.of_lab else None,
        assignment=said.of_lab.assignment if said.of_lab else {},
        signer=_signer(sign) if sign else None,
    )
    with ClassProgress(out) as room, _workers(scheduler, jobs, able, _tell) as workers:
        summary = grade_class(settings, submissions, report=room.report, tell=_tell, scheduler=workers)
    room.summarise(summary)
    return _exit_code(summary, exit_zero)


def _tell(sentence: str) -> None:
    from grader.display.text import printed_line

    click.echo(f"smtplab: {printed_line(sentence)}", err=True)


def _signer(key: Path) -> Signer:
    # Few classes are signed, and what that takes is slow to load.
    from grader.course.signing import read_signer

    return read_signer(key)


def _workers(
    address: str | None, jobs: int, engine: Engine | None, tell: Callable[[str], object]
) -> AbstractContextManager[Scheduler | None]:
    """Who grades: the workers of a cluster, or ``None`` for processes of this machine."""
    if address is None:
        return nullcontext()
    from grader.course.cluster.scheduler import connected
    from grader.model.errors import UsageError

    if jobs:
        raise UsageError(
            "-j is how many this machine grades at a time: with --scheduler, start as many workers"
        )
    return connected(address, engine.name if engine else None, tell)


def _exit_code(summary: Summary, exit_zero: bool) -> int:
    if summary.count("error"):
        return 3
    return 0 if summary.passed or exit_zero else 1

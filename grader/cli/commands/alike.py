"""``smtplab alike``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli import options
from grader.cli.complete import LAB

if TYPE_CHECKING:
    from grader.course.alike import ForeignNames, Likeness
    from grader.course.rarefaults import RareFaults


@click.command()
@click.argument("lab", type=LAB)
@click.argument("submissions", metavar="SOURCE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--layout", metavar="NAME", help="What SOURCE is, as for 'smtplab grade'.  [default: recognised]"
)
@click.option("--roster", type=click.Path(path_type=Path), metavar="CSV", help="The class, as for 'grade'.")
@click.option(
    "--map", "decisions", type=click.Path(path_type=Path), metavar="CSV", help="Who is who, as for 'grade'."
)
@click.option(
    "--trust-handout", "trust", is_flag=True, help="Take the word of each hand-out, as for 'grade'."
)
@click.option(
    "--csv", "table", metavar="FILE", type=click.Path(), help="Write it as CSV ('-' is standard output)."
)
@click.option(
    "--grades",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The class's results: say who has rare faults in common, too.",
)
@click.option("--html", metavar="FILE", type=click.Path(), help="Write a page with both side by side.")
@options.course
@options.seed
@options.debug
def alike(
    lab: str,
    submissions: tuple[Path, ...],
    layout: str | None,
    roster: Path | None,
    decisions: Path | None,
    trust: bool,
    table: str | None,
    html: str | None,
    grades: Path | None,
    course: Path | None,
    key: str | None,
) -> None:
    """Whose hand-ins are alike beyond what the lab explains: pointers to copying, never verdicts.

    Said are names of another student's variant (with --seed), and work that few others did so; with
    --grades, too, who fails the same checks in the same unusual way. Nothing is graded.
    """
    from grader import labs, outputs
    from grader.cli.course import settled
    from grader.cli.files import refuse_impossible
    from grader.course import alike as comparing
    from grader.course.intake import Choices
    from grader.course.intake.roster import read_decisions, read_roster
    from grader.course.rarefaults import rare_faults
    from grader.course.results_folder import kept, results
    from grader.course.works import read_works
    from grader.display.sentences import some
    from grader.display.text import printed_line
    from grader.model.errors import UsageError
    from grader.outputs.files import STANDARD_OUTPUT

    refuse_impossible({"--csv": table, "--html": html})
    folder = labs.find(lab)
    said = settled(
        course, labs.load(folder).id, roster=roster, groups=False, layout=layout, overrides=None, formats=(), hints="",
        key=key,
    )  # fmt: skip
    choices = Choices(
        layout=said.layout,
        roster=read_roster(said.roster) if said.roster else None,
        groups=said.groups,
        decisions=read_decisions(decisions) if decisions else {},
    )
    works, unread = read_works(
        folder, submissions, choices, draw=said.key is not None, key=said.key, trust=trust
    )
    if unread:
        click.echo(f"smtplab: {printed_line(f'cannot be read, and passed over: {some(unread)}')}", err=True)
    homes = kept(grades) if grades is not None else []
    if grades is not None and not any(one.lab == labs.load(folder).id for one in results(homes[:1])):
        raise UsageError(
            f"{str(grades)!r} holds no results of this lab: give the folder that 'smtplab grade --out' wrote"
        )
    faults = rare_faults(results(homes))
    foreign, pairs = comparing.foreign_names(works), comparing.likenesses(works)
    if table is not None:
        outputs.write(table, comparing.as_csv(foreign, pairs, [(one.students, one.faults) for one in faults]))
    if html is not None:
        from grader.course import sidebyside

        beside = list(sidebyside.pairs(works, pairs))
        page = sidebyside.page(
            labs.load(folder).id,
            beside,
            faults=faults if grades else None,
            foreign=foreign if any(work.own for work in works) else None,
            more=len(pairs) - len(beside),
        )
        outputs.write(html, page)
    if STANDARD_OUTPUT not in (table, html):
        _show(foreign, pairs, faults, len(works))


SHOWN_STUDENTS = 12
"""Students who are named of those whose work is alike; a table names each pair."""


def _show(foreign: list[ForeignNames], pairs: list[Likeness], faults: list[RareFaults], number: int) -> None:
    from rich.padding import Padding

    from grader.course.alike import circles
    from grader.display.looks import QUIET
    from grader.display.screen import Screen, words
    from grader.display.sentences import count, listed, some

    screen = Screen(None)
    for one in foreign:
        screen.show(
            words(f"{one.student} has names of {some(one.others, 3)}", "bold", single=True),
            Padding(words(some(one.names), QUIET, single=True), (0, 0, 0, 2)),
        )
    for circle in circles(pairs):
        most, least = (int(circle.pairs[place].share * 100) for place in (0, -1))
        who = f"{some(circle.students, SHOWN_STUDENTS)} are alike"
        if len(circle.students) == 2:
            said = f"{listed(circle.students)} are alike: {most} %"
        elif most == least:
            said = f"{who}: {count(len(circle.pairs), 'pair')}, {most} %"
        else:
            said = f"{who}, each to others: {count(len(circle.pairs), 'pair')}, {least} to {most} %"
        screen.show(words(said, "bold", single=True))
        for statement in circle.pairs[0].statements:
            screen.show(Padding(words(statement, QUIET, single=True, longest=200), (0, 0, 0, 2)))
    for group in faults:
        screen.show(words(f"{listed(group.students)} have rare faults in common", "bold", single=True))
        for fault in group.faults:
            screen.show(Padding(words(fault, QUIET, single=True, longest=200), (0, 0, 0, 2)))
    found = count(len(foreign) + len(pairs) + len(faults), "pointer")
    screen.show(
        words(
            f"{found} in {count(number, 'hand-in')}; a pointer is no verdict: ask, and look at both",
            single=True,
        )
    )

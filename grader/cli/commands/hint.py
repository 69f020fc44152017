"""``smtplab hint``."""

from __future__ import annotations

import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from grader.cli import options
from grader.cli.complete import CODE
from grader.cli.typed import command

COLUMN = 10
WIDEST = 120

if TYPE_CHECKING:
    from grader.cli.lastrun import LastRun
    from grader.cli.work import Work
    from grader.model.result import CheckResult


@click.command()
@click.argument("code", required=False, type=CODE)
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path())
@options.debug
def hint(code: str | None, folder: str | None) -> int:
    """Give the next rung of help with a check that failed when you last checked your work.

    CODE is as in the report, open-relay/stranger or just stranger; without it, it is the check to fix first. First
    comes a nudge, then a pointer, the next step, a worked example; what you were shown already is not told again until
    all of it was. The work is looked for as 'smtplab check' does, or lies in DIR.
    """
    from grader.cli import lastrun
    from grader.cli.work import find_work
    from grader.display.text import printed
    from grader.model.errors import UsageError
    from grader.outputs.feedback import LABELS

    lab, code = _named(code)
    where = (lab, folder) if lab or folder is None else (folder, None)
    work = find_work(*where, verb="hint", code="/CODE")
    if work is None:
        raise UsageError(f"no lab is under way here: begin with '{command('start', 'LAB')}'")
    last = _last(work)
    check = _failing(last, code)
    ladder = check.ladder
    if not ladder:
        raise UsageError(f"there is no help with {check.code}: none was written for it, or none is allowed")
    given = last.given.get(check.code, [])
    fresh = [rung for rung in ladder if rung not in given]
    shown = fresh[:1] or list(ladder)
    click.secho(f"{printed(check.title)}  {printed(check.code)}", bold=True)
    for rung in shown:
        click.echo(_laid_out(LABELS[rung], printed(ladder[rung])))
    left = len(fresh) - 1
    told = f"{left} more: the same command again" if left > 0 else "that is all the help there is"
    click.secho(f"({told})", dim=True)
    lastrun.keep(work.folder, lastrun.with_given(last, check, shown))
    return 0


def _laid_out(label: str, text: str) -> str:
    """A rung of help beside its label, its lines kept and wrapped."""
    width = min(shutil.get_terminal_size().columns, WIDEST)
    blank = " " * COLUMN
    lines = [
        click.wrap_text(line, width, initial_indent=blank, subsequent_indent=blank)
        for line in text.split("\n")
    ]
    whole = "\n".join(lines)
    return click.style(label.ljust(COLUMN), bold=True) + whole.removeprefix(blank)


def _named(code: str | None) -> tuple[str | None, str | None]:
    """The lab and the check that a word names: ``open-relay/stranger``, ``stranger`` or ``open-relay``."""
    from grader import labs
    from grader.model.errors import LabError

    if code is None or "/" in code:
        return (code or "").partition("/")[0] or None, code
    with suppress(LabError):
        return labs.find(code).name, None
    return None, code


def _last(work: Work) -> LastRun:
    """The last run of a work. Raises ``UsageError`` where none is known."""
    from grader import labs
    from grader.cli import lastrun
    from grader.model.errors import UsageError

    lab = labs.load(work.lab).id
    if (last := lastrun.read(work.folder, lab)) is None:
        begun = "" if work.started else f", in a folder that '{command('start', lab)}' made"
        raise UsageError(
            f"what failed in {work.folder} is not known yet: run '{command('check', lab)}' first{begun}"
        )
    return last


def _failing(last: LastRun, code: str | None) -> CheckResult:
    """The check that is meant, which failed. Raises ``UsageError`` with the reason where none or another is meant."""
    from grader.model.errors import UsageError
    from grader.model.templates import nearest

    result = last.result
    if code is None:
        if (first := result.first_failure()) is None:
            raise UsageError(
                f"nothing failed when {result.lab} was last checked: there is nothing to help with"
            )
        return first
    short = code.removeprefix(f"{result.lab}/")
    known = {check.code.removeprefix(f"{result.lab}/"): check for check in result.checks}
    if short not in known:
        raise UsageError(f"there is no check {code!r} in {result.lab}{nearest('%r', short, known)}")
    check = known[short]
    if check.status == "skipped" and check.because:
        raise UsageError(
            f"{check.code} was skipped, because {check.because} failed: ask for that, "
            f"'{command('hint', check.because)}'"
        )
    if check.status != "fail":
        raise UsageError(
            f"{check.code} did not fail when {result.lab} was last checked: there is nothing to help with"
        )
    return check

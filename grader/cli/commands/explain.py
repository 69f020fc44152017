"""``smtplab explain``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from grader.cli import options
from grader.cli.complete import CODE

if TYPE_CHECKING:
    from grader.model.lab import Check, Lab


@click.command()
@click.argument("code", type=CODE)
@options.debug
def explain(code: str) -> int:
    """Explain a check, or a word of the field: what it is about, why it matters, where to read more.

    CODE is as in a report, open-relay/stranger; or a command, a reply code, a port, a header field, a term: RCPT, 554.
    """
    from functools import partial

    from grader import labs
    from grader.labs.templates import fill
    from grader.model.errors import UsageError
    from grader.outputs import terminal

    try:
        lab, check = find(code)
    except UsageError:
        if "/" in code or not _explain_word(code):
            raise
        return 0
    terminal.explain(lab, check, fill=partial(fill, names=labs.draw_variant(lab).names))
    return 0


def _explain_word(word: str) -> bool:
    """Show the lesson's entry about a word; whether it has one."""
    from grader import lesson
    from grader.lesson import screen

    entry = lesson.look_up(word)
    if entry is not None:
        screen.show(entry, lesson.library())
    return entry is not None


def find(code: str) -> tuple[Lab, Check]:
    """The check with a code; the lab's id may be left out where one lab alone has such a check.

    Raises ``UsageError`` for an unknown code, with the nearest, and for one that several labs have.
    """
    from grader import labs
    from grader.labs.templates import nearest
    from grader.model.errors import UsageError

    every = {
        f"{entry.lab.id}/{check.code}": (entry.lab, check)
        for entry in labs.list_labs()
        if entry.lab
        for check in entry.lab.checks
    }
    fitting = [known for known in every if code in (known, known.partition("/")[2])]
    if len(fitting) > 1:
        raise UsageError(f"several labs have a check {code!r}: say which, {' or '.join(fitting)}")
    if not fitting:
        short = {known.partition("/")[2]: known for known in every}
        hint = nearest("%r", code, every) if "/" in code else nearest("%r", code, short)
        raise UsageError(f"there is no check {code!r}{hint}")
    return every[fitting[0]]

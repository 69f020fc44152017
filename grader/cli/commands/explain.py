"""``smtplab explain``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from grader.cli import options
from grader.cli.complete import CODE

if TYPE_CHECKING:
    from grader.model.lab import Check, Lab


@click.command()
@click.argument("code", nargs=-1, required=True, type=CODE)
@options.debug
def explain(code: tuple[str, ...]) -> int:
    """Explain a check, or a word of the field: what it is about, why it matters, where to read more.

    CODE is as in a report, open-relay/stranger; or a command, a reply code, a port, a header field, a term: RCPT, 554;
    or a whole sheet: commands, extensions, replies, ports, headers, header-rules, authentication, glossary, standards.
    "sheet alignment" is the lesson's entry, where a check has the same name.
    """
    from functools import partial

    from grader import labs
    from grader.model.errors import UsageError
    from grader.model.templates import fill
    from grader.outputs import terminal
    from grader.outputs.references import SHEET

    name = " ".join(code)
    word = name.removeprefix(SHEET)
    try:
        if word != name:
            raise UsageError(f"there is no sheet {word!r}")
        lab, check = find(name)
    except UsageError as error:
        if "/" in name:
            raise
        if not _explain_word(word):
            raise UsageError(_unknown(word) or str(error)) from error
        return 0
    terminal.explain(lab, check, fill=partial(fill, names=labs.draw_variant(lab).names))
    return 0


def _explain_word(word: str) -> bool:
    """Show the lesson's entry about a word, or the sheet of that name; whether there is one."""
    from grader import lesson
    from grader.lesson import screen
    from grader.lesson.sheets import SHEETS

    entry = lesson.look_up(word)
    sheet = SHEETS.get(word.casefold())
    if entry is not None:
        screen.show(entry, lesson.library())
    elif sheet is not None:
        screen.show_sheet(sheet, lesson.library())
    return entry is not None or sheet is not None


def _unknown(word: str) -> str:
    """The sentence about a word that is like one of the lesson's; empty where it is like none."""
    from grader import lesson

    near = [f"'{title.partition(',')[0]}'" for title in lesson.near_matches(word)]
    return f"there is no check, word or sheet {word!r}; did you mean {' or '.join(near)}?" if near else ""


def find(code: str) -> tuple[Lab, Check]:
    """The check with a code; the lab's id may be left out where one lab alone has such a check.

    A question of a quiz is named in full: its short name may be a word of the field.
    Raises ``UsageError`` for an unknown code, with the nearest, and for one that several labs have.
    """
    from grader import kinds, labs
    from grader.model.errors import UsageError
    from grader.model.templates import nearest

    every = {
        f"{entry.lab.id}/{check.code}": (entry.lab, check)
        for entry in labs.list_labs()
        if entry.lab
        for check in entry.lab.all_checks
    }
    short = {known: known.partition("/")[2] for known, (lab, _) in every.items() if kinds.of(lab).short_codes}
    fitting = [known for known in every if code in (known, short.get(known))]
    if len(fitting) > 1:
        raise UsageError(f"several labs have a check {code!r}: say which, {' or '.join(fitting)}")
    if not fitting:
        hint = nearest("%r", code, every if "/" in code else short.values())
        raise UsageError(f"there is no check {code!r}{hint}")
    return every[fitting[0]]

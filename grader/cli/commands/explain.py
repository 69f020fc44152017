"""``smtplab explain``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from grader.cli import options
from grader.cli.complete import CODE
from grader.cli.typed import program

if TYPE_CHECKING:
    from grader.model.lab import Check, Lab


NEAR = 0.75
"""How like a check's code a word is, of 1, to be a misspelling of it (``difflib``)."""


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("code", nargs=-1, type=CODE)
@options.debug
def explain(code: tuple[str, ...]) -> int:
    """Explain a check, a word of the field, or what a server said: what it is about, and where to read more.

    CODE is as in a report, open-relay/stranger; or a lab; or a command, a reply code, a port, a header field, a term:
    RCPT, 554; or whatever stands on the sheets: Relay access denied, RFC 5321; or a whole sheet, commands. Without
    CODE, what there is. "sheet alignment" is the lesson's entry, where a check or a lab has the same name.
    """
    from grader.outputs.references import SHEET

    name = " ".join(code).strip()
    word = name.removeprefix(SHEET)
    if name in ("", SHEET.strip()):
        _show_shelf()
    elif word != name:
        _explain_sheet(word)
    elif not _explain_lab(name):
        _explain_check(name)
    return 0


def _explain_check(name: str) -> None:
    """A check where it is one, a word of the lesson where it is none."""
    from functools import partial

    from grader import labs
    from grader.model.errors import UsageError
    from grader.model.templates import fill
    from grader.outputs.explanation import explain as show

    try:
        lab, check = find(name)
    except UsageError:
        # A code in full can be nothing else.
        if any(name.startswith(f"{lab.id}/") for lab in _labs()):
            raise
        if not _explain_word(name):
            _search(name)
        return
    show(lab, check, fill=partial(fill, names=labs.draw_variant(lab).names))


def _labs() -> list[Lab]:
    from grader import labs

    return [entry.lab for entry in labs.list_labs() if entry.lab is not None]


def _show_shelf() -> None:
    from grader.lesson.shelf import show_shelf

    show_shelf(_labs(), program=program())


def _explain_lab(name: str) -> bool:
    """Show the lab of that name; whether there is one."""
    from grader import labs, lesson
    from grader.lesson.shelf import show_lab
    from grader.model.templates import fill

    lab = next((lab for lab in _labs() if lab.id == name), None)
    if lab is None:
        return False
    names = labs.draw_variant(lab).names
    titles = [fill(check.title, names) for check in lab.all_checks]
    show_lab(lab, titles, entry=name if lesson.look_up(name) else "", program=program())
    return True


def _explain_sheet(word: str) -> None:
    """The lesson's own entry. Raises ``UsageError`` where there is none of that name."""
    from grader import lesson
    from grader.model.errors import UsageError

    if not _explain_word(word):
        near = [f"'sheet {title.partition(',')[0]}'" for title in lesson.near_matches(word)]
        raise UsageError(
            f"there is no sheet {word!r}" + (f"; did you mean {' or '.join(near)}?" if near else "")
        )


def _explain_word(word: str) -> bool:
    """Show the entry, sheet or standard of that name; whether there is one."""
    from grader import lesson
    from grader.lesson import screen
    from grader.lesson.sheets import SHEETS
    from grader.lesson.shelf import show_standard, standard

    library = lesson.library()
    entry, sheet, document = lesson.look_up(word), SHEETS.get(word.casefold()), standard(word, library)
    if entry is not None:
        screen.show(entry, library)
    elif sheet is not None:
        screen.show_sheet(sheet, library)
    elif document is not None:
        show_standard(document, library)
    return entry is not None or sheet is not None or document is not None


def _search(query: str) -> None:
    """Show whatever the sheets say of some words. Raises ``UsageError`` where that is nothing."""
    from difflib import get_close_matches

    from grader import lesson
    from grader.lesson.finding import Index
    from grader.lesson.fulltext import documents
    from grader.lesson.shelf import show_found
    from grader.model.errors import UsageError

    sought = documents(lesson.library(), _labs())
    found = Index(sought).find(query)
    if not found.hits:
        codes = [check.code for lab in _labs() for check in lab.all_checks]
        near = [title.partition(",")[0] for title in lesson.near_matches(query)]
        near += get_close_matches(query, codes, n=1, cutoff=NEAR)
        meant = (
            f"; did you mean {' or '.join(map(repr, near))}?"
            if near
            else f". '{program()} explain' shows what there is"
        )
        raise UsageError(f"nothing is known of {query!r}{meant}")
    show_found(found, sought, program=program())


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

"""The words that authors may write, on a terminal."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

import click

from grader import kinds
from grader.display.text import printed_line
from grader.kinds.base import Words
from grader.labs import vocabulary
from grader.model.errors import UsageError
from grader.model.templates import nearest

WIDEST = 110


def show(names: Sequence[str], word: str | None) -> int:
    """Print the words of all labs and those of the kinds ``names``; with ``word`` what holds it.

    Raises ``UsageError``, with the nearest, where nothing does.
    """
    sorts = {"": vocabulary.common(), **{name: vocabulary.of_kind(name) for name in names}}
    if word is not None:
        known = [each for made in sorts.values() for sort in made for each in sort.words]
        sorts = {name: _holding(made, word.strip("{}@")) for name, made in sorts.items()}
        if not any(sorts.values()):
            raise UsageError(f"no word of lab.yaml holds {word!r}{nearest('%r', word, known)}")
    for name, made in sorts.items():
        if name and made:
            click.secho(f"Labs of kind {name}: {kinds.kind(name).about}\n", bold=True, underline=True)
        for sort in made:
            _print(sort)
    return 0


def _holding(made: Sequence[Words], word: str) -> list[Words]:
    """The sorts with only those words that hold a text, in themselves or in their meaning."""
    found = []
    for sort in made:
        words = {
            each: about for each, about in sort.words.items() if word.lower() in f"{each} {about}".lower()
        }
        if words:
            found.append(Words(sort.title, sort.about, words))
    return found


def _print(sort: Words) -> None:
    width = min(shutil.get_terminal_size().columns, WIDEST)
    click.echo(click.wrap_text(f"{click.style(sort.title, bold=True)}  {sort.about}", width))
    wide = min(max(map(len, sort.words)), 24)
    for word, about in sort.words.items():
        name = printed_line(word)
        lead = f"  {name.ljust(wide)}  "
        click.echo(
            click.wrap_text(printed_line(about) or " ", width, lead, " " * (wide + 4)).rstrip() or lead
        )
    click.echo()

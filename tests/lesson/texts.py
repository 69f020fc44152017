"""Every text of a piece of the lesson's data, wherever in it it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from grader.lesson.library import Library


def texts(value: object) -> Iterator[str]:
    """The strings in plain values, white space as single spaces; keys are none."""
    if isinstance(value, dict):
        for one in value.values():
            yield from texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from texts(one)
    elif value is not None:
        yield re.sub(r"\s+", " ", str(value))


def of(value: object) -> list[str]:
    """The texts of a struct."""
    return list(texts(msgspec.to_builtins(value)))


def lesson(library: Library) -> dict[str, list[str]]:
    """The texts of every entry, question and header rule, by id."""
    found = {id_: of(entry) for id_, entry in library.entries.items()}
    found |= {f"question {question.id}": of(question) for question in library.questions}
    return found | {f"rule {rule.id}": of(rule) for rule in library.rules.values()}

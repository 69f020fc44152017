"""What only some kinds of entries have, under which name it is shown, and its lines as plain text."""

from __future__ import annotations

from collections.abc import Callable

from grader.lesson.entries import LessonEntry, Spoken, SpokenLine, TagEntry
from grader.lesson.library import Library

LABELS: dict[str, str] = {
    "actor": "Who",
    "protocol": "How",
    "syntax": "Syntax",
    "when": "When",
    "offer": "Offered as",
    "adds": "Adds",
    "cause": "Comes after",
    "action": "The client",
    "enhanced": "Enhanced",
    "where": "Stands in",
    "by": "Written by",
    "count": "Occurs",
    "use": "For",
    "encryption": "Encryption",
    "authentication": "Login",
    "extension": "Extension",
    "replies": "Replies",
    "tags": "Tags",
    "pitfalls": "Beware",
    "fails": "What fails",
    "rules": "Rules",
    "example": "Example",
    "lines": "Lines",
    "postfix": "Postfix",
    "defaults": "By default",
}
"""Keys of entries and their labels, in the order in which they are shown."""
COUNTS = {"1": "exactly once", "0-1": "at most once", "any": "any number of times"}
"""How often a header field stands in a message."""


def settings(defaults: dict[str, str]) -> list[str]:
    """Parameters of Postfix with their values, as they would stand in main.cf(5)."""
    return [f"{name} = {value}".rstrip() for name, value in defaults.items()]


def lines(entry: LessonEntry, key: str, library: Library) -> list[str]:
    """What an entry has under a key of ``LABELS``, as lines of text; none where it has nothing there."""
    value = getattr(entry, key, None)
    if not value:
        return []
    if key in _TOLD:
        return _TOLD[key](value, library)
    return [_line(item) for item in value] if isinstance(value, list) else str(value).rstrip().splitlines()


_TOLD: dict[str, Callable[..., list[str]]] = {
    "adds": lambda value, library: [", ".join(value)],
    "defaults": lambda value, library: settings(value),
    "enhanced": lambda value, library: [", ".join(value)],
    "count": lambda value, library: [COUNTS[value]],
    "extension": lambda value, library: [library.entries[value].title],
    "replies": lambda value, library: [", ".join(str(library.entries[id_].code) for id_ in value)],
    "pitfalls": lambda value, library: [f"- {item}" for item in value],
    "rules": lambda value, library: [f"{library.rules[id_].title}." for id_ in value],
}


def _line(item: object) -> str:
    match item:
        case SpokenLine():
            return f"{item.line}\n  ({item.when}{'' if item.seen else '; as documented'})"
        case TagEntry():
            return f"{item.name}  {item.meaning}"
        case Spoken():
            spoken = f"{item.who}: {item.line}" if item.who else item.line
            return f"{spoken}\n    {item.note}" if item.note else spoken
    return str(item)

"""Looks a term up: ``554``, ``5.7.1``, ``RCPT TO``, ``port 25``, ``dkim-signature``, ``MX``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache

from grader.lesson import entries
from grader.lesson.entries import LessonEntry
from grader.lesson.library import Library, library

_NOISE = re.compile(
    r"^(?:the )?(?:command|verb|reply|code|port|header|field|extension|rfc) (?=\S)", re.IGNORECASE
)


def look_up(term: str, among: Library | None = None) -> LessonEntry | None:
    """The entry for a term as a reader would type it; ``None`` where there is none.

    Capitals, a colon at the end and a word such as 'port' before a number make no difference. Where a term means
    several things (``STARTTLS`` is a command and an extension; ``25`` a port), the order of ``Library`` decides,
    commands before extensions.
    """
    index = _index(among)
    for key in _keys(term):
        if key in index:
            return index[key]
    return None


def near_matches(term: str, among: Library | None = None, *, count: int = 3) -> list[str]:
    """Titles of entries that the reader may have meant, the nearest first; each can be looked up in turn."""
    index = _index(among)
    found: list[str] = []
    for key in get_close_matches(_plain(term), list(index), n=count * 3, cutoff=0.6):
        if (title := index[key].title) not in found:
            found.append(title)
    return found[:count]


def _index(among: Library | None) -> dict[str, LessonEntry]:
    return _own_index() if among is None else _index_of(among)


@cache
def _own_index() -> dict[str, LessonEntry]:
    return _index_of(library())


def _index_of(among: Library) -> dict[str, LessonEntry]:
    index: dict[str, LessonEntry] = {}
    for names in (_own_names, _other_names):
        for entry in among.entries.values():
            for name in names(entry):
                index.setdefault(_plain(name), entry)
    return index


def _own_names(entry: LessonEntry) -> Iterator[str]:
    match entry:
        case entries.CommandEntry():
            yield entry.verb
        case entries.Extension():
            yield entry.keyword
        case entries.ReplyEntry() | entries.Enhanced():
            yield str(entry.code)
        case entries.Class():
            yield f"{entry.digit}xx"
        case entries.Port():
            yield str(entry.port)
        case entries.Header():
            yield entry.name


def _other_names(entry: LessonEntry) -> Iterator[str]:
    yield entry.id
    yield entry.title
    yield from entry.aliases


def _keys(term: str) -> Iterator[str]:
    plain = _plain(term)
    yield plain
    yield _plain(_NOISE.sub("", term.strip()))
    if re.fullmatch(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}", plain):
        yield f"x{plain[1:]}"


def _plain(text: str) -> str:
    return re.sub(r"[\s_]+", " ", text.strip().rstrip(":").casefold())

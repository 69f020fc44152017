"""All that the sheets say, as documents to search: titles, other names, and every line, quoted ones included."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from grader.lesson import entries
from grader.lesson.entries import Document, HeaderRule, LessonEntry
from grader.lesson.facts import LABELS, lines
from grader.lesson.library import Library
from grader.model.lab import Lab

LONGEST_PART = 220
_SENTENCE = re.compile(r"(?<=[.?!]) ")
_OPEN_CLASS = re.compile(r"X(\.\d+\.\d+)\Z")


class Sought(Struct, frozen=True, array_like=True):
    """What can be found: an entry, rule, standard or lab. ``about`` is one line, ``lines`` all that stands there."""

    id: str
    title: str
    names: str
    about: str
    lines: list[str]


def documents(library: Library, labs: Iterable[Lab] = ()) -> list[Sought]:
    """Everything that there is to find, in the library's order: entries, rules, standards, labs."""
    return [
        *(of_entry(entry, library) for entry in library.entries.values()),
        *map(of_rule, library.rules.values()),
        *map(of_document, library.documents.values()),
        *map(of_lab, labs),
    ]


def of_entry(entry: LessonEntry, library: Library) -> Sought:
    """An entry with its syntax, examples, replies and what Postfix says."""
    told = [line for key in LABELS for text in lines(entry, key, library) for line in _quoted(text)]
    prose = [*_sentences(entry.text), *_sentences(entry.remark or "")]
    said = [*told, *prose, *entry.references]
    return Sought(entry.id, entry.title, " ".join(_names(entry)), entry.summary, said)


def of_rule(rule: HeaderRule) -> Sought:
    """A rule for headers with its examples."""
    said = [*_quoted(rule.wrong), *_quoted(rule.right), *_sentences(rule.text)]
    return Sought(f"rule-{rule.id}", rule.title, rule.id, "", said)


def of_document(document: Document) -> Sought:
    """A standard. It is written with and without a blank."""
    name = f"RFC {document.number}"
    title = f"{name}, {document.title}"
    return Sought(f"rfc-{document.number}", title, str(document.number), document.note, [str(document.year)])


def of_lab(lab: Lab) -> Sought:
    """A lab with what it teaches."""
    return Sought(f"lab-{lab.id}", lab.title, f"lab {lab.id}", lab.summary, list(lab.teaches))


def _names(entry: LessonEntry) -> Iterator[str]:
    yield from entry.aliases
    yield entry.id
    if isinstance(entry, entries.Enhanced) and (found := _OPEN_CLASS.match(entry.code)) is not None:
        # People type the code that they were answered, whose first digit the sheet leaves open.
        yield from (f"{digit}{found[1]}" for digit in "245")
    elif isinstance(entry, entries.Enhanced):
        yield entry.code


def _sentences(text: str) -> list[str]:
    """A text as it is where it is short, a sentence at a time where it is not."""
    plain = " ".join(text.split())
    return _SENTENCE.split(plain) if len(plain) > LONGEST_PART else [plain] if plain else []


def _quoted(text: str) -> list[str]:
    """Lines that somebody says or writes, each as a whole; a remark that is indented below one goes with it."""
    found: list[str] = []
    for line in text.splitlines():
        if line.startswith(" ") and found:
            found[-1] += f" {line.strip()}"
        elif line.strip():
            found.append(line.strip())
    return found

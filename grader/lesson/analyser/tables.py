"""Reads what the analyser says: about protocols, results and tags, and about what it finds."""

from __future__ import annotations

from functools import cache
from typing import Literal

from msgspec import Struct

from grader import resources
from grader.labs.complaints import refusal
from grader.labs.yamlfile import parse, read_bytes
from grader.lesson.library import library
from grader.model.diagnostic import fault_at
from grader.model.templates import nearest

Grave = Literal["bad", "care", "note", "good"]


class Wording(Struct, frozen=True, forbid_unknown_fields=True):
    """A word of the field, and what it says. ``see`` is an entry's id; ``mood`` colours a result."""

    name: str
    text: str
    see: str = ""
    mood: Literal["", "good", "care", "bad"] = ""


class FindingText(Struct, frozen=True, forbid_unknown_fields=True):
    """What can be found; the braces of ``sentence`` are filled with what was found."""

    id: str
    grave: Grave
    reference: str
    see: list[str]
    sentence: str


class Wordings(Struct, frozen=True, forbid_unknown_fields=True):
    """The file of the analyser's tables."""

    protocols: list[Wording]
    methods: list[Wording]
    results: list[Wording]
    tags: list[Wording]
    findings: list[FindingText]


@cache
def wordings() -> Wordings:
    """The analyser's own tables. Raises ``LabError`` for a fault in the file: where, and how to fix it."""
    path = resources.folder("reports") / "data" / "analyser.yaml"
    data = read_bytes(path, "the lesson's data")
    found = parse(data, path, Wordings)
    known = library()
    named = [(("findings", at, "see"), id_) for at, one in enumerate(found.findings) for id_ in one.see]
    named += [(("methods", at, "see"), one.see) for at, one in enumerate(found.methods)]
    wrong = [
        fault_at(path_, f"there is no entry {id_!r}{nearest('%r', id_, known.entries)}")
        for path_, id_ in named
        if id_ not in known.entries
    ]
    for at, one in enumerate(found.findings):
        number = int(one.reference.split()[1])
        if number not in known.documents:
            wrong.append(
                fault_at(("findings", at, "reference"), f"documents.yaml does not list RFC {number}")
            )
    if wrong:
        raise refusal(path, data, wrong)
    return found

"""Reads the builder's tables: which fields there are, what can be wrong with them, what is said about them."""

from __future__ import annotations

from functools import cache
from typing import Literal

from msgspec import Struct

from grader import resources
from grader.formats.message.rules import Severity
from grader.labs.complaints import refusal
from grader.labs.yamlfile import parse, read_bytes
from grader.lesson.library import Library, library
from grader.model.diagnostic import Diagnostic, fault_at
from grader.model.templates import nearest

Kind = Literal[
    "authors", "mailbox", "addresses", "text", "date", "identifier", "identifiers", "choice", "list-id", "urls", "body",
]  # fmt: skip


class BuilderField(Struct, frozen=True, forbid_unknown_fields=True):
    """A field that can be filled in. ``entry`` is the reference entry that explains it; ``label`` is its name."""

    id: str
    entry: str
    kind: Kind
    group: Literal["people", "generated", "body", "more"]
    label: str
    example: str
    help: str
    choices: list[str] = []


class FaultText(Struct, frozen=True, forbid_unknown_fields=True):
    """What can be wrong with what was typed; the braces of ``sentence`` are filled with what was found."""

    id: str
    severity: Severity
    reference: str
    sentence: str


class Note(Struct, frozen=True, forbid_unknown_fields=True):
    """What is said about how a finished field is written."""

    id: str
    text: str
    see: list[str]


class Tables(Struct, frozen=True, forbid_unknown_fields=True):
    """The file of the builder's tables."""

    fields: list[BuilderField]
    faults: list[FaultText]
    notes: list[Note]

    def fault(self, id_: str) -> FaultText:
        """The text of a fault. Raises ``StopIteration`` for an unknown one."""
        return next(fault for fault in self.faults if fault.id == id_)


@cache
def tables() -> Tables:
    """The builder's own tables. Raises ``LabError`` for a fault in the file: where, and how to fix it."""
    path = resources.folder("reports") / "data" / "builder.yaml"
    data = read_bytes(path, "the lesson's data")
    found = parse(data, path, Tables)
    if wrong := _complaints(found, library()):
        raise refusal(path, data, wrong)
    return found


def _complaints(found: Tables, known: Library) -> list[Diagnostic]:
    named = [(("fields", place, "entry"), field.entry) for place, field in enumerate(found.fields)]
    named += [
        (("notes", place, "see"), entry) for place, note in enumerate(found.notes) for entry in note.see
    ]
    wrong = [
        fault_at(path, f"there is no entry {entry!r}{nearest('%r', entry, known.entries)}")
        for path, entry in named
        if entry not in known.entries
    ]
    for place, fault in enumerate(found.faults):
        number = int(fault.reference.split()[1])
        if number not in known.documents:
            wrong.append(
                fault_at(("faults", place, "reference"), f"documents.yaml does not list RFC {number}")
            )
    return wrong

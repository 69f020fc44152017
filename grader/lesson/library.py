"""Reads the lesson's data and holds every entry, question and header rule, with all cross references proved."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeVar, cast

from msgspec import Struct

from grader import resources
from grader.formats.message.rules import RULES
from grader.kinds.quiz.bank import read_bank
from grader.kinds.quiz.questions import Question
from grader.labs.complaints import refusal
from grader.labs.yamlfile import parse, read_bytes
from grader.lesson import entries
from grader.lesson.entries import Document, HeaderRule, HeaderRules, LessonEntry
from grader.model.diagnostic import Diagnostic, fault_at
from grader.model.errors import LabError
from grader.model.templates import nearest

FILES: dict[str, type[LessonEntry]] = {
    "topics": entries.Topic,
    "delivery": entries.WayStep,
    "examples": entries.Example,
    "commands": entries.CommandEntry,
    "extensions": entries.Extension,
    "classes": entries.Class,
    "replies": entries.ReplyEntry,
    "enhanced": entries.Enhanced,
    "ports": entries.Port,
    "mechanisms": entries.Mechanism,
    "headers": entries.Header,
    "glossary": entries.Concept,
}
"""The files of entries, in the order in which the lesson shows them. Each is a list of one type."""

E = TypeVar("E", bound=LessonEntry)


class Library(Struct, frozen=True):
    """All of the lesson's data, in the order of the files."""

    entries: dict[str, LessonEntry]
    documents: dict[int, Document]
    questions: list[Question]
    sample: str
    rules: dict[str, HeaderRule]

    def of(self, kind: type[E]) -> list[E]:
        """The entries of one kind, in their order."""
        return [entry for entry in self.entries.values() if type(entry) is kind]

    def today(self, number: int) -> list[int]:
        """The RFCs that are in force in place of this one: itself where nothing has obsoleted it.

        RFC 821 was obsoleted by RFC 2821, and that by RFC 5321.
        """
        return in_force(number, self.documents)


class _File(Struct):
    """A file with what stands in it, kept to say where a fault is."""

    path: Path
    data: bytes
    complaints: list[Diagnostic]

    def refuse(self) -> None:
        if self.complaints:
            raise refusal(self.path, self.data, self.complaints)


@cache
def library() -> Library:
    """smtplab's own data. Raises ``LabError`` as ``read_library`` does."""
    return read_library(resources.folder("reports") / "data")


def read_library(folder: Path) -> Library:
    """The data in a folder. Raises ``LabError``: a line for each fault, with file, line and how to fix it."""
    documents = _documents(folder)
    found: dict[str, LessonEntry] = {}
    files: list[tuple[_File, list[LessonEntry]]] = []
    for name, kind in FILES.items():
        file = _open(folder / f"{name}.yaml")
        listed = cast("list[LessonEntry]", parse(file.data, file.path, list[kind]))  # type: ignore[valid-type]  # a type at run time
        for place, entry in enumerate(listed):
            if entry.id in found:
                file.complaints.append(
                    fault_at((place, "id"), f"the id {entry.id!r} is taken; choose another")
                )
            found[entry.id] = entry
        files.append((file, listed))
    for file, listed in files:
        for place, entry in enumerate(listed):
            file.complaints += _entry_complaints(entry, place, found, documents)
        file.refuse()
    sample, rules = _rules(folder, found)
    _check_rule_names(files, rules)
    questions = read_bank(sorted((folder / "quiz").glob("*.yaml")), found)
    if not questions:
        raise LabError(f"{folder / 'quiz'} holds no questions: put at least one .yaml file there")
    return Library(found, documents, questions, sample, rules)


def _open(path: Path) -> _File:
    return _File(path, read_bytes(path, "the lesson's data"), [])


def _documents(folder: Path) -> dict[int, Document]:
    file = _open(folder / "documents.yaml")
    return {document.number: document for document in parse(file.data, file.path, list[Document])}


def _entry_complaints(
    entry: LessonEntry, place: int, known: dict[str, LessonEntry], documents: dict[int, Document]
) -> Iterator[Diagnostic]:
    for number, reference in enumerate(entry.references):
        if wrong := _reference_complaint(reference, documents):
            yield fault_at((place, "references", number), wrong)
    for path, id_ in _named(entry):
        if id_ not in known:
            yield fault_at((place, *path), f"there is no entry {id_!r}{nearest('%r', id_, known)}")
        elif id_ == entry.id:
            yield fault_at((place, *path), f"{id_!r} refers to itself; remove it")
    if isinstance(entry, entries.ReplyEntry):
        codes = {other.code for other in known.values() if isinstance(other, entries.Enhanced)}
        for number, code in enumerate(entry.enhanced):
            if code not in codes and f"X{code[1:]}" not in codes:
                yield fault_at((place, "enhanced", number), f"enhanced.yaml has no code {code}; add it there")


def _named(entry: LessonEntry) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every id that an entry names, and where in it."""
    for key in ("see", "replies"):
        for number, id_ in enumerate(getattr(entry, key, ())):
            yield (key, number), id_
    if isinstance(entry, entries.CommandEntry) and entry.extension:
        yield ("extension",), entry.extension
    if isinstance(entry, entries.Example):
        for number, line in enumerate(entry.lines):
            for inner, id_ in enumerate(line.see):
                yield ("lines", number, "see", inner), id_


def in_force(number: int, documents: dict[int, Document]) -> list[int]:
    """What is in force in place of an RFC, by way of all that obsoleted one another."""
    known = documents.get(number)
    if known is None or not known.obsoleted:
        return [number]
    found = (last for newer in known.obsoleted for last in in_force(newer, documents))
    return list(dict.fromkeys(found))


def _reference_complaint(reference: str, documents: dict[int, Document]) -> str:
    number = int(reference.split()[1])
    document = documents.get(number)
    if document is None:
        return f"documents.yaml does not list RFC {number}; add it there"
    if document.obsoleted:
        newer = " and ".join(f"RFC {other}" for other in in_force(number, documents))
        return f"RFC {number} is replaced by {newer}; refer to that, and tell of the old one in 'remark'"
    return ""


def _rules(folder: Path, known: dict[str, LessonEntry]) -> tuple[str, dict[str, HeaderRule]]:
    file = _open(folder / "header-rules.yaml")
    read = parse(file.data, file.path, HeaderRules)
    for place, rule in enumerate(read.rules):
        if rule.id not in RULES:
            file.complaints.append(
                fault_at(
                    ("rules", place, "id"), f"no rule is called {rule.id!r}{nearest('%r', rule.id, RULES)}"
                )
            )
        for number, id_ in enumerate(rule.see):
            if id_ not in known:
                file.complaints.append(
                    fault_at(
                        ("rules", place, "see", number),
                        f"there is no entry {id_!r}{nearest('%r', id_, known)}",
                    )
                )
    untold = set(RULES) - {rule.id for rule in read.rules}
    if untold:
        file.complaints.append(fault_at(("rules",), f"the rule {min(untold)!r} is not explained; add it"))
    file.refuse()
    return read.sample, {rule.id: rule for rule in read.rules}


def _check_rule_names(files: list[tuple[_File, list[LessonEntry]]], rules: dict[str, HeaderRule]) -> None:
    for file, listed in files:
        for place, entry in enumerate(listed):
            for number, id_ in enumerate(getattr(entry, "rules", ())):
                if id_ not in rules:
                    wrong = f"there is no header rule {id_!r}{nearest('%r', id_, rules)}"
                    file.complaints.append(fault_at((place, "rules", number), wrong))
        file.refuse()

"""Reads files of questions."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import msgspec

from grader import resources
from grader.kinds.quiz.declare import READABLE
from grader.kinds.quiz.questions import KINDS, Question, complaint
from grader.labs.complaints import refusal, schema_complaints
from grader.labs.yamlfile import parse, read_bytes
from grader.model.diagnostic import Diagnostic, fault_at
from grader.model.errors import LabError
from grader.model.templates import nearest

_RFC = re.compile(r"RFC [0-9]{3,5}( (section|appendix) [A-Z0-9]+(\.[0-9]+)*)?")


def bundled() -> list[Path]:
    """The files of smtplab's own bank, one a topic, and those of questions that quote something."""
    return sorted((resources.folder("reports") / "data" / "quiz").glob("*.yaml"))


def read_bank(paths: Collection[Path], known: Collection[str]) -> list[Question]:
    """The questions of some files, in their order; ``known`` are the ids of entries that they may refer to.

    Raises ``LabError``, with a line for each fault of a file.
    """
    found: dict[str, Question] = {}
    for path in paths:
        data = read_bytes(path, "file of questions")
        complaints: list[Diagnostic] = []
        for place, value in enumerate(parse(data, path, list[dict[str, Any]])):
            question = _question(value, place, complaints)
            if question is None:
                continue
            if question.id in found:
                complaints.append(fault_at((place, "id"), f"the id {question.id!r} is taken; choose another"))
            found[question.id] = question
            complaints += [
                fault_at((place, *fault.path), fault.sentence)
                for fault in question_complaints(question, known)
            ]
        if complaints:
            raise refusal(path, data, complaints)
    return list(found.values())


def question_complaints(question: Question, known: Collection[str]) -> Iterator[Diagnostic]:
    """What is wrong with one question beyond what the schema can say."""
    if wrong := complaint(question):
        yield fault_at((), f"question {question.id!r}: {wrong}")
    if question.id == READABLE:
        yield fault_at(
            ("id",), f"the id {READABLE!r} names the check that answers can be read; choose another"
        )
    for number, name in enumerate(question.see):
        if name not in known and not _RFC.fullmatch(name):
            hint = nearest("%r", name, known)
            yield fault_at(
                ("see", number), f"{name!r} is neither an entry of the lesson nor an RFC section{hint}"
            )


def _question(value: dict[str, Any], place: int, complaints: list[Diagnostic]) -> Question | None:
    kind = str(value.get("kind"))
    type_ = KINDS.get(kind)
    if type_ is None:
        wrong = f"'kind' is one of {', '.join(KINDS)}, not {kind!r}{nearest('%r', kind, KINDS)}"
        complaints.append(fault_at((place, "kind"), wrong))
        return None
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        found = schema_complaints(value, type_) or [fault_at((), str(error))]
        complaints += [fault_at((place, *fault.path), fault.sentence) for fault in found]
        return None


def question_files(folder: Path, names: Collection[str]) -> list[Path]:
    """The files of those names beside a ``lab.yaml``. Raises ``LabError`` where one leaves the lab's folder."""
    for name in names:
        if name.startswith("/") or ".." in name.split("/"):
            raise LabError(
                f"{folder / 'lab.yaml'}: the bank {name!r} leaves the lab's folder: put the file beside lab.yaml"
            )
    return [folder / name for name in names]

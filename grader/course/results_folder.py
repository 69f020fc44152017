"""The folder that is kept of each submission: written whole or not at all, and found again."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from grader import disk, outputs
from grader.course.intake.names import safe_name
from grader.course.rows import ClassRow
from grader.display.text import csv_cell, one_line
from grader.model.errors import OutputError, UsageError
from grader.model.evidence import AnyEvidence
from grader.model.ondemand import OnDemand
from grader.model.result import Result, ResultLine

T = TypeVar("T")

AGAIN = "remove its folder, and grade that student again"
"""What to do with a result that is damaged."""
RESULT = outputs.FORMATS["json"].file
ROW_NAME = "row.json"
EVIDENCE = outputs.FORMATS["evidence"].file
SIGNATURE = f"{RESULT}.sig"
"""What ``grader.course.signing`` writes, where a class is signed."""


def documents(result: Result, evidence: AnyEvidence | None, formats: Collection[str]) -> dict[str, bytes]:
    """All documents of one submission by their files' names: those that are always written, and the chosen formats."""
    return {
        kind.file: kind.one(result, evidence)
        for kind in documents_of(formats)
        if kind.one and not (kind.of_evidence and evidence is None)
    }


def documents_of(formats: Collection[str]) -> list[outputs.Format]:
    """The formats of what a folder holds: those that are always written, and the chosen ones."""
    return [kind for kind in outputs.FORMATS.values() if kind.one and (kind.always or kind.name in formats)]


def write_folder(target: Path, files: Mapping[str, bytes]) -> None:
    """Write the documents of one submission as a folder, whole or not at all."""
    with disk.replaced_folder(target) as folder:
        folder.mkdir()
        for name, data in files.items():
            outputs.write(folder / name, data)


def by_name(evidence: Sequence[Path]) -> dict[str, Path]:
    """Evidence files by the names that their results' folders get: that of their own folder, or of the file.

    A folder stands for the evidence in it. Raises ``UsageError`` where two would get the same name.
    """
    found: dict[str, Path] = {}
    for given in evidence:
        path = given / EVIDENCE if given.is_dir() else given
        home = path.resolve().parent
        name = safe_name(home.name if path.name == EVIDENCE else path.stem)
        if path.name == EVIDENCE and (home / ROW_NAME).is_file():
            name = home.name  # It is a safe name already.
        if name in found:
            raise UsageError(
                f"the results of {str(found[name])!r} and {str(path)!r} would both be named {name!r}: rename one"
            )
        found[name] = path
    return found


def kept(out: Path, damaged: Callable[[str, OutputError], object] | None = None) -> OnDemand[str, Path]:
    """The folders of all results that lie in a folder of grades, in the order of the students' ids.

    ``damaged`` is given the name of each folder whose result cannot be read, and why; without it, that is raised.
    """
    return folders_in(out, [one.folder for one in kept_with(out, lambda document: None, damaged)])


def folders_in(out: Path, names: Sequence[str]) -> OnDemand[str, Path]:
    """Folders of these names, of which nothing but the names is held."""
    return OnDemand(names, out.joinpath)


class Kept(Struct, Generic[T], frozen=True):
    """A result that lies in a folder of grades: its student's id, its folder's name, and what was made of it."""

    student: str
    folder: str
    made: T


def kept_with(
    out: Path, make: Callable[[bytes], T], damaged: Callable[[str, OutputError], object] | None = None
) -> list[Kept[T]]:
    """All results in the order of the students' ids, with what is made of each one's bytes, which are read once.

    The folder's name stands for a missing id. ``damaged`` is as for ``kept``.
    """
    found = []
    for name in folder_names(out):
        path = f"{out}/{name}/{RESULT}"
        if not os.path.lexists(path):
            continue
        try:
            document = _contents(path)
            student = _decoded(document, path, _Head, AGAIN).student or name
        except OutputError as error:
            if damaged is None:
                raise
            damaged(name, error)
            continue
        found.append(Kept(student, student if student == name else name, make(document)))
    found.sort(key=lambda one: (one.student, one.folder))
    return found


def results(folders: Sequence[Path]) -> OnDemand[Path, Result]:
    """The results in these folders, each read whenever it is asked for. Raises ``OutputError`` for a damaged one."""
    return OnDemand(folders, read_result)


def result_lines(folders: Iterable[Path]) -> Iterator[ResultLine]:
    """Of the results in these folders what a list of students says of them. Raises ``OutputError``."""
    return (read_document(f"{folder}/{RESULT}", ResultLine, AGAIN) for folder in folders)


def refuse_other_lab(out: Path, lab: str) -> None:
    """Raises ``UsageError`` where a folder holds results of another lab, whose documents would be lost."""
    for name in folder_names(out):
        try:
            other = read_document(f"{out}/{name}/{RESULT}", _Head, AGAIN).lab
        except OutputError:
            continue  # Nothing is there, or it tells nothing: its student is graded again, or the class says so.
        if other != lab:
            raise UsageError(
                f"{str(out)!r} holds results of the lab {other!r}, and these would be of {lab!r}: name another folder "
                "with --out"
            )
        return


def folder_names(out: Path) -> list[str]:
    """The names of what may hold a whole result: what begins with a dot is being made."""
    if not out.is_dir():
        return []
    return sorted(name for name in os.listdir(out) if not name.startswith("."))  # noqa: PTH208 - a Path each takes longer


def read_result(folder: Path) -> Result:
    """The result that lies in a folder. Raises ``OutputError`` for one that is damaged."""
    return read_document(f"{folder}/{RESULT}", Result, AGAIN)


class _Head(Struct):
    lab: str
    student: str | None = None


def read_document(path: str | Path, type_: type[T], remedy: str) -> T:
    """A JSON document that smtplab wrote. Raises ``OutputError``, with the remedy where it is damaged."""
    return _decoded(_contents(path), path, type_, remedy)


def _contents(path: str | Path) -> bytes:
    try:
        return disk.contents(path)
    except OSError as error:
        raise OutputError(f"cannot read {str(path)!r}: {error.strerror}") from error


def _decoded(document: bytes, path: str | Path, type_: type[T], remedy: str) -> T:
    try:
        return msgspec.json.decode(document, type=type_)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise damaged(path, str(error), remedy) from error


def damaged(path: str | Path, what: str, remedy: str) -> OutputError:
    """The error of a document that is not as smtplab wrote it."""
    return OutputError(f"{str(path)!r} is damaged ({what}): {remedy}")


def hand_ins(folders: Iterable[Path]) -> Iterator[list[str]]:
    """The rows of ``hand-ins.csv``: from where each student's hand-in came, and what only the instructor is told of it.

    The columns ``source`` and ``student`` are those that ``smtplab grade --map`` reads.
    """
    yield ["source", "student", "time", "late", "status", "remarks"]
    for folder in folders:
        if (row := read_row(folder)) is not None:
            facts = row.handed_in
            words = [row.source, row.student, facts.time if facts else ""]
            late = "late" if facts and facts.late else ""
            said = one_line("; ".join(row.remarks))
            yield [*map(csv_cell, words), late, row.ending, csv_cell(said)]


def read_row(folder: Path) -> ClassRow | None:
    """What is remembered of a hand-in whose results lie in a folder; ``None`` where nothing is, or it is damaged."""
    try:
        return msgspec.json.decode(disk.contents(f"{folder}/{ROW_NAME}"), type=ClassRow)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None

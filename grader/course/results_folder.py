"""The folder that is kept of each submission: written whole or not at all, and found again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from grader import disk, outputs
from grader.course.intake.names import safe_name
from grader.course.rows import ClassRow
from grader.display.text import csv_cell, one_line
from grader.model.errors import OutputError, UsageError
from grader.model.evidence import AnyEvidence
from grader.model.result import Result
from grader.model.results import Results

T = TypeVar("T")

AGAIN = "remove its folder, and grade that student again"
"""What to do with a result that is damaged."""
RESULT = outputs.FORMATS["json"].file
ROW_NAME = "row.json"
EVIDENCE = outputs.FORMATS["evidence"].file


def documents(result: Result, evidence: AnyEvidence | None, formats: Collection[str]) -> dict[str, bytes]:
    """All documents of one submission by their files' names: those that are always written, and the chosen formats."""
    return {
        kind.file: kind.one(result, evidence)
        for kind in outputs.FORMATS.values()
        if kind.one and (kind.always or kind.name in formats) and not (kind.of_evidence and evidence is None)
    }


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


def kept(out: Path) -> list[Path]:
    """The folders of all results that lie in a folder of grades, in the order of the students' ids."""
    return [folder for _, folder in kept_by_student(out)]


def kept_by_student(out: Path) -> list[tuple[str, Path]]:
    """The same with each student's id before the folder, whose name stands for a missing one."""
    return sorted((_head(path).student or path.parent.name, path.parent) for path in _found(out))


def results(folders: Iterable[Path]) -> Results[Path]:
    """The results in these folders, each read whenever it is asked for. Raises ``OutputError`` for a damaged one."""
    return Results(list(folders), read_result)


def refuse_other_lab(out: Path, lab: str) -> None:
    """Raises ``UsageError`` where a folder holds results of another lab, whose documents would be lost."""
    first = next(iter(_found(out)), None)
    if first is not None and (other := _head(first).lab) != lab:
        raise UsageError(
            f"{str(out)!r} holds results of the lab {other!r}, and these would be of {lab!r}: name another folder "
            "with --out"
        )


def _found(out: Path) -> list[Path]:
    """Every whole result: what begins with a dot is being made."""
    if not out.is_dir():
        return []
    folders = sorted(folder for folder in out.iterdir() if not folder.name.startswith("."))
    return [path for folder in folders if (path := folder / RESULT).exists()]


def read_result(folder: Path) -> Result:
    """The result that lies in a folder. Raises ``OutputError`` for one that is damaged."""
    return read_document(folder / RESULT, Result, AGAIN)


class _Head(Struct):
    lab: str
    student: str | None = None


def _head(path: Path) -> _Head:
    return read_document(path, _Head, AGAIN)


def read_document(path: Path, type_: type[T], remedy: str) -> T:
    """A JSON document that smtplab wrote. Raises ``OutputError``, with the remedy where it is damaged."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=type_)
    except OSError as error:
        raise OutputError(f"cannot read {str(path)!r}: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise damaged(path, str(error), remedy) from error


def damaged(path: Path, what: str, remedy: str) -> OutputError:
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
        return msgspec.json.decode((folder / ROW_NAME).read_bytes(), type=ClassRow)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None

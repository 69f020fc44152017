"""The folder that is kept of each submission: written whole or not at all, and found again."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from grader import disk, outputs
from grader.course.intake.names import HAND_INS, safe_name
from grader.course.rows import ClassRow
from grader.display.text import csv_cell, one_line, scalars
from grader.model.errors import OutputError, UsageError
from grader.model.evidence import AnyEvidence
from grader.model.result import Result

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
    return [folder for _, folder in _by_student(out)]


def _by_student(out: Path) -> list[tuple[str, Path]]:
    return sorted((_head(path).student or path.parent.name, path.parent) for path in _found(out))


def results(folders: Iterable[Path]) -> Iterator[Result]:
    """The results in these folders, read one at a time. Raises ``OutputError`` for one that is damaged."""
    for folder in folders:
        yield read_result(folder)


def write_class(out: Path, formats: Collection[str], missing: Iterable[str]) -> None:
    """Write the documents about a class, of all results that lie in ``out`` and of whom are ``missing`` there.

    They are those of the chosen formats, and those that are there already: none may tell of another class than the
    next.
    """
    found = _by_student(out)
    here = {student for student, _ in found}
    absent = [student for student in missing if student not in here]
    for kind in outputs.FORMATS.values():
        if kind.many and (kind.name in formats or (out / kind.file).is_file()):
            outputs.write(out / kind.file, kind.of_class(results(folder for _, folder in found), absent))


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
    return sorted(path for path in out.glob(f"*/{RESULT}") if not path.parent.name.startswith("."))


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


def write_hand_ins(out: Path) -> None:
    """Write ``hand-ins.csv``: from where each student's hand-in came, and what only the instructor is told of it.

    Its columns ``source`` and ``student`` are those that ``smtplab grade --map`` reads.
    """
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\r\n")
    table.writerow(["source", "student", "time", "late", "status", "remarks"])
    for folder in kept(out):
        if (row := read_row(folder)) is not None:
            facts = row.handed_in
            words = [row.source, row.student, facts.time if facts else ""]
            late = "late" if facts and facts.late else ""
            said = one_line("; ".join(row.remarks))
            table.writerow([*map(csv_cell, words), late, row.ending, csv_cell(said)])
    outputs.write(out / HAND_INS, scalars(text.getvalue()).encode())


def read_row(folder: Path) -> ClassRow | None:
    """What is remembered of a hand-in whose results lie in a folder; ``None`` where nothing is, or it is damaged."""
    try:
        return msgspec.json.decode((folder / ROW_NAME).read_bytes(), type=ClassRow)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None

"""How a class stands, from what lies in a folder of grades, and who is missing there."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

import msgspec
from msgspec import Struct

from grader import outputs
from grader.course.intake.names import MISSING
from grader.course.intake.roster import Student
from grader.course.results_folder import kept, read_document, read_result, read_row
from grader.model.result import Person
from grader.outputs import classview
from grader.outputs.editions import for_student

REPORT = outputs.FORMATS["html"]


class Missing(Struct, frozen=True):
    """Somebody of the roster who handed nothing in."""

    student: str
    person: Person


def class_view(out: Path, *, for_students: bool = False) -> classview.ClassView:
    """The class whose results lie in ``out``, of each what its student may see where it is ``for_students``.

    Raises ``OutputError`` for a result that is damaged.
    """
    here: set[str] = set()

    def entries() -> Iterator[classview.Entry]:
        for folder in kept(out):
            result, row = read_result(folder), read_row(folder)
            if for_students:
                result = for_student(result)
            here.add(result.student or "")
            yield classview.Entry(result, _report(folder), row.remarks if row else ())

    return classview.view(entries(), _still_missing(out, here))


def note_missing(out: Path, students: Iterable[Student]) -> None:
    """Remember in ``out`` who of a roster handed nothing in, in the place of whom an earlier roster knew."""
    _write_missing(out, [Missing(student.id, student.person) for student in students])


def noted_missing(out: Path) -> list[str]:
    """The ids of whom ``out`` remembers to have handed nothing in; some may have since."""
    return [one.student for one in _read_missing(out)]


def carry_missing(out: Path, before: Sequence[Path]) -> None:
    """Remember in ``out``, besides whom it knows already, everybody whom folders of grades missed."""
    homes = [home for home in (*before, out) if (home / MISSING).is_file()]
    if homes:
        _write_missing(
            out, list({one.student: one for home in homes for one in _read_missing(home)}.values())
        )


def _write_missing(out: Path, found: Sequence[Missing]) -> None:
    outputs.write(out / MISSING, msgspec.json.format(msgspec.json.encode(found)) + b"\n")


def _still_missing(out: Path, here: Collection[str]) -> Iterator[tuple[str, Person]]:
    """Whoever has handed in since is not missing; ``here`` is asked after all results were read."""
    for one in _read_missing(out):
        if one.student not in here:
            yield one.student, one.person


def _read_missing(out: Path) -> list[Missing]:
    path = out / MISSING
    if not path.exists():
        return []
    return read_document(path, list[Missing], "remove it, and grade with --roster once more")


def _report(folder: Path) -> str:
    """The address of a student's report as a page in the folder of grades names it."""
    return f"{quote(os.fsencode(folder.name))}/{REPORT.file}" if (folder / REPORT.file).is_file() else ""

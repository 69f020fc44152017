"""A class as five downloads: of Canvas, Moodle and Gradescope, a classroom's repositories, and a folder of e-mail."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests import submissions
from tests.course.intake.classes import laid
from tests.labs.test_submission import zipped

ODD = ("Zoë", "=1+1", "O'Hara; rm", "a\u202eb", "-rf", "名前", "x" * 60)
"""Names that people and attackers have. Platforms tell people apart by numbers, and so does the class."""
ROSTER = "class.csv"
FOLDERS = frozenset({"moodle", "classroom"})


@dataclass(frozen=True)
class Downloads:
    """The five sources, and by student which of the lab's submissions was handed in."""

    sources: list[Path]
    handed_in: dict[str, str]


@dataclass(frozen=True)
class _Student:
    lab: str
    number: int

    @property
    def id(self) -> str:
        return f"s{self.number:04}"

    @property
    def odd(self) -> str:
        return ODD[self.number % len(ODD)]


LAYOUTS: dict[str, Callable[[_Student, int, str], str]] = {
    "canvas": lambda one, place, name: (
        f"doe_LATE_{10_000 + one.number}_{50_000 + 10 * one.number + place}_{name}"
    ),
    "moodle": lambda one, place, name: f"{one.odd}_{20_000 + one.number}_assignsubmission_file_/{name}",
    "gradescope": lambda one, place, name: f"submission_{one.number}/{name}",
    "classroom": lambda one, place, name: f"{one.lab}-login-{one.number}/{name}",
    "mail": lambda one, place, name: f"{one.id}@example.edu/{name}",
}
"""What a student's file at a place is called in each."""


def downloads(lab: str, key: str, number: int, where: Path, kinds: Sequence[str]) -> Downloads:
    """A class of so many students who hand in submissions of these kinds by turns, each in the student's variant."""
    made: dict[str, dict[str, bytes | str]] = {layout: {} for layout in LAYOUTS}
    roster, metadata = ["id,canvas,moodle,email,login"], []
    handed_in = {}
    for student in (_Student(lab, place) for place in range(number)):
        layout = list(LAYOUTS)[student.number % len(LAYOUTS)]
        kind = handed_in[student.id] = kinds[student.number % len(kinds)]
        folder = submissions.write(kind, where / "scratch" / student.id, student=student.id, key=key, lab=lab)
        found = (path for path in sorted(folder.rglob("*")) if path.is_file())
        files = {str(path.relative_to(folder)): path.read_bytes() for path in found}
        given = {"work (1).zip": zipped(files)} if student.number % 2 else files
        for place, (name, data) in enumerate(given.items()):
            made[layout][LAYOUTS[layout](student, place, name)] = data
        if layout == "classroom":
            made[layout][LAYOUTS[layout](student, 0, ".git/HEAD")] = b"x"
        if layout == "gradescope":
            metadata.append(
                f"submission_{student.number}:\n  :submitters:\n"
                f"  - :sid: {student.id}\n    :name: {json.dumps(student.odd)}\n"
            )
        roster.append(
            f"{student.id},{10_000 + student.number},{20_000 + student.number},{student.id}@example.edu,"
            f"login-{student.number}"
        )
    made["gradescope"]["submission_metadata.yml"] = "".join(metadata)
    (where / ROSTER).write_text("\n".join(roster) + "\n")
    sources = [
        laid(where / (layout if layout in FOLDERS else f"{layout}.zip"), files)
        for layout, files in made.items()
    ]
    return Downloads(sources, handed_in)

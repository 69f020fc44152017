"""What one student, or a group of them, handed in: from whom, from where, when."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from grader.course.intake.names import safe_name, student_id
from grader.labs import Part
from grader.model.variant import composed


class HandIn(Struct, frozen=True, kw_only=True):
    """One submission of a class. ``student`` is printable text, and ``folder`` a safe name for this student's results.

    ``source`` is a folder, an archive or files that lie apart, and ``label`` names it in sentences. ``time`` and
    ``late`` are what the platform says, and are judged by nobody. ``others`` are the further members of a ``group``.
    The variant is that of ``drawn_for``, or of ``student`` where that is empty; where the word of the hand-out is
    taken, ``seed`` draws it, or it is the ``canonical`` one. ``raw`` is the student's name as the file system has it.
    ``remarks`` are for the instructor, ``notes`` for the student.
    """

    student: str
    source: Path | tuple[Part, ...]
    label: str
    time: str = ""
    late: bool = False
    others: tuple[str, ...] = ()
    group: str = ""
    drawn_for: str = ""
    seed: str | None = None
    canonical: bool = False
    raw: str = ""
    remarks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        """A file name of the student's alone."""
        return self.folder_of(self.student)

    def folder_of(self, student: str) -> str:
        """The same for whichever of its students: a name that is not printable is escaped once, and not twice."""
        raw = self.raw if student == student_id(self.raw or student) else ""
        return safe_name(composed(raw) or student)

    @property
    def students(self) -> tuple[str, ...]:
        """Everybody whose hand-in it is."""
        return (self.student, *self.others)


class Found(Struct, frozen=True, kw_only=True):
    """A hand-in as a layout finds it, before it is known whose it is.

    ``ids`` are what the platform knows the student by, as ``{"canvas": "1001"}``, the best of them first; ``members``
    those of each member of a group. ``files`` are names in the hand-in with those in the download; ``whole`` says that
    all of the download is this one hand-in. ``order`` is greater the later it was handed in. ``notes`` are for student
    and instructor.
    """

    members: tuple[Mapping[str, str], ...]
    files: tuple[tuple[str, str], ...] = ()
    label: str = ""
    time: str = ""
    late: bool = False
    order: tuple[int | str, ...] = ()
    whole: bool = False
    notes: tuple[str, ...] = ()

"""Whose submissions are graded, and from where: folders and archives, by whatever names they have."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from grader.labs.variant import LONGEST_STUDENT
from grader.model.errors import UsageError

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2")

LOCK_NAME = ".smtplab-grades"
"""Marks a folder that grades are written to, and is locked while they are."""


@dataclass(frozen=True)
class RosterEntry:
    """One submission of a class. ``student`` is printable text; ``folder`` a safe name for this student's results."""

    student: str
    source: Path
    folder: str


def entries(sources: Sequence[Path], out: Path) -> list[RosterEntry]:
    """The submissions to grade, in the order given; the student's id is the folder's (or archive's) name.

    Raises ``UsageError`` where one is missing, where two belong to the same student, or where one is a folder
    of grades.
    """
    found: dict[str, RosterEntry] = {}
    for source in sources:
        if not source.exists():
            raise UsageError(f"there is no submission {str(source)!r}: check the path")
        if not source.is_dir() and not source.name.lower().endswith(ARCHIVES):
            raise UsageError(
                f"{str(source)!r} is neither a folder nor a zip or tar archive: give one of them"
            )
        if source.resolve() == out.resolve() or (source / LOCK_NAME).exists():
            raise UsageError(
                f"{str(source)!r} holds grades, not a submission: leave it out, or move it elsewhere"
            )
        entry = _entry(source)
        if other := found.get(entry.folder.casefold()):
            raise UsageError(
                f"{str(other.source)!r} and {str(source)!r} belong to the same student {entry.student!r}: "
                "give one of them, or rename one"
            )
        found[entry.folder.casefold()] = entry
    return list(found.values())


def _entry(source: Path) -> RosterEntry:
    # '.' and 'a/..' have a name only once they are resolved; a link is named as it was given.
    path = source if source.name not in ("", "..") else source.resolve()
    name = path.name if path.is_dir() else _without_ending(path.name)
    student = "".join(char if char.isprintable() else _percent(char) for char in name)
    if len(student) > LONGEST_STUDENT:
        raise UsageError(f"the name {student[:40]!r}… is too long for a student's id: rename the folder")
    return RosterEntry(student, source, safe_name(name))


def _without_ending(name: str) -> str:
    ending = max((ending for ending in ARCHIVES if name.lower().endswith(ending)), key=len, default="")
    return name[: len(name) - len(ending)]


def safe_name(name: str) -> str:
    """A file name for ``name`` that is safe in shells, web servers and archives; different names stay different."""
    quoted = "".join(char if char.isalnum() or char in " _-.@+," else _percent(char) for char in name)
    if quoted[:1] in (".", "-", " ", ""):
        quoted = _percent(quoted[:1] or "\0") + quoted[1:]
    if len(os.fsencode(quoted)) > 150:
        digest = sha256(os.fsencode(name)).hexdigest()[:16]
        quoted = os.fsencode(quoted)[:130].decode(errors="ignore") + "~" + digest
    return quoted


def _percent(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogateescape"))

"""A new lab for its author to change: small, complete and working."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from grader import disk, kinds, resources
from grader.labs.schema import rendered
from grader.model.errors import UsageError
from grader.model.templates import fill_file, nearest

SCHEMA_FILE = "lab.schema.json"
"""Lies beside the labs' folders, where the first line of each lab.yaml leads an editor to it."""

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def new(lab_id: str, where: Path, kind: str = kinds.DEFAULT, more: str = "") -> Path:
    """Make the folder ``where/lab_id`` with a lab of a kind that verifies green, and the schema for editors beside it.

    ``more`` asks for a lab that holds more than the smallest, by a word of the kind's ``further``. Raises
    ``UsageError`` for a word or an id that none can have, a folder that is there already or cannot be written.
    """
    if not _ID.fullmatch(lab_id) or len(lab_id) > 40:
        raise UsageError(
            f"{lab_id!r} cannot be a lab's id: use small letters and digits, joined by single hyphens"
        )
    folder = where / lab_id
    if folder.exists() or folder.is_symlink():
        raise UsageError(f"{folder} is there already: choose another id or another folder")
    pattern = _pattern(kinds.kind(kind), more)
    try:
        where.mkdir(parents=True, exist_ok=True)
        write_schema(where)
        with disk.new_folder(folder) as beside:
            _copy(pattern, beside, lab_id)
    except OSError as error:
        raise UsageError(
            f"cannot write {folder}: {error.strerror}: choose another folder or make room"
        ) from error
    return folder


def _pattern(kind: kinds.Kind, more: str) -> Path:
    """The folder that a new lab of a kind is made from. Raises ``UsageError`` where there is none."""
    if not kind.template:
        raise UsageError(f"no pattern for a lab of kind {kind.name!r} is known: copy one of its labs")
    if more and more not in kind.further:
        hint = nearest("%r", more, kind.further) or (
            f" (there are {', '.join(kind.further)})" if kind.further else " (there is none)"
        )
        raise UsageError(f"no pattern for a lab of kind {kind.name!r} with {more!r} is known{hint}")
    return (kind.files or resources.folder("fixtures")) / (kind.further[more] if more else kind.template)


def write_schema(where: Path) -> Path:
    """Write the schema of lab.yaml into ``where``, in place of an older one."""
    path = where / SCHEMA_FILE
    disk.write_file(path, rendered("lab"))
    return path


def _copy(pattern: Path, target: Path, lab_id: str) -> None:
    for path in sorted(pattern.rglob("*")):
        if path.is_file():
            copy = target / path.relative_to(pattern)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(fill_file(path.read_bytes(), {"lab": lab_id}))
            if path.stat().st_mode & stat.S_IXUSR:
                copy.chmod(copy.stat().st_mode | 0o111)

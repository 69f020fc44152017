"""A built folder: written beside and renamed, and never in the place of anything that smtplab did not write."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from grader import disk
from grader.model.errors import OutputError

MARK = ".smtplab-lesson.json"
"""Lists what a build wrote, so that the next one knows that it may replace it."""


class Built(Struct):
    """What stands in the mark: the files of a build, by their relative names."""

    files: list[str]


def replace(folder: Path, files: Mapping[str, bytes]) -> None:
    """Make ``folder`` hold ``files`` and nothing else; a reader sees the old ones or the new, never some of each.

    Raises ``OutputError`` where it holds files that an earlier build did not write, or cannot be written.
    """
    folder = Path(os.path.realpath(folder))
    try:
        # What a killed build left; one that replaced an earlier build first gets that one back.
        disk.recover(folder.parent, folder.name)
        _refuse_strangers(folder)
        mark = msgspec.json.encode(Built(sorted(files)))
        with disk.replaced_folder(folder) as beside:
            for name, data in {**files, MARK: mark}.items():
                path = beside / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
    except OSError as error:
        raise OutputError(
            f"cannot write the folder {str(folder)!r}: {error.strerror}; name another one"
        ) from error


def _refuse_strangers(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise OutputError(f"{str(folder)!r} is a file: name a folder, or remove it")
    known = {*_written(folder), MARK}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if (path.is_symlink() or not path.is_dir()) and name not in known:
            raise OutputError(
                f"{str(folder)!r} holds {name!r}, which smtplab did not write: move it away, or name another folder"
            )


def _written(folder: Path) -> list[str]:
    try:
        return msgspec.json.decode((folder / MARK).read_bytes(), type=Built).files
    except (FileNotFoundError, msgspec.DecodeError):
        return []

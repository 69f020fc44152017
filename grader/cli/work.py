"""Which lab and which folder a command means, from as little as the student typed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from grader.model.errors import LabError, UsageError

if TYPE_CHECKING:
    from grader.labs import Started

WORK = Path("work")


@dataclass(frozen=True)
class Work:
    """A student's work: the lab's folder, the files to grade, and what the hand-out was made for, where it is known."""

    lab: Path
    folder: Path
    started: Started | None


def find_work(lab: str | None, folder: str | None, *, naming: str = "smtplab check LAB") -> Work | None:
    """The work that is meant; ``None`` where nothing was named and nothing was ever started here.

    A single word may be a lab's id or a folder. Raises ``UsageError`` where it is neither, or where several labs
    are under way and none is named; ``naming`` is a command that names one.
    """
    from grader import labs

    if lab is None:
        return _only_work(naming)
    if folder is not None:
        return Work(labs.find(lab), Path(folder), labs.started(Path(folder)))
    try:
        found = labs.find(lab)
    except LabError:
        if not Path(lab).is_dir():
            raise
        return _work_in(Path(lab))
    folder_of_lab = WORK / found.name
    if not folder_of_lab.is_dir():
        here = labs.started(Path())
        if here is None or here.lab != found.name:
            raise UsageError(
                f"there is no work in {folder_of_lab}: begin with 'smtplab start {lab}', or name the folder"
            )
        folder_of_lab = Path()
    return Work(found, folder_of_lab, labs.started(folder_of_lab))


def _only_work(naming: str) -> Work | None:
    from grader import labs

    if labs.started(Path()) is not None:
        return _work_in(Path())
    under_way = sorted(path for path in WORK.iterdir() if path.is_dir()) if WORK.is_dir() else []
    if len(under_way) > 1:
        names = ", ".join(path.name for path in under_way)
        raise UsageError(f"several labs are under way in {WORK} ({names}): say which, as in '{naming}'")
    return _work_in(under_way[0]) if under_way else None


def _work_in(folder: Path) -> Work:
    from grader import labs

    started = labs.started(folder)
    if started is not None:
        return Work(labs.find(started.lab), folder, started)
    place = folder.resolve()
    for parent in (place.parent, place.parent.parent):
        # One of a lab's own submissions: an instructor's first try.
        if (parent / labs.FILE).is_file():
            return Work(parent, folder, None)
    try:
        return Work(labs.find(place.name), folder, None)
    except LabError as error:
        raise UsageError(
            f"{os.fspath(folder)!r} does not say which lab it is for: name it, as in 'smtplab check LAB {folder}'"
        ) from error

"""Which lab and which folder a command means, from as little as the student typed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from grader.cli.typed import command
from grader.model.errors import LabError, UsageError
from grader.model.latepattern import late_pattern

if TYPE_CHECKING:
    from grader.labs import Started

WORK = Path("work")
ASIDE = late_pattern(r"\.before-\d+\Z")
"""How the name of a work ends that ``start --again`` put aside."""


class Work(Struct, frozen=True):
    """A student's work: the lab's folder, the files to grade, and what the hand-out was made for, where it is known."""

    lab: Path
    folder: Path
    started: Started | None


def find_work(lab: str | None, folder: str | None, *, verb: str = "check", code: str = "") -> Work | None:
    """The work that is meant; ``None`` where nothing was named and nothing was ever started here.

    A single word may be a lab's id or a folder. Work is looked for here and in the folders above, so that it is found
    from inside another lab's, too. Raises ``UsageError`` where the word is neither, or where several labs are under way
    and none is named; ``verb`` is the command that would name one, ``code`` what it writes behind a lab.
    """
    from grader import labs

    if lab is None:
        return _only_work(verb, code)
    if folder is not None:
        return Work(labs.find(lab), Path(folder), labs.started(Path(folder)))
    try:
        found = labs.find(lab)
    except LabError:
        if not Path(lab).is_dir():
            raise
        return _work_in(Path(lab))
    place = work_on(found.name)
    if place is None:
        raise UsageError(
            f"there is no work on {found.name} in {Path.cwd() / WORK / found.name}: begin with "
            f"'{command('start', lab)}', or name the folder, as in '{command('check', lab, 'DIR')}'"
        )
    return Work(found, place, labs.started(place))


def work_on(lab: str) -> Path | None:
    """The folder of the work on a lab: ``work/LAB`` here, the folder that one stands in, or one seen from above."""
    if (WORK / lab).is_dir():
        return WORK / lab
    for above in _above():
        if _is_of(above, lab):
            return above
        if _is_of(above / WORK / lab, lab):
            return above / WORK / lab
    return None


def _above() -> list[Path]:
    """This folder and those that hold it, the nearest first, as they are written from here."""
    depth = len(Path.cwd().parents)
    return [Path(*([".."] * up)) for up in range(depth)]


def _is_of(folder: Path, lab: str) -> bool:
    from grader import labs

    started = labs.started(folder)
    return started is not None and started.lab == lab


def under_way() -> list[Path]:
    """The folders of ``work``; those that ``start --again`` put aside are no work any more."""
    if not WORK.is_dir():
        return []
    return sorted(path for path in WORK.iterdir() if path.is_dir() and not ASIDE.search(path.name))


def put_aside(folder: Path) -> Path:
    """Move a work to a name beside it that is free. Raises ``UsageError`` where that cannot be."""
    number = 1
    while (kept := folder.with_name(f"{folder.name}.before-{number}")).exists():
        number += 1
    try:
        folder.rename(kept)
    except OSError as error:
        raise UsageError(f"cannot move {folder} to {kept}: {error.strerror}: move it yourself") from error
    return kept


def _only_work(verb: str, code: str) -> Work | None:
    from grader import labs

    for above in _above():
        if labs.started(above) is not None:
            return _work_in(above)
    found = under_way()
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        naming = f"'{command(verb, found[0].name + code)}'"
        by_make = (
            f" or 'make {verb} LAB={found[0].name}'" if verb == "check" and Path("Makefile").is_file() else ""
        )
        raise UsageError(
            f"several labs are under way in {WORK} ({names}): say which, as in {naming}{by_make}"
        )
    return _work_in(found[0]) if found else None


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
            f"{os.fspath(folder)!r} does not say which lab it is for: name it, as in "
            f"'{command('check', 'LAB', folder)}'"
        ) from error

"""What was handed in as files by their relative names: a folder, an archive, or files that lie apart."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from grader.labs.limits import (
    ARCHIVES,
    HAND_IN,
    JUNK,
    LARGEST_ARCHIVE,
    MARK,
    Budget,
    FoundFile,
    inside,
    shown,
)
from grader.model.errors import SubmissionError
from grader.model.lab import Lab
from grader.model.submission import Submission

if TYPE_CHECKING:
    from grader.labs.parts import Source


class Tree(Protocol):
    """Files by their relative names, wherever they lie."""

    def has(self, name: str) -> bool:
        """Whether something of this name is there."""

    def names(self, budget: Budget) -> Iterator[str]:
        """The names of all files, but for what editors and systems leave."""

    def files(self, inner: str, budget: Budget) -> Iterator[FoundFile]:
        """The files below the folder ``inner`` that the lab asks for."""

    def data(self, name: str, limit: int) -> bytes:
        """At most ``limit`` + 1 bytes of a file."""


class MadeTree:
    """The files of a submission that was made in memory."""

    def __init__(self, made: Submission, where: str) -> None:
        self._made = made
        self._where = where

    def has(self, name: str) -> bool:
        """Whether something of this relative name is there."""
        return name in self._made.files

    def names(self, budget: Budget) -> Iterator[str]:
        """The names, but for what editors and systems leave."""
        for name in sorted(self._made.files):
            budget.look()
            if not any(JUNK.fullmatch(part) and part != MARK for part in name.split("/")):
                yield name

    def files(self, inner: str, budget: Budget) -> Iterator[FoundFile]:
        """The files below ``inner`` that the lab asks for, by their names there. Raises ``SubmissionError``."""
        around = f"{inner}/" if inner else ""
        for name in sorted(self._made.files):
            short = name[len(around) :]
            if name.startswith(around) and budget.wants(short):
                data = self.data(name, budget.next_limit)
                yield FoundFile(short, data, name in self._made.executable)

    def data(self, name: str, limit: int) -> bytes:
        """A file's content, at most ``limit`` + 1 bytes of it."""
        return self._made.files[name][: limit + 1]


def opened(lab: Lab, source: Source, where: str) -> Tree:
    """The files of what was handed in; ``where`` names it in sentences. Raises ``SubmissionError``."""
    from grader.labs.folder import FolderTree

    if not isinstance(source, str | os.PathLike):
        from grader.labs.parts import PartsTree

        return PartsTree(source, where)
    try:
        mode = os.stat(source).st_mode  # noqa: PTH116
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its name holds a NUL"
        what = where if where == HAND_IN else f"the submission {where}"
        raise SubmissionError(
            f"cannot read {what}: {reason}: name the folder that holds {lab.submission.required[0]}"
        ) from error
    if stat.S_ISDIR(mode):
        return FolderTree(Path(source), where)
    if not stat.S_ISREG(mode):
        raise SubmissionError(f"{where} is neither a folder nor an archive: name the folder with your files")
    from grader.labs.archive import ArchiveTree

    try:
        with Path(source).open("rb") as file:
            data = file.read(LARGEST_ARCHIVE + 1)
    except OSError as error:
        raise SubmissionError(f"cannot read {where}: {error.strerror}: check who may read it") from error
    return ArchiveTree(data, Budget(lab.submission, where))


def archives_in(names: list[str]) -> list[str]:
    """Those names that are an archive's."""
    return [name for name in names if name.lower().endswith(ARCHIVES)]


def open_archive(lab: Lab, tree: Tree, name: str, where: str) -> Tree:
    """The archive that lies in a tree as ``name``. Raises ``SubmissionError``."""
    from grader.labs.archive import ArchiveTree

    return ArchiveTree(tree.data(name, LARGEST_ARCHIVE), Budget(lab.submission, inside(where, name)))


def shown_source(source: Source) -> str:
    """How what was handed in is named in sentences."""
    if isinstance(source, str | os.PathLike):
        return shown(os.fsdecode(source))
    return shown(", ".join(dict.fromkeys(str(part.path) for part in source)) or "nothing")

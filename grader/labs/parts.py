"""A submission whose files lie apart: those of one student among everybody's, in a folder or in an archive."""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from msgspec import Struct

from grader.labs.folder import read_ordinary
from grader.labs.limits import JUNK, MARK, Budget, FoundFile, inside, shown
from grader.model.errors import SubmissionError


class Part(Struct, frozen=True):
    """A file of a submission: ``name`` is the one that it has there, with ``/`` between its parts.

    It lies at ``path``, or is the ``member`` of the zip archive that does.
    """

    name: str
    path: Path
    member: str | None = None


class PartsTree:
    """The files that ``parts`` name, as one folder."""

    def __init__(self, parts: Sequence[Part], where: str) -> None:
        self._parts = parts
        self._where = where

    def has(self, name: str) -> bool:
        """Whether something of this relative name is there."""
        return any(part.name == name for part in self._parts)

    def names(self, budget: Budget) -> Iterator[str]:
        """The names, but for what editors and systems leave."""
        for part in self._parts:
            budget.look()
            if not any(JUNK.fullmatch(piece) and piece != MARK for piece in part.name.split("/")):
                yield part.name

    def files(self, inner: str, budget: Budget) -> Iterator[FoundFile]:
        """The files below ``inner`` that the lab asks for, by their names there. Raises ``SubmissionError``."""
        around = f"{inner}/" if inner else ""
        seen: set[str] = set()
        for part in self._parts:
            short = part.name[len(around) :]
            if not part.name.startswith(around) or not budget.wants(short):
                continue
            if short in seen:
                raise SubmissionError(f"{budget.where} holds {shown(short)} twice: hand it in once")
            seen.add(short)
            data, mode = self._read(part, budget.next_limit)
            yield FoundFile(short, data, bool(mode & stat.S_IXUSR))

    def data(self, name: str, limit: int) -> bytes:
        """A file's content, at most ``limit`` + 1 bytes of it. Raises ``SubmissionError``."""
        return self._read(next(part for part in self._parts if part.name == name), limit)[0]

    def _read(self, part: Part, limit: int) -> tuple[bytes, int]:
        where = inside(self._where, part.name)
        try:
            if part.member is None:
                return read_ordinary(part.path, where, limit)
            about = part.path.stat()
            archive = _archive(part.path, about.st_mtime_ns, about.st_size, os.getpid())
            mode = archive.getinfo(part.member).external_attr >> 16
            if stat.S_ISLNK(mode):
                raise SubmissionError(f"{where} is a symbolic link: hand in the file itself")
            with archive.open(part.member) as content:
                return content.read(limit + 1), mode
        except SubmissionError:
            raise
        except Exception as error:  # A damaged archive is met with a dozen kinds of errors.
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise SubmissionError(f"cannot read {where}: {ascii(reason)[1:-1]}: download it again") from error


@lru_cache(maxsize=4)
def _archive(path: Path, modified: int, size: int, process: int) -> zipfile.ZipFile:
    """An archive kept open, whose list of members is that of a whole class and would else be read for every file.

    Each ``process`` has its own: after a fork, parent and child share the place at which an open file is read.
    """
    return zipfile.ZipFile(path)


Source = str | os.PathLike[str] | Sequence[Part]
"""Where a submission lies: a folder, an archive, or its files wherever they are."""

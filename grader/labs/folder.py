"""A submission that is a folder: read by descriptors, never through a link, so that nothing is exchanged meanwhile."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from grader.labs.limits import DEEPEST, JUNK, MARK, Budget, FoundFile, folder_for_file, inside
from grader.model.errors import SubmissionError

_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class FolderTree:
    """The files below a folder."""

    def __init__(self, path: Path, where: str) -> None:
        self._path = path
        self._where = where

    def has(self, name: str) -> bool:
        """Whether something of this relative name is there."""
        return os.path.lexists(self._path / name)

    def names(self, budget: Budget) -> Iterator[str]:
        """Relative names of all that is no folder, but for what editors and systems leave."""
        with self._opened("") as folder:
            yield from _names(folder, "", 1, budget)

    def files(self, inner: str, budget: Budget) -> Iterator[FoundFile]:
        """The files below ``inner`` that the lab asks for, by their names there. Raises ``SubmissionError``."""
        with self._opened(inner) as folder:
            yield from _listed(folder, "", 1, budget)

    def data(self, name: str, limit: int) -> bytes:
        """A file's content, at most ``limit`` + 1 bytes of it. Raises ``SubmissionError``."""
        parent, _, last = name.rpartition("/")
        try:
            with self._opened(parent) as folder:
                return _content(folder, last, inside(self._where, name), limit)[0]
        except OSError as error:
            raise _unreadable(inside(self._where, name), error) from error

    def _opened(self, inner: str) -> _Opened:
        return _Opened(self._path, inner, self._where)


class _Opened(ExitStack):
    """A folder's descriptor, reached from ``path`` without following a link below it."""

    def __init__(self, path: Path, inner: str, where: str) -> None:
        super().__init__()
        self._steps = (os.fspath(path), *filter(None, inner.split("/")))
        self._where = where

    def __enter__(self) -> int:  # type: ignore[override]
        descriptor: int | None = None
        try:
            for step in self._steps:
                flags = _OPEN_FOLDER if descriptor is not None else _OPEN_FOLDER & ~os.O_NOFOLLOW
                descriptor = os.open(step, flags, dir_fd=descriptor)
                self.callback(os.close, descriptor)
        except OSError as error:
            self.close()
            raise SubmissionError(
                f"cannot read {self._where}: {error.strerror}: check who may read it"
            ) from error
        assert descriptor is not None
        return descriptor


def _names(folder: int, prefix: str, depth: int, budget: Budget) -> Iterator[str]:
    with os.scandir(folder) as found:
        entries = []
        for entry in found:
            budget.look()
            if not JUNK.fullmatch(entry.name) or entry.name == MARK:
                entries.append((entry.name, entry.is_dir(follow_symlinks=False)))
    for name, is_folder in sorted(entries):
        if not is_folder:
            yield prefix + name
        elif depth < DEEPEST:
            try:
                inner = os.open(name, _OPEN_FOLDER, dir_fd=folder)
            except OSError:
                continue  # Whatever it holds, nobody may read it.
            try:
                yield from _names(inner, f"{prefix}{name}/", depth + 1, budget)
            finally:
                os.close(inner)


def _listed(folder: int, prefix: str, depth: int, budget: Budget) -> Iterator[FoundFile]:
    """Files below an open folder. Each is opened relative to it and never through a link, so that none can be
    exchanged for something else between being looked at and being read."""
    with os.scandir(folder) as found:
        names = []
        for entry in found:
            budget.look()
            names.append(entry.name)
    for name in sorted(names):
        if JUNK.fullmatch(name):
            continue
        try:
            yield from _entry(folder, name, prefix + name, depth, budget)
        except OSError as error:
            raise _unreadable(inside(budget.where, prefix + name), error) from error


def _entry(folder: int, name: str, full: str, depth: int, budget: Budget) -> Iterator[FoundFile]:
    mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    if stat.S_ISDIR(mode):
        if full in budget.rules.required:
            raise SubmissionError(folder_for_file(inside(budget.where, full)))
        if depth >= budget.deepest:
            budget.wants(full + "/*")
            return
        inner = os.open(name, _OPEN_FOLDER, dir_fd=folder)
        try:
            yield from _listed(inner, full + "/", depth + 1, budget)
        finally:
            os.close(inner)
    elif budget.wants(full):
        if not stat.S_ISREG(mode):
            raise SubmissionError(f"{inside(budget.where, full)} is {_kind(mode)}: hand in the file itself")
        yield _file(folder, name, full, budget)


def _unreadable(where: str, error: OSError) -> SubmissionError:
    return SubmissionError(f"cannot read {where}: {error.strerror}: check who may read it")


def _file(folder: int, name: str, full: str, budget: Budget) -> FoundFile:
    data, mode = _content(folder, name, inside(budget.where, full), budget.next_limit)
    return FoundFile(full, data, bool(mode & stat.S_IXUSR))


def _content(folder: int, name: str, where: str, limit: int) -> tuple[bytes, int]:
    """An ordinary file's first ``limit`` + 1 bytes, and its mode."""
    # Had a FIFO taken the file's place meanwhile, O_NONBLOCK would keep open() from waiting for its other end.
    descriptor = os.open(
        name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC, dir_fd=folder
    )
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise SubmissionError(f"{where} is {_kind(mode)}: hand in the file itself")
        data = bytearray()
        while len(data) <= limit and (chunk := os.read(descriptor, limit + 1 - len(data))):
            data += chunk
    finally:
        os.close(descriptor)
    return bytes(data), mode


def read_ordinary(path: Path, where: str, limit: int) -> tuple[bytes, int]:
    """An ordinary file's first ``limit`` + 1 bytes, and its mode; no link is followed at its last part.

    ``where`` names it in sentences. Raises ``SubmissionError``, ``OSError``.
    """
    parent = os.open(path.parent, _OPEN_FOLDER & ~os.O_NOFOLLOW)
    try:
        mode = os.stat(path.name, dir_fd=parent, follow_symlinks=False).st_mode
        if not stat.S_ISREG(mode):
            raise SubmissionError(f"{where} is {_kind(mode)}: hand in the file itself")
        return _content(parent, path.name, where, limit)
    finally:
        os.close(parent)


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFLNK: "a symbolic link",
        stat.S_IFIFO: "a named pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFBLK: "a device",
        stat.S_IFCHR: "a device",
        stat.S_IFDIR: "a folder",
    }
    return kinds.get(stat.S_IFMT(mode), "no ordinary file")

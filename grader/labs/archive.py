"""Submissions in zip and tar archives: unpacked in memory, never on disk, within the lab's limits."""

from __future__ import annotations

import bz2
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import PurePosixPath
from typing import IO, NamedTuple

from grader.labs.limits import JUNK, LARGEST_ARCHIVE, MARK, Budget, FoundFile, shown
from grader.model.errors import SubmissionError

LARGEST_TAR = 64 * 1024 * 1024
XZ_MEMORY = 128 * 1024 * 1024


class _Member(NamedTuple):
    name: str
    mode: int
    open: Callable[[], IO[bytes]]


class ArchiveTree:
    """The files of an archive whose bytes are ``data``. Raises ``SubmissionError`` where it is none."""

    def __init__(self, data: bytes, budget: Budget) -> None:
        if len(data) > LARGEST_ARCHIVE:
            raise SubmissionError(
                f"{budget.where} is an archive of more than {LARGEST_ARCHIVE} bytes: pack the lab's files alone"
            )
        self._budget = budget
        self._members: list[_Member] = []
        with _refusing(budget):
            for member in _zip(data) if data.startswith(b"PK") else _tar(data):
                budget.look()
                self._members.append(_placed(member, budget))

    def has(self, name: str) -> bool:
        """Whether something of this relative name is there."""
        return any(member.name == name for member in self._members)

    def names(self, budget: Budget) -> Iterator[str]:
        """Names of all its members, but for what editors and systems leave."""
        for member in self._members:
            if not any(JUNK.fullmatch(part) and part != MARK for part in member.name.split("/")):
                yield member.name

    def files(self, inner: str, budget: Budget) -> Iterator[FoundFile]:
        """The files below ``inner`` that the lab asks for, by their names there. Raises ``SubmissionError``."""
        around = f"{inner}/" if inner else ""
        seen: set[str] = set()
        with _refusing(budget):
            for name, mode, open_member in self._members:
                short = name[len(around) :]
                if not name.startswith(around) or not budget.wants(short):
                    continue
                if not stat.S_ISREG(mode):
                    raise SubmissionError(
                        f"{budget.where} holds {shown(short)} as no ordinary file: pack the file itself"
                    )
                if short in seen:
                    raise SubmissionError(f"{budget.where} holds {shown(short)} twice: pack it once")
                seen.add(short)
                with open_member() as content:
                    yield FoundFile(short, content.read(budget.next_limit + 1), bool(mode & stat.S_IXUSR))

    def data(self, name: str, limit: int) -> bytes:
        """A member's content, at most ``limit`` + 1 bytes of it. Raises ``SubmissionError``."""
        member = next(member for member in self._members if member.name == name)
        if not stat.S_ISREG(member.mode):
            raise SubmissionError(
                f"{self._budget.where} holds {shown(name)} as no ordinary file: pack the file itself"
            )
        with _refusing(self._budget), member.open() as content:
            return content.read(limit + 1)


@contextmanager
def _refusing(budget: Budget) -> Iterator[None]:
    try:
        yield
    except SubmissionError:
        raise
    except Exception as error:  # The libraries meet damaged archives with a dozen kinds of errors.
        raise SubmissionError(
            f"{budget.where} is neither a folder nor an intact zip or tar archive ({ascii(str(error))[1:-1]}): "
            f"name the folder that holds {budget.rules.required[0]}, or pack it again"
        ) from error


def _placed(member: _Member, budget: Budget) -> _Member:
    """The member by its plain relative name. Raises ``SubmissionError`` where it leads out of the archive."""
    if member.name.startswith("/") or ".." in member.name.split("/"):
        raise SubmissionError(
            f"{budget.where} holds {shown(member.name)}, which leads out of the archive: pack the folder again"
        )
    return member._replace(name=str(PurePosixPath(member.name)))


def _zip(data: bytes) -> Iterator[_Member]:
    archive = zipfile.ZipFile(BytesIO(data))
    for info in archive.infolist():
        if info.is_dir():
            continue
        if info.flag_bits & 1:
            raise ValueError("it is encrypted")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError("it is compressed by a rare method")
        # Systems without permissions leave the mode empty, which then says nothing of the file's kind.
        mode = info.external_attr >> 16
        kind = mode if stat.S_IFMT(mode) else mode | stat.S_IFREG
        yield _Member(info.filename, kind, lambda info=info: archive.open(info))  # type: ignore[misc]


def _tar(data: bytes) -> Iterator[_Member]:
    archive = tarfile.open(fileobj=BytesIO(_decompressed(data)), mode="r:")  # noqa: SIM115
    for info in archive:
        if info.isdir():
            continue
        kind = stat.S_IFREG if info.isreg() else stat.S_IFLNK
        yield _Member(info.name, kind | (info.mode & 0o777), lambda info=info: _content(archive, info))  # type: ignore[misc]


def _content(archive: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    content = archive.extractfile(info)
    assert content is not None
    return content


def _decompressed(data: bytes) -> bytes:
    """The tar within ``data``, but never more than the largest that is read, whatever the compressed form claims."""
    if data.startswith(b"\x1f\x8b"):
        tar = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(data, LARGEST_TAR + 1)
    elif data.startswith(b"BZh"):
        tar = bz2.BZ2Decompressor().decompress(data, LARGEST_TAR + 1)
    elif data.startswith(b"\xfd7zXZ\0"):
        tar = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY).decompress(data, LARGEST_TAR + 1)
    else:
        return data
    if len(tar) > LARGEST_TAR:
        raise ValueError(f"it holds more than {LARGEST_TAR} bytes")
    return tar

"""Writing a document so that at no moment half of it is there."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path

from grader import disk
from grader.model.errors import OutputError

STANDARD_OUTPUT = "-"

_MEND = {
    errno.ENOSPC: "the disk is full; free some space or name a place on another disk",
    errno.EDQUOT: "your disk quota is used up; free some space or name a place on another disk",
    errno.EFBIG: "the file would be larger than the limit set for files; raise it with 'ulimit -f'",
    errno.EACCES: "there is no permission to write there; name a folder that you own",
    errno.EPERM: "there is no permission to write there; name a folder that you own",
    errno.EROFS: "that file system can only be read; name a place on another one",
    errno.EISDIR: "it is a folder; name a file in it",
    errno.ENOENT: "its folder does not exist; make it first",
    errno.ENOTDIR: "a part of the path is a file and no folder; correct the path",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
    errno.ELOOP: "its symbolic links lead in a circle; name another file",
    errno.EPIPE: "whoever was reading has stopped; nothing was lost but this output",
}


def write(path: str | Path, data: bytes | Iterable[bytes]) -> None:
    """Write ``data``, whole or in pieces as they are made, to ``path``, whole or not at all; ``-`` is standard output.

    A reader never sees half a document, and a grader that is killed leaves the old one. Symbolic links are written
    through; devices and pipes are written to as they are. Raises ``OutputError`` with one sentence.
    """
    if "\0" in str(path):
        raise OutputError(
            f"cannot write {_named(path)}: the name holds a NUL, which no file's name may; correct it"
        )
    try:
        if str(path) == STANDARD_OUTPUT:
            sys.stdout.flush()
            for piece in _pieces(data):
                sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
        else:
            _write_file(Path(os.path.realpath(path)), data)
    except OSError as error:
        raise OutputError(f"cannot write {_named(path)}: {_reason(error)}") from error


def _write_file(path: Path, data: bytes | Iterable[bytes]) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        mode = stat.S_IFREG
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(mode):
        with path.open("wb") as file:
            file.writelines(_pieces(data))
        return
    disk.write_file(path, data)


def _pieces(data: bytes | Iterable[bytes]) -> Iterable[bytes]:
    return (data,) if isinstance(data, bytes) else data


def _named(path: str | Path) -> str:
    return "to the standard output" if str(path) == STANDARD_OUTPUT else repr(str(path))


def _reason(error: OSError) -> str:
    return _MEND.get(error.errno or 0) or f"{error.strerror or error}; name another file"

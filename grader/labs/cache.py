"""What costs time to make is kept in the user's cache folder under the digest of all it was made from."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import msgspec

from grader import disk, resources
from grader.model.errors import EngineError

T = TypeVar("T")

KEPT = 256
"""Entries of a kind that stay; the oldest beyond them are removed."""


def digest(parts: Iterable[bytes]) -> str:
    """SHA-256 in hex over the parts, each with its length, so that no two lists of parts are confused."""
    total = sha256()
    for part in parts:
        total.update(b"%d:" % len(part))
        total.update(part)
    return total.hexdigest()


def cached(kind: str, key: str, type_: type[T], make: Callable[[], T]) -> T:
    """The value of ``type_`` kept under ``kind`` and ``key``, or else made now and kept.

    ``key`` must be the digest of everything that ``make`` depends on. An entry that cannot be read is made again,
    and one that cannot be written is not kept: the cache is never the reason of a failure.
    """
    try:
        entry = resources.cache_folder() / kind / f"{key}.msgpack"
    except EngineError:  # A user without a home.
        return make()
    with contextlib.suppress(OSError, msgspec.DecodeError, UnicodeDecodeError):
        return msgspec.msgpack.decode(entry.read_bytes(), type=type_)
    value = make()
    with contextlib.suppress(OSError):
        _write(entry, msgspec.msgpack.encode(value))
    return value


def _write(entry: Path, data: bytes) -> None:
    entry.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    disk.write_file(entry, data, 0o600)
    _forget_oldest(entry.parent)


def _forget_oldest(parent: Path) -> None:
    with os.scandir(parent) as found:
        entries = [entry.path for entry in found]
    if len(entries) > KEPT:
        entries.sort(key=os.path.getmtime)
        for path in entries[: len(entries) - KEPT]:
            os.unlink(path)  # noqa: PTH108

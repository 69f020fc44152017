"""Files and folders that are there whole or not at all, whenever a process is killed, and locks between processes.

Everything is made beside its place, under a name of its own, and renamed. Nothing is forced to the disk: what smtplab
writes can be made again, and a class would wait for each file. What a killed process left beside a folder,
``recover`` finishes or removes.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from grader.model.deadline import Deadline
from grader.model.latepattern import late_pattern

_BETWEEN_LOOKS = 0.05
"""Seconds between two looks at a lock that another process holds: ``flock`` itself waits for ever or not at all."""

_PIECE = 1 << 16
_LEFT = late_pattern(r"\.(?P<name>.+)\.[0-9a-f]{8}\.(?P<state>new|old)", re.DOTALL)
"""Names that folders have while they are made, and while another takes their place."""
_HALF = late_pattern(r"\.(?P<name>.+)\.[0-9a-f]{8}", re.DOTALL)
"""Names that files have while they are written."""


def contents(path: str | Path, *, folder: int | None = None) -> bytes:
    """What a file holds, which may be named in a ``folder`` that is open. Raises ``OSError``.

    It opens no file object: a class is thousands of small files.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder)
    try:
        pieces = []
        while piece := os.read(descriptor, _PIECE):
            pieces.append(piece)
    finally:
        os.close(descriptor)
    return b"".join(pieces)


def write_file(path: Path, data: bytes | Iterable[bytes], mode: int = 0o666) -> None:
    """Write ``data`` to ``path`` in place of what was there. The umask takes from ``mode``. Raises ``OSError``.

    What comes in pieces is written as it comes; where making them fails, what was there stays.

    A symbolic link is replaced itself: whoever wants to write through one resolves it first.
    """
    with _written_beside(path, data, mode) as beside:
        beside.replace(path)


def write_new_file(path: Path, data: bytes, mode: int = 0o666) -> None:
    """As ``write_file``, but raises ``FileExistsError`` where anything of that name is there already."""
    with _written_beside(path, data, mode) as beside:
        # Unlike a rename, a link fails where a file of that name has appeared meanwhile.
        os.link(beside, path)


@contextmanager
def _written_beside(path: Path, data: bytes | Iterable[bytes], mode: int) -> Iterator[Path]:
    # Cut to 200 characters: a name that just fits must not become too long by what is added.
    beside = path.with_name(f".{path.name[:200]}.{os.urandom(4).hex()}")
    # os.open and not tempfile, which would make a file that only its owner can read whatever the umask says.
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines((data,) if isinstance(data, bytes) else data)
        yield beside
    finally:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)


def is_full(place: Path | int) -> bool:
    """Whether nothing more can be written to the file system of a path or descriptor. Raises ``OSError``."""
    about = os.statvfs(place)
    free = about.f_bfree if os.geteuid() == 0 else about.f_bavail
    return free == 0 < about.f_blocks  # Some count no blocks at all.


def remove_folder(path: Path) -> None:
    """Remove a folder as far as it can be."""
    shutil.rmtree(path, ignore_errors=True)


@contextmanager
def new_folder(target: Path, remove: Callable[[Path], object] = remove_folder) -> Iterator[Path]:
    """A path at which the body makes a folder, which becomes ``target`` when the body has ended.

    Nothing is left where the body fails, and ``remove`` sees to that. Raises ``OSError`` where ``target`` is there
    and not an empty folder.
    """
    with _made_beside(target, remove) as beside:
        yield beside
        beside.rename(target)


@contextmanager
def replaced_folder(target: Path) -> Iterator[Path]:
    """As ``new_folder``, but what is at ``target`` gives way; where the body fails, it stays.

    Between two renames ``target`` is not there. ``recover`` helps where a process is killed just then.
    """
    with _made_beside(target, remove_folder) as beside:
        yield beside
        aside = beside.with_suffix(".old")
        try:
            if target.exists():
                target.rename(aside)
            beside.rename(target)
        finally:
            if aside.exists() and not target.exists():
                aside.rename(target)
            remove_folder(aside)


@contextmanager
def _made_beside(target: Path, remove: Callable[[Path], object]) -> Iterator[Path]:
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{os.urandom(4).hex()}.new")
    try:
        yield beside
    except BaseException:
        remove(beside)
        raise


def leftovers(parent: Path, name: str | None = None) -> list[Path]:
    """What killed processes left in ``parent`` of folders that they were making there; only of ``name`` if given.

    A process that is alive has the like: hold a lock against it, or know that there is none.
    """
    if not parent.is_dir():
        return []
    found = ((path, _LEFT.fullmatch(path.name)) for path in parent.iterdir())
    return sorted(path for path, match in found if match and name in (None, match["name"]))


def remove_half_written(parent: Path, names: Collection[str]) -> None:
    """Remove what a killed process had written of files of these names in ``parent``.

    A process that is alive has the like: hold a lock against it.
    """
    with os.scandir(parent) as entries:
        found = [entry.name for entry in entries]
    for name in found:
        match = _HALF.fullmatch(name)
        if match and match["name"] in names:
            with contextlib.suppress(OSError):
                (parent / name).unlink()


def recover(parent: Path, name: str | None = None) -> None:
    """Put each of the ``leftovers`` back where it was meant to stay, or remove it."""
    for path in leftovers(parent, name):
        match = _LEFT.fullmatch(path.name)
        assert match is not None
        target = path.with_name(match["name"])
        if match["state"] == "old" and not target.exists():
            path.rename(target)
        else:
            remove_folder(path)


@contextmanager
def locked(
    path: Path, *, deadline: Deadline | None = None, waiting: Callable[[], object] = bool
) -> Iterator[None]:
    """Hold the lock file ``path``, made where it is missing: one process at a time, and its children after it.

    ``waiting`` is called once where another process has it. The kernel gives it back when the last process that
    inherited it is dead, so that workers which outlive their parent still hold it. Raises ``TimeoutError`` at the
    ``deadline``, ``OSError`` where the file cannot be made.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        if not _taken(descriptor):
            waiting()
            if deadline is None:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            else:
                _take(descriptor, deadline, path)
        yield
    finally:
        # Closed, never unlocked: that would take the lock from a process that inherited it.
        os.close(descriptor)


def _take(descriptor: int, deadline: Deadline, path: Path) -> None:
    while not _taken(descriptor):
        if deadline.over:
            raise TimeoutError(f"another process holds {path}")
        time.sleep(min(_BETWEEN_LOOKS, deadline.left))


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

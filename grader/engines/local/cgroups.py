"""Control groups that hold the student's host to its memory, processes and processors, where they may be made.

The kernel removes none when the grader is killed. Each is locked while its grader lives, and whoever grades next
removes those that are not: neither a process id that was given out again nor another container's ids mislead a lock.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from grader.model.plan import Limits

ROOT = Path("/sys/fs/cgroup")
PREFIX = "smtplab-"
OVERHEAD = 16
"""Threads of runc, which stands in the group while it starts the host."""


class Groups:
    """The groups of one run; none where they cannot be made."""

    def __init__(self, limits: Limits) -> None:
        self._folders: list[Path] = []
        self._doors: list[int] = []
        self._locks: list[int] = []
        try:
            if (ROOT / "cgroup.controllers").exists():
                self._make_unified(limits)
            else:
                self._make_each(limits)
        except OSError:
            # An ordinary user, or a container that keeps them to itself: rlimits and the watchdog have to do.
            self.remove()

    @property
    def doors(self) -> list[int]:
        """Descriptors that ``enter`` needs; none where memory and processes are not limited by groups."""
        return self._doors

    def remove(self) -> None:
        """Remove the groups; they must be empty."""
        for door in self._doors:
            os.close(door)
        for folder in self._folders:
            try:
                folder.rmdir()
            except OSError:
                continue  # a process is still dying in there; the next run takes it
        for lock in self._locks:
            os.close(lock)
        self._folders, self._doors, self._locks = [], [], []

    def _make(self, parent: Path, settings: dict[str, str]) -> Path:
        folder = self._made(parent)
        for name, value in settings.items():
            (folder / name).write_text(value, encoding="ascii")
        self._doors.append(os.open(folder / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC))
        return folder

    def _made(self, parent: Path) -> Path:
        """Make and lock a group, in which there is a moment when another grader may take it for a dead one's.

        Whoever is about to do that knows it by its name: after one was taken, the next has another name.
        """
        while True:
            folder = parent / f"{PREFIX}{os.getpid()}-{os.urandom(4).hex()}"
            folder.mkdir()
            try:
                lock = _opened(folder)
            except FileNotFoundError:
                continue
            fcntl.flock(lock, fcntl.LOCK_SH)
            if folder.exists():
                break
            os.close(lock)
        self._folders.append(folder)
        self._locks.append(lock)
        return folder

    def _make_unified(self, limits: Limits) -> None:
        wanted = {"cpu", "memory", "pids"}
        control = ROOT / "cgroup.subtree_control"
        if not wanted <= set(control.read_text(encoding="ascii").split()):
            control.write_text(" ".join(f"+{name}" for name in sorted(wanted)), encoding="ascii")
        period = 100_000
        folder = self._make(
            ROOT,
            {
                "memory.max": str(limits.memory),
                "pids.max": str(limits.processes + OVERHEAD),
                "cpu.max": f"{int(limits.cpus * period)} {period}",
            },
        )
        swap = folder / "memory.swap.max"
        if swap.exists():
            swap.write_text("0", encoding="ascii")

    def _make_each(self, limits: Limits) -> None:
        period = 100_000
        self._make(ROOT / "memory", {"memory.limit_in_bytes": str(limits.memory)})
        self._make(ROOT / "pids", {"pids.max": str(limits.processes + OVERHEAD)})
        cpu = ROOT / "cpu"
        if (cpu / "cpu.cfs_quota_us").exists():
            quota = str(int(limits.cpus * period))
            self._make(cpu, {"cpu.cfs_period_us": str(period), "cpu.cfs_quota_us": quota})


def enter(doors: list[int]) -> None:
    """Move this process into groups; with the rights of who made them, so that a process without can."""
    for door in doors:
        os.write(door, b"0")


def remove_leftovers() -> list[str]:
    """Remove the groups of graders that are dead; their folders."""
    return [str(folder) for folder in _groups() if _removed(folder)]


def _groups() -> Iterator[Path]:
    yield from ROOT.glob(f"{PREFIX}*")
    yield from ROOT.glob(f"*/{PREFIX}*")


def _removed(folder: Path) -> bool:
    try:
        lock = _opened(folder)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        folder.rmdir()
    except OSError:
        return False  # its grader lives; or a process is still dying in there; or another grader was faster
    finally:
        os.close(lock)
    return True


def _opened(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

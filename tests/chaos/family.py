"""Which processes of the machine belong to a grader that chaos started, what each of them is, and what is left of them.

They are found downwards from the grader's own process id, never by name: others may be grading on the same machine.
What was seen once is remembered by its pid namespace and by a mark in its environment, which outlive their parents.
"""

from __future__ import annotations

import os
import signal
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MARK = "SMTPLAB_CHAOS"
"""A variable in the environment of every grader that chaos starts."""

AGENT = b"guest.main"
GRADERS = ("grader", "worker", "supervisor")
"""Roles of those that may have made a container."""


@dataclass(frozen=True)
class Process:
    """A process of a family: ``role`` says what it does for the grader."""

    pid: int
    began: str
    role: str

    def send(self, number: int) -> bool:
        """Send a signal, unless the process is gone by now; whether it was sent."""
        try:
            handle = os.pidfd_open(self.pid)
        except OSError:
            return False
        try:
            # Looked at with the handle held, so that a process id that was given out again is not hit.
            if began(self.pid) != self.began:
                return False
            signal.pidfd_send_signal(handle, number)
        except OSError:
            return False
        finally:
            os.close(handle)
        return True


class Family:
    """All processes that come from one grader, and what was ever seen of them."""

    def __init__(self, root: int, mark: str) -> None:
        self.root = root
        self.pids: set[int] = {root}
        self.graders: set[int] = {root}
        """The grader and its workers. They are few: a number of theirs is hardly given out again in a round."""
        self._mark = f"{MARK}={mark}".encode()
        self._own = _namespace(os.getpid())
        # Held open: the kernel gives the number of a namespace that is gone to the next one, which is somebody else's.
        self._namespaces: dict[str, int] = {}

    def members(self) -> dict[str, list[Process]]:
        """Those that live now, by their roles."""
        found: dict[str, list[Process]] = defaultdict(list)
        for pid, parent in _tree(self.root):
            self.pids.add(pid)
            self._hold(pid)
            if role := _role(pid, parent, self.root):
                if role in GRADERS:
                    self.graders.add(pid)
                found[role].append(Process(pid, began(pid), role))
        return found

    def left(self) -> list[str]:
        """What lives of the family, wherever it has got to: a line for each process."""
        lines = []
        for pid in (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()):
            if _namespace(pid) in self._namespaces or self._mark in _read(pid, "environ").split(b"\0"):
                command = _read(pid, "cmdline").replace(b"\0", b" ").decode(errors="replace")
                if _state(pid) not in ("Z", ""):
                    lines.append(f"process {pid}: {command[:120]}")
        return lines

    def close(self) -> None:
        """Let go of what was remembered."""
        for descriptor in self._namespaces.values():
            os.close(descriptor)
        self._namespaces = {}

    def _hold(self, pid: int) -> None:
        with suppress(OSError):
            if _namespace(pid) not in (self._own, *self._namespaces):
                descriptor = os.open(f"/proc/{pid}/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
                name = str(Path(f"/proc/self/fd/{descriptor}").readlink())
                if name == self._own or name in self._namespaces:
                    os.close(descriptor)
                else:
                    self._namespaces[name] = descriptor


def _tree(root: int) -> Iterator[tuple[int, int]]:
    """A process and all that came from it, each with its parent."""
    waiting = [(root, 0)]
    while waiting:
        pid, parent = waiting.pop()
        yield pid, parent
        with suppress(OSError):
            for thread in Path(f"/proc/{pid}/task").iterdir():
                waiting += [(int(child), pid) for child in (thread / "children").read_text().split()]


def _role(pid: int, parent: int, root: int) -> str:
    if pid == root:
        return "grader"
    command = _read(pid, "cmdline")
    if not command:
        return ""
    if AGENT in command:
        # What it starts is a copy of it until it executes a program.
        return "agent" if _innermost(pid) == "1" else "host process"
    if command.startswith(b"runc\0"):
        return "runc"
    if command != _read(root, "cmdline"):
        return "host process"
    if _namespace(pid) != _namespace(root):
        return "world"
    return "supervisor" if os.getsid(pid) == pid else "worker"


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def _innermost(pid: int) -> str:
    """The process id in the innermost of its pid namespaces (proc_pid_status(5), NSpid)."""
    found = [line for line in _read(pid, "status").splitlines() if line.startswith(b"NSpid:")]
    return found[0].split()[-1].decode() if found else ""


def _namespace(pid: int) -> str:
    """The pid namespace of a process (pid_namespaces(7)); empty where it is gone."""
    try:
        return str(Path(f"/proc/{pid}/ns/pid").readlink())
    except OSError:
        return ""


def _fields(pid: int) -> list[str]:
    """proc_pid_stat(5) from the third field on."""
    return _read(pid, "stat").decode(errors="replace").rpartition(")")[2].split()


def _state(pid: int) -> str:
    return next(iter(_fields(pid)), "")


def began(pid: int) -> str:
    """When a process began, in the kernel's count; empty where there is none of that id."""
    fields = _fields(pid)
    return fields[19] if len(fields) > 19 else ""

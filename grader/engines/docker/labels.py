"""Whose a container is: labels by which another process knows that nobody will remove it any more."""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress
from pathlib import Path

RUN = "smtplab.run"
PID = "smtplab.pid"
BEGAN = "smtplab.began"
OWNER = "smtplab.host"
STARTED = "smtplab.started"
WALL = "smtplab.wall"

STARTING_SECONDS = 30
"""How much longer than its wall time a container may be there: it takes time to start."""


def of_this_process(run: str, wall: int) -> dict[str, str]:
    """The labels of a container of this process's, which is part of a run and has ``wall`` seconds."""
    return {
        RUN: run,
        PID: str(os.getpid()),
        BEGAN: _began_here(),
        OWNER: owner(),
        STARTED: str(int(time.time())),
        WALL: str(wall),
    }


def owner() -> str:
    """Names the machine, and the part of it, in which this process's id means this process."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{socket.gethostname()}/{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return socket.gethostname()


def began(pid: int) -> str:
    """When a process that lives began, in the kernel's own count (proc_pid_stat(5)); empty where it is dead.

    A process id that was given out again is that of a process which began later. Raises ``FileNotFoundError`` on
    systems that do not tell.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        if not Path("/proc/self/stat").exists():
            raise
        return ""
    state, *others = stat.rpartition(")")[2].split()
    return "" if state == "Z" else others[18]


def _began_here() -> str:
    try:
        return began(os.getpid())
    except FileNotFoundError:
        return ""


def abandoned(labels: dict[str, str]) -> bool:
    """Whether nobody will remove the container of these labels."""
    started, wall, pid = (int(labels.get(key, 0)) for key in (STARTED, WALL, PID))
    if time.time() > started + wall + STARTING_SECONDS:
        return True
    return labels.get(OWNER) == owner() and not _lives(pid, labels.get(BEGAN, ""))


def _lives(pid: int, then: str) -> bool:
    """Whether the grader of this process id that began ``then`` still runs."""
    with suppress(FileNotFoundError):
        return began(pid) == then
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

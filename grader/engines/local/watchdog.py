"""Holds the student's host to its memory where no control group does: kills whoever takes most, as the kernel would."""

from __future__ import annotations

import os
import re
import signal
from contextlib import suppress
from time import sleep
from typing import NoReturn

WORLD = 1
_PART = re.compile(r"^Pss_Anon:\s+(\d+) kB$", re.MULTILINE)
_PAGE = os.sysconf("SC_PAGE_SIZE")


def watch(memory: int, *, every: float = 0.1) -> NoReturn:
    """In the run's pid namespace, with its /proc: look every so many seconds, and keep all but the world to ``memory``.

    Between two looks more can be taken: at most ``RLIMIT_AS`` a process, and only as fast as pages can be touched.
    """
    myself = os.getpid()
    while True:
        taken = _taken({WORLD, myself})
        if taken and sum(taken.values()) > memory and sum((taken := _parted(taken)).values()) > memory:
            with suppress(ProcessLookupError):
                os.kill(max(taken, key=taken.__getitem__), signal.SIGKILL)
            continue
        sleep(every)


def _taken(spared: set[int]) -> dict[int, int]:
    """Bytes of memory that each process has beside files; what it shares since a fork counts for each."""
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) in spared:
            continue
        with suppress(OSError, ValueError), open(f"/proc/{name}/statm", encoding="ascii") as file:
            _, resident, shared, *_ = map(int, file.read().split())
            found[int(name)] = (resident - shared) * _PAGE
    return found


def _parted(taken: dict[int, int]) -> dict[int, int]:
    """The same, with what processes share since a fork parted among them. Slower to find out."""
    found = {}
    for pid, own in taken.items():
        found[pid] = own
        with suppress(OSError), open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            if part := _PART.search(file.read()):
                found[pid] = min(own, int(part[1]) * 1024)
    return found

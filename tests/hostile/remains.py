"""What a grading leaves on this machine: processes, control groups, containers. There must be nothing."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from grader.engines.base import Engine
from grader.engines.local import cgroups
from grader.model.deadline import Deadline

PR_SET_CHILD_SUBREAPER = 36
SOON_SECONDS = 30.0


@contextmanager
def none_left(engine: Engine) -> Iterator[list[str]]:
    """Afterwards the list says what was begun meanwhile and is still there a little later."""
    found: list[str] = []
    before, others = set(_remains(engine)), descendants(os.getpid())
    # Whoever loses its parent becomes a child of this process, and is seen, whatever session it has fled to.
    _adopt_orphans(True)
    try:
        yield found
        deadline = Deadline(SOON_SECONDS)
        while (left := set(_remains(engine, reap=True, beside=others)) - before) and not deadline.over:
            time.sleep(0.05)
        found += sorted(left)
    finally:
        _adopt_orphans(False)


def _adopt_orphans(on: bool) -> None:
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, int(on), 0, 0, 0)


def _remains(engine: Engine, *, reap: bool = False, beside: Sequence[int] = ()) -> Iterator[str]:
    # What was there before may start processes of its own meanwhile, as Postfix does.
    for pid in descendants(os.getpid(), reap=reap, beside=beside):
        with suppress(OSError):
            yield f"process {pid}: {Path(f'/proc/{pid}/comm').read_text(errors='replace').strip()}"
    # Groups are made at the top, or at the top of each hierarchy; others' groups below come and go meanwhile.
    for place in ("", "*/"):
        yield from map(str, cgroups.ROOT.glob(f"{place}{cgroups.PREFIX}{os.getpid()}-*"))
    if engine.name == "docker":
        yield from _containers()


def descendants(root: int, *, reap: bool = False, beside: Sequence[int] = ()) -> list[int]:
    """Processes below this one that are not over, but for ``beside`` and those below them.

    Of orphans that are over, ``reap`` has done with.
    """
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError):
            state, parent = path.read_text(errors="replace").rpartition(")")[2].split()[:2]
            pid = int(path.parent.name)
            if state == "Z":
                if reap and int(parent) == root:
                    with suppress(ChildProcessError):
                        os.waitpid(pid, os.WNOHANG)
                continue
            children.setdefault(int(parent), []).append(pid)
    found, left = [], [root]
    while left:
        below = [pid for pid in children.get(left.pop(), []) if pid not in beside]
        found += below
        left += below
    return found


def _containers() -> Iterator[str]:
    from grader.engines.docker import labels
    from grader.engines.docker.daemon import connect

    wanted = [f"{labels.PID}={os.getpid()}", f"{labels.OWNER}={labels.owner()}"]
    for entry in connect().client.containers(all=True, filters={"label": wanted}):
        yield f"container {entry['Names']}"

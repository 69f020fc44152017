"""Removes folders that killed builds left: whoever owns what is in them, and never by walking into a live mount."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from grader.engines.local import syscalls, userns
from grader.model.errors import EngineError
from grader.model.latepattern import late_pattern

MOUNTS = Path("/proc/self/mountinfo")
_ESCAPED = late_pattern(rb"\\([0-7]{3})")


def mounted_below(folder: Path) -> list[str]:
    """The mount points in a folder, the folder itself among them, in the order in which they can be unmounted."""
    top = os.fsencode(folder.resolve())
    try:
        lines = MOUNTS.read_bytes().splitlines()
    except OSError:
        return []  # No Linux: nothing was ever mounted there.
    # proc_pid_mountinfo(5): the fifth field is the mount point, blanks in it as \040.
    points = [_ESCAPED.sub(lambda found: bytes([int(found[1], 8)]), line.split(b" ")[4]) for line in lines]
    return [os.fsdecode(point) for point in reversed(points) if point == top or point.startswith(top + b"/")]


def remove(folder: Path) -> bool:
    """Remove a folder with all that is in it; whether it is gone.

    What is mounted in it is unmounted first, where this user may; where anything stays mounted the folder stays too.
    """
    for point in mounted_below(folder):
        with suppress(OSError):
            syscalls.detach(point)
    if mounted_below(folder):
        return False
    shutil.rmtree(folder, ignore_errors=True)
    if os.path.lexists(folder) and os.geteuid() != 0:
        # What is left belongs to ids that were set aside for this user.
        with suppress(EngineError):
            userns.run(lambda: shutil.rmtree(folder, ignore_errors=True))
    return not os.path.lexists(folder)

"""What a process may be started without: standard streams, room to write to, descriptors. Said before any work."""

from __future__ import annotations

import errno
import os
import select
import stat
import sys
from typing import TYPE_CHECKING, cast

from grader import disk
from grader.model.errors import OutputError

if TYPE_CHECKING:
    from typing import TextIO

NEEDED_DESCRIPTORS = 64
"""Files that must be allowed to be open at once before anything is graded."""
WANTED_DESCRIPTORS = 1024
STDOUT = 1
_FULL = os.makedev(1, 7)
"""/dev/full (full(4))."""


def complete() -> None:
    """Give each standard stream that is closed to nobody, so that no file takes its number; open descriptors enough.

    Raises ``OutputError`` where standard output is closed.
    """
    for number in range(3):
        if not _is_open(number):
            # This one is the lowest that is free: those below are open by now.
            os.open(os.devnull, os.O_RDONLY if number == 0 else os.O_WRONLY)
            os.set_inheritable(number, True)
    unseen = sys.stdout is None
    # Python has None for what was closed when it began.
    sys.stdin = sys.stdin or _stream(0, "r")
    sys.stdout = sys.stdout or _stream(STDOUT, "w")
    sys.stderr = sys.stderr or _stream(2, "w")
    _raise_limit()
    if unseen:
        raise OutputError("standard output is closed: send it to a file, or to /dev/null")


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError as error:
        return error.errno != errno.EBADF
    return True


def _stream(descriptor: int, mode: str) -> TextIO:
    return cast("TextIO", open(descriptor, mode, encoding="utf-8", closefd=False))


def _raise_limit() -> None:
    """Take more descriptors where just the soft limit forbids them (getrlimit(2))."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, WANTED_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def refuse_hopeless() -> None:
    """Find out before any grading that its result could not be told. Raises ``OutputError``, ``EngineError``."""
    import resource

    from grader.model.errors import EngineError

    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed != resource.RLIM_INFINITY and allowed < NEEDED_DESCRIPTORS:
        raise EngineError(
            f"a process may open no more than {allowed} files here, and grading takes {NEEDED_DESCRIPTORS}: "
            f"ulimit -n {WANTED_DESCRIPTORS}, in a shell that has not been limited yet"
        )
    if trouble := _trouble_of_stdout():
        raise OutputError(f"{trouble}: send standard output elsewhere")


def _trouble_of_stdout() -> str:
    """Why nothing can be written to standard output; empty where something can, or that is not known."""
    about = os.fstat(STDOUT)
    if stat.S_ISCHR(about.st_mode) and about.st_rdev == _FULL:
        return "standard output is /dev/full, which takes nothing"
    if stat.S_ISREG(about.st_mode) and disk.is_full(STDOUT):
        return "the disk that standard output goes to is full"
    if stat.S_ISFIFO(about.st_mode) or stat.S_ISSOCK(about.st_mode):
        poll = select.poll()
        poll.register(STDOUT, 0)
        # poll(2): an error at the writing end of a pipe means that the reading end is closed.
        if any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0)):
            return "nobody reads standard output any more"
    return ""

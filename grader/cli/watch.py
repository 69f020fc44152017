"""Grades again whenever a file is saved."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import chain, repeat
from pathlib import Path

import click
import watchfiles

from grader import interruption
from grader.cli.standby import Standby
from grader.display.text import printed, printed_line
from grader.labs.limits import JUNK
from grader.model.errors import EngineError, LabError, SubmissionError

QUIET_MILLISECONDS = 10
"""Editors write a file in several steps, and several files one after the other; grading begins when nothing more comes.
Looking so often takes 0.4 per cent of a processor."""
ARMED_MILLISECONDS = 50
"""How often the watcher says that nothing happened."""
POLL_MILLISECONDS = 100
"""How often a folder is read whose file system does not tell of changes."""

MOUNTS = Path("/proc/self/mountinfo")
SILENT = (
    "9p",
    "afs",
    "ceph",
    "cifs",
    "drvfs",
    "fakeowner",
    "fuse",
    "nfs",
    "prl_fs",
    "smb",
    "vboxsf",
    "virtiofs",
)
"""How the names of file systems begin that others write to: of what these do, the kernel here tells nothing."""


class Saved(watchfiles.DefaultFilter):
    """Changes that matter: not those of editors' own files, nor of the documents that grading itself writes."""

    def __init__(self, written: Iterable[str]) -> None:
        super().__init__()
        self._written = {str(Path(path).resolve()) for path in written}

    def __call__(self, change: watchfiles.Change, path: str) -> bool:
        """Whether to grade again for this change."""
        name = Path(path).name
        beside = any(name.startswith(f".{Path(written).name}.") for written in self._written)
        own = path in self._written or beside or JUNK.fullmatch(name) is not None
        return super().__call__(change, path) and not own


def watching(folder: Path, written: Iterable[str], grade: Callable[[], int], standby: Standby) -> int:
    """Grade now and after every change in ``folder``. Ends by ``KeyboardInterrupt``, or an ``EngineError`` at first.

    What ``standby`` keeps is made ready while nothing is to be graded. A submission or a lab that cannot be read is
    said and waited for, since it may be half saved; so is an engine that has worked before.
    """
    # The first turn comes without a change once the watcher is at work: what is saved during the first grade counts.
    for first, saved in zip(chain([True], repeat(False)), _saves(folder, written), strict=False):
        if first or saved:
            if saved:
                # On a terminal alone: what is piped stays whole.
                click.clear()
                _say(f"saved at {datetime.now():%H:%M:%S}")
            _once(grade, first=first)
            _say(f"watching {folder}; Ctrl-C ends it")
            standby.make_ready()
        else:
            standby.look_at_the_clock()
        # One may have been raised where Python loses exceptions: nobody would know of it else before the next save.
        interruption.end_if_interrupted()
    return 0


def _saves(folder: Path, written: Iterable[str]) -> Iterator[bool]:
    """Again and again, whether something was saved; so is a folder that takes the place of the one that was watched."""
    accepted = Saved(written)
    another = False
    while True:
        watched, root = _identity(folder), str(folder.resolve())
        if watched is None:
            time.sleep(ARMED_MILLISECONDS / 1000)
            yield False
            continue
        try:
            for changes in _changes(root, accepted, polled=_polled(folder)):
                yield another or bool(changes)
                another = False
                # One that was made anew at once may have its number again, but its end was told.
                if _identity(folder) != watched or any(path == root for _, path in changes):
                    break
            else:
                return
        except FileNotFoundError:
            # It has gone since it was looked for.
            pass
        another = True


def _changes(
    root: str, accepted: Saved, *, polled: bool | None
) -> Iterator[set[tuple[watchfiles.Change, str]]]:
    return watchfiles.watch(
        root,
        watch_filter=accepted,
        step=QUIET_MILLISECONDS,
        rust_timeout=ARMED_MILLISECONDS,
        yield_on_timeout=True,
        force_polling=polled,
        poll_delay_ms=POLL_MILLISECONDS,
    )


def _identity(folder: Path) -> tuple[int, int] | None:
    """Which folder it is that has this name now; ``None`` where there is none."""
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _polled(folder: Path) -> bool | None:
    """Whether the folder has to be read again and again; ``None`` where its user has told the library."""
    if os.environ.get("WATCHFILES_FORCE_POLLING"):
        return None
    try:
        device = folder.stat().st_dev
        lines = MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        # No Linux: there the library knows of all changes.
        return False
    # proc_pid_mountinfo(5): the third field is the device, and the kind of file system follows a lone dash.
    number = f"{os.major(device)}:{os.minor(device)}"
    kinds = [line.partition(" - ")[2] for line in lines if line.split(" ")[2] == number]
    return any(kind.startswith(SILENT) for kind in kinds)


def _once(grade: Callable[[], int], *, first: bool) -> None:
    try:
        grade()
    except (LabError, SubmissionError, EngineError) as error:
        if first and isinstance(error, EngineError):
            raise
        click.echo(f"smtplab: {printed(str(error))}", err=True)


def _say(text: str) -> None:
    click.secho(printed_line(text), dim=True, err=True)

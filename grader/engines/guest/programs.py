"""Runs programs that were handed in, each as a user of its own, and sees where they show what they were to keep.

A run's limit does not count the time in which its processes were ready and had to wait for a processor, so that a busy
machine costs nobody anything. Some runs go at a time, beside those that will only wait.

A run's home is ``/home/ACCOUNT``; it is started in ``work`` there, where the files are, and has ``tmp`` for what is
passing. When its first process has ended, all others of its account are killed, whatever session they have fled to, and
what it left in folders that everybody can write to is removed. Who uses names of their own choice there has to be run
alone, or its runs would meet each other's files.

Processes are traced (ptrace(2)) for what they execute: a command line that its program blanks a moment later has been
in the process list all the same, and looking now and then would see it only sometimes. What processes write over their
command lines and names, and files, are looked at whenever a process stops or ends, and now and then between.
"""

from __future__ import annotations

import os
import time

from . import tracing
from .files import Broken
from .log import Log
from .loop import Loop
from .run import CANNOT_RUN, FILES_SECONDS, RunOfProgram

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import ProgramEnd, ProgramFile, ProgramSpec

AGAIN_SECONDS = 0.1
"""After which whoever has escaped being killed is killed again."""
LAST_WORDS_SECONDS = 1.0
"""For which a run's output is heard, and its processes looked for, after its end."""
MOST_LATE, HURRY = 3, 8
"""After so many late runs, beside those that were to wait, the others get a fraction of their time: one that hangs at
every server does not hold up the grader at each."""
GIVEN_UP_SECONDS = 2.0
"""After which a run that is late and does not die is left alone."""


def run_programs(
    loop: Loop, log: Log, files: list[ProgramFile], runs: list[ProgramSpec], together: int, seconds: float
) -> list[ProgramEnd]:
    """Make the runs, ``together`` at a time beside those that only wait, for at most ``seconds``. Raises ``Broken``."""
    if not tracing.possible():
        raise Broken(
            "this kernel, or what confines the host, forbids ptrace(2), by which programs are watched"
        )
    course = _Course(loop, files, runs, together, time.monotonic() + seconds)
    loop.traced = course.traced
    try:
        while course.turn():
            # Whoever prints, stops or ends is heard of at once.
            loop.turn(FILES_SECONDS)
    finally:
        loop.traced = None
    lines = [line.partition(" ")[2].encode("utf-8", "surrogateescape") for line in log.lines]
    for run in course.done:
        run.exposures.search_lines("log", lines)
    return [*(run.facts() for run in course.done), *course.failed]


class _Course:
    """The runs: those to come, those under way, and those that are over."""

    def __init__(
        self, loop: Loop, files: list[ProgramFile], runs: list[ProgramSpec], together: int, end: float
    ) -> None:
        self._loop = loop
        self._files = files
        self._pending = list(reversed(runs))
        self._together = together
        self._end = end
        self._running: list[RunOfProgram] = []
        self._owners: dict[int, RunOfProgram] = {}
        self._strays: dict[int, int] = {}
        self._late = 0
        self.done: list[RunOfProgram] = []
        self.failed: list[ProgramEnd] = []

    def traced(self, pid: int, status: int) -> bool:
        """A child has stopped or ended; whether it was one of a run's."""
        run = self._owners.get(pid)
        if os.WIFSTOPPED(status):
            self._stopped(pid, status, run)
            return True
        if run is None:
            return self._strays.pop(pid, None) is not None
        del self._owners[pid]
        run.pids.discard(pid)
        if pid == run.pid:
            run.code, run.ended = os.waitstatus_to_exitcode(status), time.monotonic()
            run.left = bool(run.pids) and not run.late
            run.kill()
        return True

    def _stopped(self, pid: int, status: int, run: RunOfProgram | None) -> None:
        if run is None:
            # A new process may report itself before its parent tells of it, or the parent was killed before that.
            self._strays[pid] = status
            if status >> 16 == tracing.EVENT_EXIT:
                tracing.go_on(pid, status)
            return
        if status >> 16 in tracing.CHILD_EVENTS:
            child = tracing.child_of(pid)
            self._owners[child] = run
            run.has_begun(child)
            if child in self._strays:
                run.stopped(child, self._strays.pop(child))
        run.stopped(pid, status)

    def turn(self) -> bool:
        """Start what can be started, and end what is over; whether there is more to wait for."""
        now = time.monotonic()
        while self._pending and now < self._end and (self._pending[-1]["waits"] or self._has_room()):
            self._start(self._pending.pop())
        for run in list(self._running):
            self._look_at(run, now)
        return bool(self._running) or (bool(self._pending) and time.monotonic() < self._end)

    def _has_room(self) -> bool:
        return sum(not run.waits for run in self._running) < self._together

    def _start(self, spec: ProgramSpec) -> None:
        hurried = self._late >= MOST_LATE and not spec["waits"]
        limit = spec["limit"] / (HURRY if hurried else 1)
        try:
            run = RunOfProgram(self._loop, spec, self._files, limit)
        except KeyError as error:
            raise Broken(f"there is no account for the program: {error}") from error
        except OSError as error:
            # What earlier runs have left of the host's room and processes is the program's own business.
            self.failed.append(_not_started(spec, error))
            return
        self._owners[run.pid] = run
        self._running.append(run)

    def _look_at(self, run: RunOfProgram, now: float) -> None:
        run.look(now)
        if run.code is None and not run.late and (run.over(now) or now > self._end):
            run.late = True
            run.stopped_at = now
            self._late += not run.waits
        left = run.pids or self._strays or not run.swept
        if (run.late or run.code is not None) and left and now - run.killed > AGAIN_SECONDS:
            run.kill()
        over = run.code is not None and (now - run.ended > LAST_WORDS_SECONDS or not (left or run.speaks))
        if over or (run.late and now - run.stopped_at > GIVEN_UP_SECONDS):
            run.ended = run.ended or now
            run.stop_reading()
            run.look_around()
            run.home.clear_away()
            self._running.remove(run)
            self.done.append(run)


def _not_started(spec: ProgramSpec, error: OSError) -> ProgramEnd:
    return {
        "id": spec["id"],
        "code": CANNOT_RUN,
        "output": f"{spec['argv'][0]}: cannot be started: {error.strerror}\n",
        "late": False,
        "left": False,
        "limit": spec["limit"],
        "seconds": 0.0,
        "held_up": 0.0,
        "exposed": [],
    }

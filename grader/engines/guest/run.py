"""One run of a program that was handed in, as a user of its own."""

from __future__ import annotations

import binascii
import os
import pwd
import resource
import signal
import time

from . import SHARED_ACCOUNTS, tracing
from .exposing import Exposures
from .files import read_process, read_some
from .home import Home
from .loop import Loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import ProgramEnd, ProgramFile, ProgramSpec

PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
MOST_OUTPUT = 200_000
LARGEST_FILE = 4 * 1024 * 1024
PROCESSES = 40
"""Of a run, threads included, at once."""
OPEN_FILES = 256
LOOK_SECONDS = 0.2
FILES_SECONDS = 0.05
"""Between two looks at the files and processes of a run that is under way, beside those when a process begins, is
stopped and ends."""
LONGEST_STRETCH = 4.0
"""Times its limit, that a run may take on a machine with no processor to spare."""
CANNOT_RUN = 126
"""The exit code of what could not be executed, as of a shell."""


class RunOfProgram:
    """One run of a program, from its start to what it left behind."""

    def __init__(self, loop: Loop, spec: ProgramSpec, files: list[ProgramFile], limit: float) -> None:
        self.id = spec["id"]
        self.exposures = Exposures([binascii.a2b_base64(secret) for secret in spec["secrets"]])
        self.output = bytearray()
        self.code: int | None = None
        self.late = self.left = False
        self.pids: set[int] = set()
        user = pwd.getpwnam(spec["account"])
        self.uid = user.pw_uid
        self.home = Home(f"/home/{spec['account']}", user.pw_uid, user.pw_gid)
        self.limit = limit
        self.ended = 0.0
        read, write = self._start(spec, files)
        os.close(write)
        self.pids.add(self.pid)
        self._loop = loop
        self._reading: int | None = read
        self.killed = self.stopped_at = 0.0
        self.swept = False
        self.waits = spec["waits"]
        self._times: dict[int, tuple[float, float]] = {}
        self._listed: dict[int, int] = {}
        self._ran: dict[int, float] = {}
        self._agent_waited = tracing.times(os.getpid())[1]
        self._looked = self._searched = self.held_up = 0.0
        loop.watch(read, self._read)

    def _start(self, spec: ProgramSpec, files: list[ProgramFile]) -> tuple[int, int]:
        """Start the program; the two ends of the pipe that it prints to. Raises ``OSError``, and leaves nothing."""
        ends: tuple[int, ...] = ()
        try:
            self.home.furnish(files, spec["texts"])
            read, write = ends = os.pipe()
            self.began = time.monotonic()
            self.pid = os.fork()
        except OSError:
            for end in ends:
                os.close(end)
            self.home.clear_away()
            raise
        if self.pid == 0:
            _become(spec, self.home, write, self.limit)
        return read, write

    @property
    def speaks(self) -> bool:
        """Whether somebody may still print something."""
        return self._reading is not None

    def _read(self, fd: int) -> None:
        for _ in range(20):
            if (data := read_some(fd)) is None:
                return
            if not data:
                self.stop_reading()
                return
            self.output += data[: max(0, MOST_OUTPUT - len(self.output))]

    def stop_reading(self) -> None:
        """Hear no more of what is printed."""
        if self._reading is not None:
            self._loop.unwatch(self._reading)
            self._reading = None

    def stopped(self, pid: int, status: int) -> None:
        """A process of the run's has stopped: see what it executes, and let it go on."""
        event = status >> 16
        if pid == self.pid and not event and os.WSTOPSIG(status) == signal.SIGSTOP:
            tracing.follow(pid)
        else:
            self.look_at_process(pid)
        if event == tracing.EVENT_EXIT:
            self._times[pid] = tracing.times(pid)
            self._listed.pop(pid, None)
        if event in (tracing.EVENT_EXEC, tracing.EVENT_EXIT, tracing.EVENT_SECCOMP):
            # A file that is made for a command and removed behind it, or closed to others a moment later, is there now.
            self.look_at_files()
        tracing.go_on(pid, status)

    def has_begun(self, pid: int) -> None:
        """A process of the run's has begun, and waits to be let go on: it ends at once where there are too many."""
        if len(self.pids) >= PROCESSES:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.pids.add(pid)

    def look_at_process(self, pid: int) -> None:
        """Note what the process list shows of a process now: it may have written its command line and name anew."""
        try:
            line, name = read_process(pid, "cmdline"), read_process(pid, "comm")
        except OSError:
            return
        # A command line may have millions of octets: what it was is not kept.
        if self._listed.get(pid) == (seen := hash((line, name))):
            return
        self._listed[pid] = seen
        self.exposures.search("process list", line.rstrip(b"\0").replace(b"\0", b" "))
        self.exposures.search_name("process list", name)

    def look_around(self) -> None:
        """Note what the program printed and left behind."""
        self.exposures.search_lines("output", bytes(self.output).splitlines())
        self.look_at_files()

    def look_at_files(self) -> None:
        """Note what stands in files that others may read."""
        for place, lines in self.home.shown():
            # Its name is as public as what stands in it.
            self.exposures.search_lines("file", lines, f"{place}: ".encode())

    def over(self, now: float) -> bool:
        """Whether the run's time is over."""
        age = now - self.began
        if age <= self.limit:
            return False
        waited = sum(waited for _, waited in self._times.values()) + self._agents_wait()
        # Many processes that run without end make each other wait.
        ran = sum(ran for ran, _ in self._times.values())
        return max(age - waited, ran) > self.limit or age > self.limit * LONGEST_STRETCH

    def _agents_wait(self) -> float:
        """Seconds for which the agent waited for a processor meanwhile: whoever it traces did so too."""
        return tracing.times(os.getpid())[1] - self._agent_waited

    def _held_up(self) -> float:
        """Seconds at least for which others kept it from a processor so far.

        A process that waits while its own run's processes run does so no longer than these run together. What the agent
        waits is not counted: most processes are asleep meanwhile, as one is that sits through a silence.
        """
        ran = sum(ran for ran, _ in self._times.values())
        longest = max((waited for _, waited in self._times.values()), default=0.0)
        return max(0.0, longest - ran)

    def look(self, now: float) -> None:
        """See what the run's files and processes show, and how long these have waited for a processor so far."""
        if now - self._searched >= FILES_SECONDS:
            self._searched = now
            if self._has_run():
                self.look_at_files()
                for pid in self.pids:
                    self.look_at_process(pid)
        if now - self._looked >= LOOK_SECONDS:
            self._looked = now
            for pid in self.pids:
                self._times[pid] = max(tracing.times(pid), self._times.get(pid, (0.0, 0.0)))
            self.held_up = self._held_up()

    def _has_run(self) -> bool:
        """Whether any process has run since this was asked last: who only waits writes nothing anywhere."""
        before, self._ran = self._ran, {pid: tracing.times(pid)[0] for pid in self.pids}
        # A kernel that keeps no such account says 0.
        return self._ran != before or not all(self._ran.values())

    def kill(self) -> None:
        """Kill every process of the run's account, at once, so that none can start another meanwhile."""
        self.killed = time.monotonic()
        try:
            pid = os.fork()
        except OSError:
            for pid in self.pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            return
        if pid == 0:
            try:
                os.setresuid(self.uid, self.uid, self.uid)
                os.kill(-1, signal.SIGKILL)
            except OSError:
                pass
            finally:
                os._exit(0)
        os.waitpid(pid, 0)
        self.swept = self.code is not None

    def facts(self) -> ProgramEnd:
        """What the grader is told of it."""
        return {
            "id": self.id,
            "code": self.code,
            "output": self.exposures.left_out_of(bytes(self.output)),
            "late": self.late,
            "limit": self.limit,
            "left": self.left,
            "seconds": round(self.ended - self.began, 3),
            "held_up": round(self.held_up, 3),
            "exposed": self.exposures.found,
        }


def _become(spec: ProgramSpec, home: Home, out: int, limit: float) -> None:
    """Be the program, as its account, with limits of its own."""
    argv, account = spec["argv"], spec["account"]
    environment = {"PATH": PATH, "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": home.path, "TMPDIR": f"{home.path}/tmp",
        "USER": account, "LOGNAME": account, "SHELL": "/bin/sh", **spec["environment"]}  # fmt: skip
    try:
        os.setsid()
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("500")
        for number in (signal.SIGINT, signal.SIGPIPE, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        for kind, most in (
            *([] if SHARED_ACCOUNTS in os.environ else [(resource.RLIMIT_NPROC, PROCESSES)]),
            (resource.RLIMIT_NOFILE, OPEN_FILES),
            (resource.RLIMIT_FSIZE, LARGEST_FILE),
            # Behind every other limit: whom it kills has not been seen to be late.
            (resource.RLIMIT_CPU, int(limit * LONGEST_STRETCH) + 1),
            (resource.RLIMIT_CORE, 0),
        ):
            resource.setrlimit(kind, (most, most))
        os.dup2(out, 1)
        os.dup2(out, 2)
        os.closerange(3, OPEN_FILES)
        os.setgroups([])
        os.setresgid(home.gid, home.gid, home.gid)
        os.setresuid(home.uid, home.uid, home.uid)
        os.chdir(home.work)
        if not tracing.be_traced():
            os._exit(125)
        tracing.stop_before_hiding()
        os.kill(os.getpid(), signal.SIGSTOP)
        os.execve(argv[0], argv, environment)
    except OSError as error:
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(CANNOT_RUN)

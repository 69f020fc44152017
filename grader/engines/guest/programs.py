"""Runs programs that were handed in, each as a user of its own, and sees where they show what they were to keep.

This is source for the agent (``learn``), which runs it among its own names; nothing here can be imported there.

======== ============================== =====================================================================
op       arguments                      value
======== ============================== =====================================================================
programs files [{path, data (base64),   [{id, code, output, seconds, late, exposed [{where, what}]}]; code is -N
         mode}], runs [{id, argv,       for signal N. ``secrets`` (base64) are what must not show; ``where`` is
         account, environment, texts    "process list", "output", "log" or "file". ``late`` was killed when its
         {path: base64}, limit, waits,  ``limit`` was over; a run that found no time has no entry.
         secrets}], together, seconds
======== ============================== =====================================================================

``limit`` does not count the time in which a run's processes were ready and had to wait for a processor, so that a busy
machine costs nobody anything. ``together`` runs go at a time, beside those that will only wait (``waits``).

A run's home is ``/home/ACCOUNT``; it is started in ``work`` there, where the files are, and has ``tmp`` for what is
passing. When its first process has ended, all others of its account are killed, whatever session they have fled to, and
what it left in folders that everybody can write to is removed. Who uses names of their own choice there has to be run
alone (``together`` of 1), or its runs would meet each other's files.

Processes are traced (ptrace(2)) for what they execute, and for nothing else: a command line that its program blanks a
moment later has been in the process list all the same, and looking now and then would see it only sometimes.
"""

from __future__ import annotations

import binascii
import os
import pwd
import re
import signal
import stat
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from grader.engines.guest.agent import Agent, Refused, _read, _read_some, _text

SHARED = ("/tmp", "/var/tmp", "/dev/shm", "/run/lock", "/dev/mqueue")
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
MOST_OUTPUT = 200_000
MOST_EXPOSED = 20
LARGEST_FILE = 4 * 1024 * 1024
LARGEST_SEARCHED = 1_000_000
MOST_FILES_SEARCHED = 200
PROCESSES = 40
OPEN_FILES = 256

PTRACE_TRACEME, PTRACE_CONT, PTRACE_SETOPTIONS = 0, 7, 0x4200
TRACE_FORK, TRACE_VFORK, TRACE_CLONE, TRACE_EXEC, TRACE_EXIT = 0x2, 0x4, 0x8, 0x10, 0x40
KILL_WITH_TRACER = 0x100000
TRACED = KILL_WITH_TRACER | TRACE_FORK | TRACE_VFORK | TRACE_CLONE | TRACE_EXEC | TRACE_EXIT
EVENT_FORK, EVENT_VFORK, EVENT_CLONE, EVENT_EXEC, EVENT_EXIT = 1, 2, 3, 4, 6
PTRACE_GETEVENTMSG = 0x4201
AGAIN_SECONDS = 0.1
LOOK_SECONDS = 0.2
LONGEST_STRETCH = 4.0
"""Times its limit, that a run may take on a machine with no processor to spare."""
NEVER_DELIVERED = (signal.SIGTRAP, signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)

_BASE64 = re.compile(rb"[A-Za-z0-9+/]{8,}={0,2}")


class Run:
    """One run of a program, from its start to what it left behind."""

    def __init__(self, agent: Agent, spec: dict[str, Any], files: list[dict[str, Any]]) -> None:
        self.id: str = spec["id"]
        self.secrets = [binascii.a2b_base64(text) for text in spec["secrets"]]
        self.exposed: list[dict[str, str]] = []
        self.output = bytearray()
        self.code: int | None = None
        self.late = False
        self.pids: set[int] = set()
        self.home = f"/home/{spec['account']}"
        self.handed_in: set[str] = set()
        user = pwd.getpwnam(spec["account"])
        self.uid, self.gid = user.pw_uid, user.pw_gid
        self._furnish(files, spec["texts"])
        read, write = os.pipe()
        self.began = time.monotonic()
        self.limit = float(spec["limit"])
        self.ended = 0.0
        self.pid = os.fork()
        if self.pid == 0:
            self._become(spec["argv"], write, {"PATH": PATH, "LC_ALL": "C.UTF-8", "TZ": "UTC",
                "HOME": self.home, "TMPDIR": f"{self.home}/tmp", "USER": spec["account"],
                "LOGNAME": spec["account"], "SHELL": "/bin/sh", **spec["environment"]})  # fmt: skip
        os.close(write)
        self.pids.add(self.pid)
        self.agent = agent
        self.reading: int | None = read
        self.killed = self.stopped_at = 0.0
        self.swept = False
        self.waits = bool(spec.get("waits"))
        self.delays: dict[int, float] = {}
        self.agents_delay = _delay(os.getpid())
        self.looked = 0.0
        agent.watch(read, self.read_syslog)

    def _furnish(self, files: list[dict[str, Any]], texts: dict[str, str]) -> None:
        """Make the home: nobody but its owner, and nothing of an earlier run, is in it."""
        import shutil

        shutil.rmtree(self.home, ignore_errors=True)
        for folder in (self.home, f"{self.home}/work", f"{self.home}/tmp"):
            self._own(folder)
        for file in files:
            path = f"{self.home}/work/{file['path']}"
            self.handed_in.add(path)
            inner = os.path.dirname(file["path"])
            for depth in range(1, inner.count("/") + 2 if inner else 0):
                self._own("/".join([self.home, "work", *inner.split("/")[:depth]]))
            self._put(path, binascii.a2b_base64(file["data"]), file["mode"])
        for name, text in texts.items():
            self.handed_in.add(f"{self.home}/{name}")
            self._put(f"{self.home}/{name}", binascii.a2b_base64(text), 0o600)

    def _own(self, folder: str) -> None:
        if not os.path.isdir(folder):
            os.mkdir(folder, 0o700)
            os.chown(folder, self.uid, self.gid)

    def _put(self, path: str, data: bytes, mode: int) -> None:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(fd, "wb") as file:
            file.write(data)
            os.fchown(fd, self.uid, self.gid)
            os.fchmod(fd, mode)

    def _become(self, argv: list[str], out: int, environment: dict[str, str]) -> None:
        try:
            import resource

            os.setsid()
            with open("/proc/self/oom_score_adj", "w") as file:
                file.write("500")
            for number in (signal.SIGINT, signal.SIGPIPE, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            for kind, most in (
                (resource.RLIMIT_NPROC, PROCESSES),
                (resource.RLIMIT_NOFILE, OPEN_FILES),
                (resource.RLIMIT_FSIZE, LARGEST_FILE),
                # Behind every other limit: whom it kills has not been seen to be late.
                (resource.RLIMIT_CPU, int(self.limit * LONGEST_STRETCH) + 1),
                (resource.RLIMIT_CORE, 0),
            ):
                resource.setrlimit(kind, (most, most))
            null = os.open("/dev/null", os.O_RDONLY)
            os.dup2(null, 0)
            os.dup2(out, 1)
            os.dup2(out, 2)
            os.closerange(3, OPEN_FILES)
            os.setgroups([])
            os.setresgid(self.gid, self.gid, self.gid)
            os.setresuid(self.uid, self.uid, self.uid)
            os.chdir(f"{self.home}/work")
            if _ptrace(PTRACE_TRACEME, 0, 0):
                os._exit(125)
            os.kill(os.getpid(), signal.SIGSTOP)
            os.execve(argv[0], argv, environment)
        except OSError as error:
            os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
        finally:
            os._exit(126)

    def read_syslog(self, fd: int) -> None:
        """Keep what the program prints."""
        for _ in range(20):
            if (data := _read_some(fd)) is None:
                return
            if not data:
                self.stop_reading()
                return
            self.output += data[: max(0, MOST_OUTPUT - len(self.output))]

    def stop_reading(self) -> None:
        """Hear no more of what is printed."""
        if self.reading is not None:
            self.agent.unwatch(self.reading)
            self.reading = None

    def stopped(self, pid: int, status: int) -> None:
        """A process of the run's has stopped: see what it executes, and let it go on."""
        event, number = status >> 16, os.WSTOPSIG(status)
        if pid == self.pid and not event and number == signal.SIGSTOP:
            _ptrace(PTRACE_SETOPTIONS, pid, TRACED)
        elif event == EVENT_EXEC:
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    self.search("process list", file.read(200_000).rstrip(b"\0").replace(b"\0", b" "))
            except OSError:
                pass
        elif event == EVENT_EXIT:
            self.delays[pid] = _delay(pid)
        deliver = 0 if event or number in NEVER_DELIVERED else number
        _ptrace(PTRACE_CONT, pid, deliver)

    def search(self, where: str, text: bytes, place: str = "") -> None:
        """Note where ``text`` shows a secret: its line, the secret left out."""
        if len(self.exposed) >= MOST_EXPOSED or not (shown := _without(text, self.secrets)):
            return
        found = {"where": where, "what": place + _text(shown)}
        if found not in self.exposed:
            self.exposed.append(found)

    def look_around(self) -> None:
        """Note what the program printed and left behind."""
        for line in bytes(self.output).splitlines():
            self.search("output", line)
        for path in self._left():
            try:
                info = os.lstat(path)
                # What its owner alone may read is no more public than the program's environment.
                if path in self.handed_in or not info.st_mode & 0o077 or not stat.S_ISREG(info.st_mode):
                    continue
                for line in _read(path)[:LARGEST_SEARCHED].splitlines():
                    self.search("file", line, f"{path.removeprefix(self.home + '/')}: ")
            except OSError:
                continue

    def _left(self) -> list[str]:
        """Files that are the run's: all of its home, and what it made where everybody may."""
        found: list[str] = []
        for root in (self.home, *SHARED):
            for folder, folders, names in os.walk(root):
                if root != self.home:
                    folders[:] = [name for name in folders if self._owns(f"{folder}/{name}")]
                    names = [name for name in names if self._owns(f"{folder}/{name}")]
                found += [f"{folder}/{name}" for name in names]
                if len(found) > MOST_FILES_SEARCHED:
                    return found[:MOST_FILES_SEARCHED]
        return found

    def _owns(self, path: str) -> bool:
        try:
            return os.lstat(path).st_uid == self.uid
        except OSError:
            return False

    def clear_away(self) -> None:
        """Remove what the run left behind."""
        import shutil

        shutil.rmtree(self.home, ignore_errors=True)
        for root in SHARED:
            for name in os.listdir(root) if os.path.isdir(root) else ():
                path = f"{root}/{name}"
                if not self._owns(path):
                    continue
                if os.path.isdir(path) and not os.path.islink(path):
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    _unlink(path)

    def over(self, now: float) -> bool:
        """Whether the run's time is over."""
        age = now - self.began
        if age <= self.limit:
            return False
        # While the agent itself waits, whoever it traces does so too.
        waited = sum(self.delays.values()) + _delay(os.getpid()) - self.agents_delay
        return age - waited > self.limit or age > self.limit * LONGEST_STRETCH

    def look_at_delays(self, now: float) -> None:
        """See how long the run's processes have waited for a processor so far."""
        if now - self.looked >= LOOK_SECONDS:
            self.looked = now
            for pid in self.pids:
                self.delays[pid] = max(_delay(pid), self.delays.get(pid, 0.0))

    def kill(self) -> None:
        """Kill every process of the run's account, at once, so that none can start another meanwhile."""
        self.killed = time.monotonic()
        try:
            pid = os.fork()
        except OSError:
            for pid in self.pids:
                os.kill(pid, signal.SIGKILL)
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

    def facts(self) -> dict[str, Any]:
        """What the grader is told of it."""
        shown = _without(bytes(self.output), self.secrets) or bytes(self.output)
        return {"id": self.id, "code": self.code, "output": _text(shown), "late": self.late,
                "seconds": round(self.ended - self.began, 3), "exposed": self.exposed}  # fmt: skip


def op_programs(
    agent: Agent, files: list[dict[str, Any]], runs: list[dict[str, Any]], together: int, seconds: float
) -> list[dict[str, Any]]:
    """See the module's docstring."""
    if not _can_trace():
        raise Refused(
            "this kernel, or what confines the host, forbids ptrace(2), by which programs are watched"
        )
    end = time.monotonic() + seconds
    pending = list(reversed(runs))
    running: list[Run] = []
    done: list[Run] = []
    owners: dict[int, Run] = {}
    strays: dict[int, int] = {}

    def traced(pid: int, status: int) -> bool:
        run = owners.get(pid)
        if os.WIFSTOPPED(status):
            if run is None:
                # A new process may report itself before its parent tells of it, or the parent was killed before that.
                strays[pid] = status
                if status >> 16 == EVENT_EXIT:
                    _ptrace(PTRACE_CONT, pid, 0)
                return True
            if status >> 16 in (EVENT_FORK, EVENT_VFORK, EVENT_CLONE):
                child = _message(pid)
                owners[child] = run
                run.pids.add(child)
                if child in strays:
                    run.stopped(child, strays.pop(child))
            run.stopped(pid, status)
            return True
        if run is None:
            return strays.pop(pid, None) is not None
        del owners[pid]
        run.pids.discard(pid)
        if pid == run.pid:
            run.code, run.ended = os.waitstatus_to_exitcode(status), time.monotonic()
            run.kill()
        return True

    def busy() -> int:
        return sum(not run.waits for run in running)

    def turn() -> None:
        now = time.monotonic()
        while pending and now < end and (pending[-1].get("waits") or busy() < together):
            try:
                run = Run(agent, pending.pop(), files)
            except (OSError, KeyError) as error:
                raise Refused(f"cannot run the program: {error}") from error
            owners[run.pid] = run
            running.append(run)
        for run in list(running):
            run.look_at_delays(now)
            if run.code is None and not run.late and (run.over(now) or now > end):
                run.late = True
                run.stopped_at = now
            left = run.pids or strays or not run.swept
            if (run.late or run.code is not None) and left and now - run.killed > AGAIN_SECONDS:
                run.kill()
            over = run.code is not None and (now - run.ended > 1.0 or not (left or run.reading))
            if over or (run.late and now - run.stopped_at > 2.0):
                run.ended = run.ended or now
                run.stop_reading()
                run.look_around()
                run.clear_away()
                running.remove(run)
                done.append(run)

    agent.traced = traced
    try:
        while (pending and time.monotonic() < end) or running:
            turn()
            if running:
                agent.turn(0.02)
    finally:
        agent.traced = None
    for line in agent.lines:
        for run in done:
            run.search("log", line.partition(" ")[2].encode("utf-8", "surrogateescape"))
    return [run.facts() for run in done]


def _delay(pid: int) -> float:
    """Seconds that a process was ready and waited for a processor (schedstat); none where that is not known."""
    try:
        with open(f"/proc/{pid}/schedstat", "rb") as file:
            return int(file.read(200).split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass


def _without(text: bytes, secrets: list[bytes]) -> bytes | None:
    """The text with every secret left out, plain or within base64; ``None`` where it holds none."""
    shown = text
    for secret in secrets:
        shown = shown.replace(secret, b"<password>")
    for found in set(_BASE64.findall(shown)):
        whole = found.rstrip(b"=")
        whole = whole[: len(whole) - (len(whole) % 4 == 1)]
        try:
            inner = binascii.a2b_base64(whole + b"=" * (-len(whole) % 4))
        except binascii.Error:
            continue
        if any(secret in inner for secret in secrets):
            shown = shown.replace(found, b"<password in base64>")
    return None if shown == text else shown


_libc: Any = None


def _ptrace(request: int, pid: int, data: int) -> int:
    """ptrace(2). That a process is gone by now is no error."""
    global _libc
    if _libc is None:
        import ctypes

        _libc = ctypes.CDLL(None, use_errno=True)
        _libc.ptrace.restype = ctypes.c_long
        _libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    return int(_libc.ptrace(request, pid, None, data))


def _can_trace() -> bool:
    pid = os.fork()
    if pid == 0:
        os._exit(_ptrace(PTRACE_TRACEME, 0, 0) != 0)
    return os.waitpid(pid, 0)[1] == 0


def _message(pid: int) -> int:
    """The process that the one which stopped has just started."""
    import ctypes

    value = ctypes.c_ulong()
    _libc.ptrace(PTRACE_GETEVENTMSG, pid, None, ctypes.addressof(value))
    return value.value

"""Commands and services on the host, each in a session of its own."""

from __future__ import annotations

import os

from .files import RequestRefused, read_process, read_some, text
from .log import Log
from .loop import Loop
from .signals import SIG_DFL, SIGINT, SIGKILL, SIGPIPE, signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .shapes import Command

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root", "TZ": "UTC"}
LONGEST_OUTPUT = 1_000_000
TIMED_OUT = -256
END_SECONDS = 3.0
CROWD = 100
"""Processes at once, that no mail server of a lab needs: more are told of."""


class Process:
    """A child; its output is kept up to ``LONGEST_OUTPUT`` bytes. Raises ``OSError`` where there can be none."""

    def __init__(self, argv: list[str], out: int, source: int | None = None) -> None:
        self.argv = argv
        self.code: int | None = None
        self.output = bytearray()
        self.pid = os.fork()
        if self.pid == 0:
            _become(argv, out, source)

    def ended(self, code: int) -> None:
        """Note that it is over."""
        self.code = code

    def facts(self, code: int) -> Command:
        """What the grader is told of it."""
        return {"argv": self.argv, "code": code, "output": text(bytes(self.output))}


def _become(argv: list[str], out: int, source: int | None) -> None:
    try:
        os.setsid()
        # Whoever takes too much memory is a better victim for the kernel than the agent.
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("300")
        # Without a source it has the agent's own, which is /dev/null as that was before root could put a pipe there.
        if source is not None:
            os.dup2(source, 0)
        os.dup2(out, 1)
        os.dup2(out, 2)
        for number in (SIGINT, SIGPIPE):
            signal(number, SIG_DFL)
        os.chdir("/")
        os.execvpe(argv[0], argv, ENVIRONMENT)
    except OSError as error:
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(127)


class Processes:
    """Starts children, and knows what became of them."""

    def __init__(self, loop: Loop, log: Log) -> None:
        self._loop = loop
        self._log = log

    def spawn(self, argv: list[str], source: int | None = None) -> Process:
        """Start a command whose output is kept, with ``source`` for its standard input. Raises ``RequestRefused``."""
        process, read = self._start(argv, source)

        def keep(fd: int) -> None:
            # All that is there, so that a command's last words are heard before its end is noticed.
            while (data := read_some(fd)) is not None:
                if not data:
                    self._loop.unwatch(fd)
                    return
                process.output += data[: max(0, LONGEST_OUTPUT - len(process.output))]

        self._loop.watch(read, keep)
        return process

    def service(self, argv: list[str]) -> Process:
        """Start a program that stays; what it prints goes to the log. Raises ``RequestRefused``."""
        process, read = self._start(argv, None)
        self._loop.watch(read, self._log.read_stdout)
        return process

    def _start(self, argv: list[str], source: int | None) -> tuple[Process, int]:
        try:
            read, write = os.pipe()
        except OSError as error:
            raise RequestRefused(f"cannot start {argv[0]}: {error.strerror}") from error
        try:
            process = Process(argv, write, source)
        except OSError as error:
            os.close(read)
            raise RequestRefused(f"cannot start {argv[0]}: {error.strerror}") from error
        finally:
            os.close(write)
        self._loop.ends[process.pid] = process.ended
        return process, read

    def wait(self, process: Process, seconds: float) -> Command:
        """Wait for a command's end; when time is over it is killed, with its session."""
        self._loop.until(lambda: process.code is not None, seconds)
        code = process.code
        if code is None:
            kill_session(process)
            self._loop.until(lambda: process.code is not None, 1.0)
            code = TIMED_OUT
        self._loop.turn(0)
        return process.facts(code)

    def end(self, process: Process) -> None:
        """Kill a service with its whole session, as in a crash, and wait for that."""
        # With AutoRestart, OpenDKIM has a child that does the work; asked to end, it takes some seconds.
        if kill_session(process):
            self._loop.until(lambda: not _session_lives(process), END_SECONDS, naps=0.005)

    def await_(self, process: Process, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until a service is ready, or over."""
        self._loop.until(lambda: process.code is not None or ready(), seconds, naps=0.005)


def crowd() -> str:
    """A line of the log where so many processes run that few can be started beside them; else empty."""
    names: dict[str, int] = {}
    for pid in os.listdir("/proc"):
        try:
            name = text(read_process(int(pid), "comm").rstrip()) if pid.isdigit() else ""
        except OSError:
            continue
        names[name] = names.get(name, 0) + bool(name)
    if sum(names.values()) < CROWD:
        return ""
    most = max(names, key=names.__getitem__)
    return f"smtplab: fatal: {sum(names.values())} processes are running here, {names[most]} of them called {most}"


def kill_session(process: Process) -> bool:
    """Kill a process with its session; whether there was any."""
    try:
        os.killpg(process.pid, SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _session_lives(process: Process) -> bool:
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True

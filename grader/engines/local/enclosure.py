"""A command in mount and pid namespaces of its own: no process and no mount of it outlives whoever started it.

::

    this process ── keeper ── first (pid 1 of the pid namespace) ── the command

The keeper dies with this process, the first with the keeper, and with the first everybody in the pid namespace; with
the last of them goes the mount namespace. So it is whoever is killed when, and by whatever signal.
"""

from __future__ import annotations

import errno
import gc
import os
import select
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from msgspec import Struct

from grader.engines.local import syscalls, userns

PLACE = "/mnt"
"""Where the command finds its folder, whoever may enter the way to that: any folder that every Linux has will do."""

FAILED = 127
"""The exit code where the command could not even be started, as a shell has it."""


class Command(Struct, frozen=True):
    """What to run in an enclosure. ``argv`` and ``environment`` are asked with the place at which ``folder`` is found.

    ``out`` and ``err`` are the descriptors of its standard output and error.
    """

    folder: Path
    argv: Callable[[str], list[str]]
    environment: Callable[[str], dict[str, str]]
    out: int
    err: int


class Enclosure:
    """A command that runs as root of its namespaces.

    For an ordinary user that is a user namespace too, in which this user's own id is 65536. Where root may make no
    namespaces it may mount nothing either, and the command runs without. Make it in a process's main thread: what is
    enclosed ends with that thread. Raises ``EngineError`` where an ordinary user can have no user namespace.
    """

    def __init__(self, command: Command) -> None:
        def work() -> None:
            _keep(command)

        self._keeper = _fork(work) if os.geteuid() == 0 else userns.start(work)
        self._code: int | None = None

    def wait(self) -> int:
        """Wait for the end of everything; the command's exit code, 128 and the signal's number for a killed one."""
        if self._code is None:
            self._code = _exit_code(os.waitpid(self._keeper, 0)[1])
        return self._code

    def end(self) -> None:
        """Kill everything that still runs, and wait until it is gone."""
        if self._code is None:
            with suppress(ProcessLookupError):
                os.kill(self._keeper, signal.SIGTERM)
            self.wait()


def _fork(work: Callable[[], None]) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        syscalls.die_with_parent(signal.SIGKILL)
        if os.getppid() == parent:
            work()
    finally:
        os._exit(FAILED)


def _exit_code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _complain(command: Command, what: str) -> None:
    with suppress(OSError):
        os.write(command.err, f"E: {what}\n".encode())


def _keep(command: Command) -> NoReturn:
    """Be the keeper: make the namespaces, start the first process in them, and wait for its end."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    gc.freeze()
    os.setsid()  # What is typed at the terminal is for whoever started this.
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.chdir(command.folder)
        place = _separate() or str(command.folder)
        alive, kept = os.pipe()
        first = os.fork()
        if first == 0:
            os.close(kept)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
            _be_first(command, place, alive)
        # Whoever waits for this process knows then that the first is gone, and with it everybody.
        signal.signal(signal.SIGTERM, lambda *_: os.kill(first, signal.SIGKILL))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        os._exit(_exit_code(os.waitpid(first, 0)[1]))
    except OSError as error:
        _complain(command, error.strerror or str(error))
    finally:
        os._exit(FAILED)


def _separate() -> str:
    """Make the namespaces, and bring the working directory to its place; empty where root may not make any."""
    try:
        syscalls.unshare(syscalls.CLONE_NEWNS | syscalls.CLONE_NEWPID)
    except OSError as error:
        if error.errno != errno.EPERM or os.geteuid() != 0:
            raise
        return ""
    syscalls.mount("none", "/", flags=syscalls.MS_REC | syscalls.MS_PRIVATE)
    syscalls.mount(".", PLACE, flags=syscalls.MS_BIND)
    return PLACE


def _be_first(command: Command, place: str, alive: int) -> NoReturn:
    """Be the first process of the pid namespace: start the command, and bury everybody until it has ended."""
    try:
        if os.geteuid() != 0:
            userns.become_root()
        syscalls.die_with_parent(signal.SIGKILL)
        if select.select([alive], [], [], 0)[0]:
            os._exit(FAILED)  # The keeper died before that.
        if os.getpid() == 1:
            syscalls.mount_proc()
        child = os.fork()
        if child == 0:
            _become(command, place)
        while True:
            pid, status = os.wait()
            if pid == child:
                os._exit(_exit_code(status))
    except OSError as error:
        _complain(command, error.strerror or str(error))
    finally:
        os._exit(FAILED)


def _become(command: Command, place: str) -> NoReturn:
    argv = command.argv(place)
    try:
        null = os.open(os.devnull, os.O_RDONLY)
        # Copies first, so that none of the three is overwritten before it is used.
        for standard, given in enumerate([os.dup(number) for number in (null, command.out, command.err)]):
            os.dup2(given, standard)
        os.chdir("/")
        os.execvpe(argv[0], argv, command.environment(place))
    except OSError as error:
        _complain(command, f"{argv[0]}: {error.strerror}")
    finally:
        os._exit(FAILED)

"""ptrace(2), as far as it is needed to see what processes execute and hide; and how long they wait for a processor."""

from __future__ import annotations

import os
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PTRACE_TRACEME, PTRACE_CONT, PTRACE_SETOPTIONS, PTRACE_GETEVENTMSG = 0, 7, 0x4200, 0x4201
TRACE_FORK, TRACE_VFORK, TRACE_CLONE, TRACE_EXEC, TRACE_EXIT, TRACE_SECCOMP = 0x2, 0x4, 0x8, 0x10, 0x40, 0x80
KILL_WITH_TRACER = 0x100000
OPTIONS = KILL_WITH_TRACER | TRACE_FORK | TRACE_VFORK | TRACE_CLONE | TRACE_EXEC | TRACE_EXIT | TRACE_SECCOMP
EVENT_FORK, EVENT_VFORK, EVENT_CLONE, EVENT_EXEC, EVENT_EXIT, EVENT_SECCOMP = 1, 2, 3, 4, 6, 7
CHILD_EVENTS = (EVENT_FORK, EVENT_VFORK, EVENT_CLONE)
NEVER_DELIVERED = (signal.SIGTRAP, signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)

PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
LOAD_WORD, RETURN, IF_EQUAL = 0x20, 0x06, 0x15
NUMBER_AT, ARCHITECTURE_AT = 0, 4
"""In the data that a filter sees of a system call."""
ALLOW, TRACE = 0x7FFF0000, 0x7FF00000
HIDING = {
    # chmod, fchmod, fchmodat, fchmodat2; unlink, unlinkat; rename, renameat, renameat2
    "x86_64": (0xC000003E, (90, 91, 268, 452, 87, 263, 82, 264, 316)),
    "aarch64": (0xC00000B7, (52, 53, 452, 35, 38, 276)),
}
"""By machine, its number and those of the system calls behind which a file is no longer seen as it was."""

_libc: Any = None


def _ptrace(request: int, pid: int, data: int) -> int:
    """ptrace(2). That a process is gone by now is no error."""
    _load()
    return int(_libc.ptrace(request, pid, None, data))


def _load() -> None:
    """Have the library at hand, before processes are forked that would each load their own."""
    global _libc
    if _libc is None:
        import ctypes

        _libc = ctypes.CDLL(None, use_errno=True)
        _libc.ptrace.restype = ctypes.c_long
        _libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def be_traced() -> bool:
    """Let the parent trace this process; whether it may."""
    return _ptrace(PTRACE_TRACEME, 0, 0) == 0


def stop_before_hiding() -> None:
    """Have this process, and all its children, stop before they take a file, or its permissions, out of sight.

    Needs that it may get no new privileges, which the engines see to. Where the kernel has no such thing, files are
    seen whenever they are looked for, as everywhere.
    """
    import ctypes
    import struct

    architecture, numbers = HIDING.get(os.uname().machine, (0, ()))
    jumps = [(IF_EQUAL, len(numbers) - i, 0, number) for i, number in enumerate(numbers)]
    program = [
        (LOAD_WORD, 0, 0, ARCHITECTURE_AT),
        (IF_EQUAL, 0, len(numbers) + 1, architecture),
        (LOAD_WORD, 0, 0, NUMBER_AT),
        *jumps,
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, TRACE),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
    filter_of = ctypes.create_string_buffer(struct.pack("HP", len(program), ctypes.addressof(code)))
    _libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.c_void_p(ctypes.addressof(filter_of)), 0, 0)


def possible() -> bool:
    """Whether processes can be traced here."""
    _load()
    pid = os.fork()
    if pid == 0:
        os._exit(not be_traced())
    return os.waitpid(pid, 0)[1] == 0


def follow(pid: int) -> None:
    """Trace a process that has stopped for it, and all its children."""
    _ptrace(PTRACE_SETOPTIONS, pid, OPTIONS)


def go_on(pid: int, status: int) -> None:
    """Let a process go on that has stopped with this status, and give it the signal that stopped it."""
    event, number = status >> 16, os.WSTOPSIG(status)
    _ptrace(PTRACE_CONT, pid, 0 if event or number in NEVER_DELIVERED else number)


def child_of(pid: int) -> int:
    """The process that the one which stopped has just started."""
    import ctypes

    value = ctypes.c_ulong()
    _libc.ptrace(PTRACE_GETEVENTMSG, pid, None, ctypes.addressof(value))
    return value.value


def times(pid: int) -> tuple[float, float]:
    """Seconds that a process ran, and was ready and waited for a processor (schedstat); 0 where that is not known."""
    try:
        with open(f"/proc/{pid}/schedstat", "rb") as file:
            ran, waited, *_ = map(int, file.read(200).split())
            return ran / 1e9, waited / 1e9
    except (OSError, ValueError):
        return 0.0, 0.0

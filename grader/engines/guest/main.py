"""Reads requests from standard input and answers on standard output, one JSON object a line."""

from __future__ import annotations

import os
import select

from .files import Broken, RequestRefused
from .jsontext import decoded, encoded
from .operations import OPERATIONS, Host
from .signals import SIG_IGN, SIGINT, signal

SKELETON = "/usr/share/smtplab/skeleton.tar"
"""What the trees of ``WRITABLE`` hold to begin with."""


def main() -> None:
    """Answer requests until standard input ends."""
    _become_unreadable()
    os.umask(0o022)
    signal(SIGINT, SIG_IGN)
    requests, answers = os.dup(0), os.dup(1)
    null = os.open("/dev/null", os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    host = Host()
    host.loop.watch_children()
    pending = bytearray()
    ended = False

    def take(fd: int) -> None:
        nonlocal ended
        data = os.read(fd, 1 << 20)
        ended = not data
        pending.extend(data)

    host.loop.watch(requests, take)
    try:
        _unpack()
        trouble = None
    except Broken as error:
        trouble = _broken(error)
    while not ended:
        host.loop.turn(None)
        while (end := pending.find(b"\n")) >= 0:
            line = bytes(pending[:end])
            del pending[: end + 1]
            _send(answers, trouble or _answer(host, line))


def _become_unreadable() -> None:
    """Keep others with this user id, capabilities and all, out of ``/proc/1/fd``, ``/proc/1/mem`` and ptrace.

    A change of the effective user makes a process undumpable (prctl(2), PR_SET_DUMPABLE), which only
    CAP_SYS_PTRACE overrides: nobody on this host has that. So answers can be written here alone.
    """
    os.seteuid(65534)
    os.seteuid(0)


def _unpack() -> None:
    if os.path.exists(SKELETON):
        pid = os.fork()
        if pid == 0:
            os.execv("/usr/bin/tar", ["tar", "-xpf", SKELETON, "--numeric-owner", "-C", "/"])
        if os.waitpid(pid, 0)[1]:
            raise Broken("cannot unpack the host's files: is there room on its file systems?")


def _answer(host: Host, line: bytes) -> dict[str, object]:
    try:
        request = decoded(line.decode())
        operation = OPERATIONS.get(request.pop("op"))
        if operation is None:
            raise RequestRefused("there is no such request")
        return {"ok": True, "value": operation(host, **request)}
    except Broken as error:
        return _broken(error)
    except RequestRefused as error:
        return {"ok": False, "error": str(error)}
    except Exception as error:
        return {"ok": False, "error": f"{type(error).__name__}: {error}"}


def _broken(error: Broken) -> dict[str, object]:
    return {"ok": False, "error": str(error), "broken": True}


def _send(answers: int, answer: dict[str, object]) -> None:
    # What is no text at all, from a file's name or a program's mouth, must not make the answer unreadable.
    data = encoded(answer).encode("utf-8", "replace") + b"\n"
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(answers, view) :]
        except BlockingIOError:
            select.select([], [answers], [])

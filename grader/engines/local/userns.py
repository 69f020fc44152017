"""User namespaces: root in the image is a user of the machine who owns nothing else.

The image's ids 0 to 65535 are led to a range of the machine's: for an ordinary user the one that /etc/subuid and
/etc/subgid give (newuidmap(1) writes it), for root one that no distribution hands out.
"""

from __future__ import annotations

import os
import pwd
import signal
from collections.abc import Callable
from functools import cache
from pathlib import Path

from msgspec import Struct

from grader.engines.local import syscalls
from grader.model.errors import EngineError

SIZE = 65536
# https://systemd.io/UIDS-GIDS calls 1879048192 to 2147352575 unused.
ROOTS_RANGE = 1879048192


class Range(Struct, frozen=True):
    """``count`` ids of the machine from ``uid`` and ``gid`` on, which the image's 0, 1, 2 … are led to."""

    uid: int
    gid: int
    count: int = SIZE


@cache
def ids() -> Range:
    """The ids that this user's images may have. Raises ``EngineError`` where there are none."""
    if os.geteuid() == 0:
        start, count = _roots()
        return Range(start, start, count)
    uid, gid = _granted("/etc/subuid"), _granted("/etc/subgid")
    if uid is None or gid is None:
        raise EngineError(
            f"no {SIZE} ids are set aside for you in /etc/subuid and /etc/subgid: {grant_command()}"
        )
    return Range(uid, gid)


def grant_command() -> str:
    """The command that sets ids aside for this user."""
    return f"sudo usermod --add-subuids 165536-231071 --add-subgids 165536-231071 {_user()}"


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _granted(path: str) -> int | None:
    """The start of this user's first range of ``SIZE`` ids, subuid(5)."""
    try:
        lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    for line in lines:
        name, _, rest = line.partition(":")
        start, _, count = rest.partition(":")
        if name in (_user(), str(os.getuid())) and start.isdigit() and count.isdigit() and int(count) >= SIZE:
            return int(start)
    return None


def _roots() -> tuple[int, int]:
    lines = Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines()
    extents = [[int(number) for number in line.split()] for line in lines]
    if any(start <= ROOTS_RANGE and start + count >= ROOTS_RANGE + SIZE for start, _, count in extents):
        return ROOTS_RANGE, SIZE
    # Root inside somebody else's container has few ids: all but its own root's.
    start, _, count = max(extents, key=lambda extent: extent[2])
    return (start, min(count, SIZE)) if start else (1, min(count - 1, SIZE))


def write_maps(pid: int, *, own: bool = False) -> None:
    """Lead the ids of the user namespace of process ``pid`` to the machine's; ``own`` adds this user's as 65536.

    Raises ``EngineError`` where newuidmap refuses.
    """
    given = ids()
    for kind, start, self in (("uid", given.uid, os.getuid()), ("gid", given.gid, os.getgid())):
        extents = [(0, start, given.count), *([(SIZE, self, 1)] if own else [])]
        if os.geteuid() == 0:
            text = "".join(f"{inside} {outside} {count}\n" for inside, outside, count in extents)
            Path(f"/proc/{pid}/{kind}_map").write_text(text, encoding="ascii")
            continue
        numbers = [str(number) for extent in extents for number in extent]
        tool = f"new{kind}map"
        try:
            child = os.posix_spawnp(tool, [tool, str(pid), *numbers], os.environ)
        except OSError as error:
            raise EngineError(f"{tool} is missing: sudo apt-get install -y uidmap") from error
        if os.waitpid(child, 0)[1]:
            raise EngineError(
                f"{tool} did not set up a user namespace: check /etc/sub{kind}, or {grant_command()}"
            )


def become_root() -> None:
    """In a mapped user namespace: from the user who made it to its root."""
    os.setgroups([])
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)


def start(work: Callable[[], None]) -> int:
    """Run ``work`` in a child that has all rights in a new user namespace with this user's ids; the child's pid.

    Its exit code is 0 where ``work`` returns. Raises ``EngineError`` where the ids are not to be had.
    """
    ready, go = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            syscalls.die_with_parent(signal.SIGKILL)
            os.close(go[1])
            syscalls.unshare(syscalls.CLONE_NEWUSER)
            os.write(ready[1], b"!")
            if os.read(go[0], 1):
                os.close(ready[1])
                os.close(go[0])
                work()
                code = 0
        except OSError as error:
            os.write(2, f"{error}\n".encode())
        finally:
            os._exit(code)
    os.close(ready[1])
    os.close(go[0])
    try:
        if os.read(ready[0], 1):
            write_maps(pid, own=True)
            os.write(go[1], b"!")
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise
    finally:
        os.close(ready[0])
        os.close(go[1])
    return pid


def run(work: Callable[[], None]) -> int:
    """As ``start``, and wait for its end; the exit code."""
    return os.waitstatus_to_exitcode(os.waitpid(start(work), 0)[1])


def trial() -> str:
    """What fails when a run's namespaces are made and a /proc is mounted in them; empty when nothing does."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            syscalls.unshare(syscalls.CLONE_NEWUSER)
            syscalls.unshare(syscalls.SEPARATE)
            inner = os.fork()
            if inner == 0:
                syscalls.mount("none", "/", flags=syscalls.MS_REC | syscalls.MS_PRIVATE)
                syscalls.mount(
                    "proc", "/proc", "proc", syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC
                )
                os._exit(0)
            os.waitpid(inner, 0)
        except OSError as error:
            os.write(write, str(error.strerror or error).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as said:
        failed = said.read().decode()
    os.waitpid(pid, 0)
    return failed

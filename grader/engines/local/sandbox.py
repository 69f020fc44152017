"""The processes of a run, and the namespaces around them.

::

    grader ── supervisor ─┬─ world   (pid 1 of the run's pid namespace; in the run's first network namespace)
                          └─ runc ── agent   (the student's host; in the second network namespace)

The supervisor makes user, mount, network, pid, ipc and uts namespaces, so that everything of a run lives in them and
nowhere else. It dies with the grader, the world with the supervisor, and with the world, as pid 1, everybody in the
pid namespace: a grader killed by ``kill -9`` leaves nothing behind but empty control groups.

- The **supervisor** and the **world** stay the user who called, who is nobody in the user namespace.
- The **world** gives up every capability but CAP_NET_BIND_SERVICE, sees every file system read-only and without
  devices, and has no way to the machine's sockets, since ``/run`` is empty and its network is the run's.
- **runc** is root of the user namespace, whose ids own nothing on this machine but the image.
"""

from __future__ import annotations

import errno
import functools
import gc
import importlib
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from grader.engines.local import syscalls
from grader.engines.local.orders import Ends, StartOrder, received, received_for_run
from grader.model.plan import MachinePlan

if TYPE_CHECKING:
    from grader.engines.local.network import Wire

NEEDED = (
    "grader.engines.local.host",
    "grader.engines.local.watchdog",
    "grader.world.dns.asking",
    "grader.world.dns.unusual",
    "grader.formats.dns.anytype",
    "grader.world.service",
    "grader.world.submission_server.servers",
    "asyncio.sslproto",
    "encodings.idna",
    "hmac",
    "traceback",
)
"""What the processes of a run import when they need it."""


INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that a supervisor is born without hearing."""


def supervise(rootfs: Path, ends: Ends) -> NoReturn:
    """Be the supervisor, in a child of the grader: never returns. ``rootfs`` is the image's root file system.

    Writes to ``ends.status``: ``u`` when its user namespace waits for ids, ``r`` when both machines run, or ``e`` and a
    sentence. Reads from ``ends.orders``: a byte when the ids are there, then the order of the run. Ends when
    ``ends.orders`` does, when the world dies, or when the plan's wall time is over.
    """
    code = 1
    try:
        _detach(ends.all)
        # A folder that one is in can be used, even where the way to it is closed from now on.
        os.chdir(rootfs)
        if _closed_to_root():
            load_all_programs()
        syscalls.unshare(syscalls.CLONE_NEWUSER)
        os.write(ends.status, b"u")
        if os.read(ends.orders, 1):
            syscalls.unshare(syscalls.SEPARATE)
            syscalls.mount("none", "/", flags=syscalls.MS_REC | syscalls.MS_PRIVATE)
            world = _fork(lambda: _world(ends), ends)
            # Now, while the grader is still busy with the order.
            importlib.import_module("grader.engines.local.host")
            if told := received(ends.orders):
                _run(*told, world, ends)
            os.kill(world, signal.SIGKILL)
            _reap()
            code = 0
    except OSError as error:
        _complain(ends, str(error.strerror or error))
    finally:
        os._exit(code)


@functools.cache
def load_programs() -> None:
    """Have the programs of a run's processes in memory, so that those forked from here on find them there."""
    from grader.labs.certificates import authority
    from grader.world import service

    for name in ("grader.engines.local.host", "grader.engines.local.watchdog"):
        importlib.import_module(name)
    service.prepare(authority().certificate)


def _closed_to_root() -> bool:
    """Whether root reads this program by a right alone that it loses with its user namespace, as in a user's home."""
    if os.geteuid() != 0:
        return False
    for place in {Path(__file__), Path(sys.prefix, "lib"), Path(sys.base_prefix, "lib")}:
        for folder in place.resolve().parents:
            info = folder.stat()
            if info.st_uid != 0 and info.st_mode & 0o005 != 0o005:
                return True
    return False


def load_all_programs() -> None:
    """Have all in memory that these might need at any time."""
    load_programs()
    for name in NEEDED:
        importlib.import_module(name)


def _run(order: StartOrder, doors: list[int], world: int, ends: Ends) -> None:
    """Start the student's host beside the world, and wait for the end."""
    from grader.engines.local import host, network

    wire = network.Wire()
    runc = _fork(lambda: host.become_runc(order, ends, doors, wire), ends)
    # The plan of a run for which the machines wait comes when it may, and runc does not wait for it.
    plan = received_for_run(ends.orders) if order.waits else order.plan
    if plan is None:
        return
    laid = _laid(wire, plan, ends)
    wire.close()
    if os.waitpid(runc, 0)[1] == 0 and laid:
        wall = time.monotonic() + plan.limits.wall
        if not doors:
            # Not before: runc begins as a copy of the grader, and takes as much memory.
            _fork(lambda: _watchdog(plan, ends), ends)
        os.write(ends.status, b"r")
        _close(
            ends.world_requests,
            ends.world_answers,
            ends.host_requests,
            ends.host_answers,
            ends.status,
            *doors,
        )
        _watch(ends.orders, world, wall)


def _laid(wire: Wire, plan: MachinePlan, ends: Ends) -> bool:
    try:
        wire.lay(plan)
    except OSError as error:
        _complain(ends, str(error.strerror or error))
        return False
    except ValueError as error:
        _complain(ends, str(error))
        return False
    return True


def _reap() -> None:
    """Wait for every child: the pid namespace cannot end while one of them, which is in it, is a zombie."""
    with suppress(ChildProcessError):
        while True:
            os.wait()


def _watchdog(plan: MachinePlan, ends: Ends) -> None:
    from grader.engines.local import watchdog

    syscalls.die_with_parent(signal.SIGKILL)
    _close(*ends.all)
    syscalls.unshare(syscalls.CLONE_NEWNS)
    syscalls.mount_proc()
    watchdog.watch(plan.limits.memory)


def _watch(orders: int, world: int, wall: float) -> None:
    """Wait for the grader's word, the world's death or the end of time."""
    pidfd = os.pidfd_open(world)
    select.select([orders, pidfd], [], [], max(0.0, wall - time.monotonic()))


def _detach(kept: Iterable[int]) -> None:
    """From a fork of the grader to a process with nothing of the grader's but these descriptors."""
    # Garbage of the grader's must never be collected here: it would close descriptors by numbers that are others' now.
    gc.freeze()
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in (*INTERRUPTS, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, INTERRUPTS)
    null = os.open("/dev/null", os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    low = 3
    for fd in sorted(kept):
        os.closerange(low, fd)
        low = fd + 1
    os.closerange(low, os.sysconf("SC_OPEN_MAX"))
    _die_with_parent()


def _die_with_parent() -> None:
    syscalls.die_with_parent(signal.SIGKILL)
    if os.getppid() == 1 and os.getpid() != 1:
        os._exit(1)


def _fork(work: Callable[[], None], ends: Ends) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        work()
    except OSError as error:
        _complain(ends, str(error.strerror or error))
    except BaseException:
        os.write(ends.complaints, traceback.format_exc().encode())
    finally:
        os._exit(1)


def _complain(ends: Ends, sentence: str) -> None:
    try:
        os.write(ends.status, b"e" + sentence.encode())
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.EBADF):
            raise


def _close(*fds: int) -> None:
    for fd in fds:
        os.close(fd)


def _world(ends: Ends) -> None:
    """Be the world: give up what it does not need, and serve."""
    syscalls.die_with_parent(signal.SIGKILL)
    os.dup2(ends.complaints, 2)
    _close(ends.host_requests, ends.host_answers, ends.status, ends.orders)
    # A mount namespace of its own: runc's is a copy of the supervisor's, and needs devices.
    syscalls.unshare(syscalls.CLONE_NEWNS)
    syscalls.mount_proc()
    syscalls.mount("tmpfs", "/run", "tmpfs", options="uid=0,gid=0,mode=755,size=4096")
    try:
        syscalls.seal_mounts()
    except OSError as error:
        if error.errno != errno.ENOSYS:
            raise
    syscalls.keep_capabilities(syscalls.CAP_NET_BIND_SERVICE)
    syscalls.no_new_privileges()

    from grader.world import service

    with open(ends.world_requests, "rb", 0) as requests, open(ends.world_answers, "wb", 0) as answers:
        service.serve(requests, answers)
    os._exit(0)

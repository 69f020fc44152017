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
import gc
import math
import os
import secrets
import select
import signal
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from grader.engines.agent import WRITABLE
from grader.engines.local import network, oci, syscalls, userns, watchdog
from grader.engines.local.cgroups import Groups
from grader.engines.machine import etc_files
from grader.model.plan import Plan

STAGE = "/mnt"
"""Where the bundle is laid out, in a mount namespace of runc's own: any folder that every Linux has will do."""

SEPARATE = (
    syscalls.CLONE_NEWNS
    | syscalls.CLONE_NEWNET
    | syscalls.CLONE_NEWPID
    | syscalls.CLONE_NEWIPC
    | syscalls.CLONE_NEWUTS
)


@dataclass(frozen=True)
class Ends:
    """The descriptors that the run's processes have of the pipes to the grader."""

    world_requests: int
    world_answers: int
    host_requests: int
    host_answers: int
    complaints: int
    status: int
    orders: int

    @property
    def all(self) -> list[int]:
        """Every one of them."""
        return [getattr(self, name) for name in self.__dataclass_fields__]


def supervise(plan: Plan, rootfs: Path, agent: Path, ends: Ends, groups: Groups) -> NoReturn:
    """Be the supervisor, in a child of the grader: never returns.

    Writes to ``ends.status``: ``u`` when its user namespace waits for ids (then reads a byte of ``ends.orders``), ``r``
    when both machines run, or ``e`` and a sentence. Ends when ``ends.orders`` says so or ends, when the world dies, or
    when ``plan.limits.wall`` is over.
    """
    code = 1
    try:
        _detach([*ends.all, *groups.doors])
        wall = time.monotonic() + plan.limits.wall
        syscalls.unshare(syscalls.CLONE_NEWUSER)
        os.write(ends.status, b"u")
        if os.read(ends.orders, 1):
            syscalls.unshare(SEPARATE)
            syscalls.mount("none", "/", flags=syscalls.MS_REC | syscalls.MS_PRIVATE)
            world = _fork(lambda: _world(ends, groups.doors), ends)
            runc = _fork(lambda: _runc(plan, rootfs, agent, ends, groups), ends)
            if not groups.made:
                _fork(lambda: _watchdog(plan, ends), ends)
            if os.waitpid(runc, 0)[1] == 0:
                os.write(ends.status, b"r")
                _close(
                    ends.world_requests,
                    ends.world_answers,
                    ends.host_requests,
                    ends.host_answers,
                    ends.status,
                )
                _watch(ends.orders, world, wall)
            os.kill(world, signal.SIGKILL)
            _reap()
            code = 0
    except OSError as error:
        _complain(ends, str(error.strerror or error))
    finally:
        os._exit(code)


def _reap() -> None:
    """Wait for every child: the pid namespace cannot end while one of them, which is in it, is a zombie."""
    with suppress(ChildProcessError):
        while True:
            os.wait()


def _watchdog(plan: Plan, ends: Ends) -> None:
    syscalls.die_with_parent(signal.SIGKILL)
    _close(*ends.all)
    syscalls.unshare(syscalls.CLONE_NEWNS)
    _mount_proc()
    watchdog.watch(plan.limits.memory)


def _mount_proc() -> None:
    flags = syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC
    syscalls.mount("proc", "/proc", "proc", flags)


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
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
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


def _world(ends: Ends, doors: list[int]) -> None:
    """Be the world: give up what it does not need, and serve."""
    syscalls.die_with_parent(signal.SIGKILL)
    os.dup2(ends.complaints, 2)
    _close(ends.host_requests, ends.host_answers, ends.status, ends.orders, *doors)
    # A mount namespace of its own: runc's is a copy of the supervisor's, and needs devices.
    syscalls.unshare(syscalls.CLONE_NEWNS)
    _mount_proc()
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


def _runc(plan: Plan, rootfs: Path, agent: Path, ends: Ends, groups: Groups) -> None:
    """Lay out the bundle, join the networks, and become runc, which ends when the agent runs."""
    syscalls.unshare(syscalls.CLONE_NEWNS)
    # The last things that need the caller's own eyes: the paths may lie in a folder closed to others.
    sources = {"rootfs": os.open(rootfs, os.O_PATH), "agent.py": os.open(agent, os.O_PATH)}
    config = oci.config(plan, folder=STAGE, metered=groups.made)
    userns.become_root()
    os.environ["PATH"] = network.PATH
    syscalls.die_with_parent(signal.SIGKILL)
    syscalls.mount("tmpfs", STAGE, "tmpfs", syscalls.MS_NODEV, "mode=755,size=1m")
    for name, source in sources.items():
        target = f"{STAGE}/{name}"
        if name == "rootfs":
            os.mkdir(target)
        else:
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY))
        syscalls.mount(f"/proc/self/fd/{source}", target, flags=syscalls.MS_BIND)
    _mount_proc()
    _lay_out(plan, config)
    network.build(plan)
    groups.enter()
    if not groups.made:
        _share_processors(plan.limits.cpus)
    os.dup2(ends.host_requests, 0)
    os.dup2(ends.host_answers, 1)
    os.dup2(ends.complaints, 2)
    os.execvpe("runc", [
        "runc", "--root", f"{STAGE}/state", "--log", "/dev/stderr", "run", "--detach", "--no-new-keyring",
        "--bundle", STAGE, "host",
    ], {"PATH": network.PATH})  # fmt: skip


def _share_processors(count: float) -> None:
    """Keep to so many processors, rounded up; the seccomp profile does not let the host change that."""
    allowed = sorted(os.sched_getaffinity(0))
    first = secrets.randbelow(len(allowed))
    os.sched_setaffinity(0, [*allowed[first:], *allowed[:first]][: math.ceil(count)])


def _lay_out(plan: Plan, config: bytes) -> None:
    disk = f"{STAGE}/disk"
    os.mkdir(disk)
    syscalls.mount(
        "tmpfs", disk, "tmpfs", syscalls.MS_NODEV, f"mode=755,size={plan.limits.disk},nr_inodes=20000"
    )
    for tree in WRITABLE:
        os.makedirs(disk + tree)
    os.mkdir(f"{STAGE}/etc")
    for name, text in etc_files(plan).items():
        _write(f"{STAGE}/etc/{name}", text.encode())
    _write(f"{STAGE}/config.json", config)


def _write(path: str, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)

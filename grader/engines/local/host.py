"""The student's host: its bundle laid out, its network joined, and runc, which starts the agent in it."""

from __future__ import annotations

import math
import os
import signal
from typing import TYPE_CHECKING

from grader.engines.guest.files import WRITABLE
from grader.engines.local import cgroups, network, oci, syscalls, userns
from grader.engines.machine import etc_files

if TYPE_CHECKING:
    from grader.engines.local.orders import Ends, StartOrder
    from grader.model.plan import MachinePlan

STAGE = "/mnt"
"""Where the bundle is laid out, in a mount namespace of runc's own: any folder that every Linux has will do."""


def become_runc(order: StartOrder, ends: Ends, doors: list[int], wire: network.Wire) -> None:
    """Lay out the bundle, and become runc, which ends when the agent runs. Raises ``OSError``.

    The working directory is the image's root file system. Nothing on the host looks at its network before the run.
    """
    plan = order.plan
    syscalls.unshare(syscalls.CLONE_NEWNS)
    rootfs = os.open(".", os.O_PATH)
    config = oci.config(plan, folder=STAGE, seccomp=order.seccomp, metered=bool(doors))
    userns.become_root()
    os.environ["PATH"] = network.PATH
    syscalls.die_with_parent(signal.SIGKILL)
    syscalls.mount("tmpfs", STAGE, "tmpfs", syscalls.MS_NODEV, "mode=755,size=1m")
    os.mkdir(f"{STAGE}/rootfs")
    syscalls.mount(f"/proc/self/fd/{rootfs}", f"{STAGE}/rootfs", flags=syscalls.MS_BIND)
    os.makedirs(f"{STAGE}/library/guest")
    for name, data in order.guest.items():
        _write(f"{STAGE}/library/guest/{name}", data)
    syscalls.mount_proc()
    _lay_out(plan, config)
    wire.enter_host()
    cgroups.enter(doors)
    if not doors:
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
    first = os.urandom(1)[0] % len(allowed)
    os.sched_setaffinity(0, [*allowed[first:], *allowed[:first]][: math.ceil(count)])


def _lay_out(plan: MachinePlan, config: bytes) -> None:
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

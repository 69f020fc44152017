"""The wire between the two machines: one veth pair, whose ends have the same name on either side."""

from __future__ import annotations

import os

from grader.engines.local import syscalls
from grader.engines.machine import INTERFACE, link_end
from grader.model.plan import MachinePlan

WORLD = 3
"""The descriptor by which ip knows the world's network namespace: of another process's it may not be told."""


def build(plan: MachinePlan) -> None:
    """Join this network namespace, the world's, to a new one for the host, and end in that.

    Both ends are up when it returns: a connection before that would cost a second of ARP retries.
    """
    world = os.open("/proc/self/ns/net", os.O_RDONLY)
    syscalls.unshare(syscalls.CLONE_NEWNET)
    host = os.open("/proc/self/ns/net", os.O_RDONLY)
    try:
        _ip(
            [
                f"link add {INTERFACE} type veth peer name {INTERFACE} netns /proc/self/fd/{WORLD}",
                *link_end(plan.host.addresses, plan.host.routes),
            ],
            world,
        )
        syscalls.setns(world, syscalls.CLONE_NEWNET)
        _ip(link_end(plan.world.addresses, plan.world.routes), world)
        syscalls.setns(host, syscalls.CLONE_NEWNET)
    finally:
        os.close(world)
        os.close(host)


def _ip(lines: list[str], world: int) -> None:
    """Run the commands of ip-batch(8) in one process. Raises ``OSError`` with what it complained of."""
    orders = os.memfd_create("ip")
    complaints = os.memfd_create("complaints")
    try:
        os.write(orders, ("\n".join(lines) + "\n").encode())
        os.lseek(orders, 0, os.SEEK_SET)
        actions = [
            (os.POSIX_SPAWN_DUP2, orders, 0),
            (os.POSIX_SPAWN_DUP2, complaints, 2),
            (os.POSIX_SPAWN_DUP2, world, WORLD),
        ]
        pid = os.posix_spawnp("ip", ["ip", "-batch", "-"], {"PATH": PATH}, file_actions=actions)
        if os.waitpid(pid, 0)[1]:
            text = os.pread(complaints, 2000, 0).decode(errors="replace")
            raise OSError(f"ip could not set up the network: {' '.join(text.split())}")
    finally:
        os.close(orders)
        os.close(complaints)


PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

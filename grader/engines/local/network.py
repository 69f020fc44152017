"""The wire between the two machines: one veth pair, whose ends have the same name on either side."""

from __future__ import annotations

import os

from grader.engines.local import syscalls
from grader.engines.machine import INTERFACE, link_end
from grader.model.plan import MachinePlan

WORLD = 3
"""The descriptor by which ip knows the world's network namespace: of another process's it may not be told."""


class Wire:
    """The two network namespaces that it joins: this process's own, the world's, and a new one for the host.

    Its descriptors go along to children, and to no program that they become. Raises ``OSError``.
    """

    def __init__(self) -> None:
        self.world = os.open("/proc/self/ns/net", os.O_RDONLY)
        syscalls.unshare(syscalls.CLONE_NEWNET)
        self.host = os.open("/proc/self/ns/net", os.O_RDONLY)
        syscalls.setns(self.world, syscalls.CLONE_NEWNET)

    def close(self) -> None:
        """Let go of the namespaces: they last as long as a process is in them."""
        os.close(self.world)
        os.close(self.host)


def build(wire: Wire, plan: MachinePlan, *, addressed: bool) -> None:
    """Lay the wire, and end in the host's namespace; ``addressed`` says that its ends get the plan's addresses now.

    Both ends are up when it returns: a connection before that would cost a second of ARP retries.
    """
    syscalls.setns(wire.host, syscalls.CLONE_NEWNET)
    link = f"link add {INTERFACE} type veth peer name {INTERFACE} netns /proc/self/fd/{WORLD}"
    host, world = _ends(plan) if addressed else (link_end([], []), link_end([], []))
    _ip([link, *host], wire.world)
    syscalls.setns(wire.world, syscalls.CLONE_NEWNET)
    _ip(world, wire.world)
    syscalls.setns(wire.host, syscalls.CLONE_NEWNET)


def give_addresses(wire: Wire, plan: MachinePlan) -> None:
    """Give the ends of a wire that lies there without any their addresses and routes."""
    host, world = _ends(plan)
    syscalls.setns(wire.host, syscalls.CLONE_NEWNET)
    _ip(host, wire.world)
    syscalls.setns(wire.world, syscalls.CLONE_NEWNET)
    _ip(world, wire.world)


def _ends(plan: MachinePlan) -> tuple[list[str], list[str]]:
    """What each end is to be, the host's and the world's."""
    host, world = plan.host, plan.world
    return link_end(host.addresses, host.routes), link_end(world.addresses, world.routes)


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

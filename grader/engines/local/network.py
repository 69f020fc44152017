"""The wire between the two machines: one veth pair, whose ends have the same name on either side."""

from __future__ import annotations

import os
from contextlib import suppress

from grader.engines.local import syscalls
from grader.engines.machine import INTERFACE, link_end
from grader.model.plan import MachinePlan

WORLD = 3
"""The descriptor by which ip knows the world's network namespace: of another process's it may not be told."""

CONNECTIONS = 1024
"""Places in the host's own table of connections: who asks what listens waits for a look through all of it, and the one
that all others share has a quarter of a million (ip-sysctl.rst, tcp_child_ehash_entries)."""
QUEUE = 512
"""Datagrams that wait at a socket of the host: with the usual 10, who logs would often wait for the agent."""


class Wire:
    """The two network namespaces that it joins: this process's own, the world's, and a new one for the host.

    Its descriptors go along to children, and to no program that they become. Raises ``OSError``.
    """

    def __init__(self) -> None:
        self.world = os.open("/proc/self/ns/net", os.O_RDONLY)
        _set("ipv4/tcp_child_ehash_entries", CONNECTIONS)
        syscalls.unshare(syscalls.CLONE_NEWNET)
        self.host = os.open("/proc/self/ns/net", os.O_RDONLY)
        _set("unix/max_dgram_qlen", QUEUE)
        syscalls.setns(self.world, syscalls.CLONE_NEWNET)

    def enter_host(self) -> None:
        """Have this process, and what it becomes, in the host's namespace."""
        syscalls.setns(self.host, syscalls.CLONE_NEWNET)

    def close(self) -> None:
        """Let go of the namespaces: they last as long as a process is in them."""
        os.close(self.world)
        os.close(self.host)


def _set(name: str, value: int) -> None:
    """Set what makes the host cheaper, for this network namespace alone; older kernels and some containers refuse."""
    with suppress(OSError):
        fd = os.open(f"/proc/sys/net/{name}", os.O_WRONLY)
        try:
            os.write(fd, str(value).encode())
        finally:
            os.close(fd)


def lay(wire: Wire, plan: MachinePlan) -> None:
    """Lay the wire, with the plan's addresses and routes. This process ends in the world's namespace.

    Both ends are up when it returns: a connection before that would cost a second of ARP retries.
    """
    host, world = plan.host, plan.world
    link = f"link add {INTERFACE} type veth peer name {INTERFACE} netns /proc/self/fd/{WORLD}"
    wire.enter_host()
    _ip([link, *link_end(host.addresses, host.routes)], wire.world)
    syscalls.setns(wire.world, syscalls.CLONE_NEWNET)
    _ip(link_end(world.addresses, world.routes), wire.world)


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

"""The wire between the two machines: one veth pair, whose ends have the same name on either side."""

from __future__ import annotations

import os
from contextlib import suppress

from grader.engines.local import syscalls
from grader.engines.local.netlink import LOOPBACK, Netlink
from grader.engines.machine import INTERFACE
from grader.model.plan import MachinePlan

INDEX = 100
"""Of the interface at both ends: some kernels give each namespace a few of their own, with the first numbers."""

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
        self._of_world = Netlink()
        _set("ipv4/tcp_child_ehash_entries", CONNECTIONS)
        syscalls.unshare(syscalls.CLONE_NEWNET)
        self.host = os.open("/proc/self/ns/net", os.O_RDONLY)
        self._of_host = Netlink()
        _set("unix/max_dgram_qlen", QUEUE)
        syscalls.setns(self.world, syscalls.CLONE_NEWNET)

    def enter_host(self) -> None:
        """Have this process, and what it becomes, in the host's namespace."""
        syscalls.setns(self.host, syscalls.CLONE_NEWNET)

    def lay(self, plan: MachinePlan) -> None:
        """Lay the wire, with the plan's addresses and routes.

        Both ends are up when it returns: a connection before that would cost a second of ARP retries. Raises
        ``OSError``, and ``ValueError`` for what is no address.
        """
        self._of_host.add_pair(INTERFACE, INDEX, self.world)
        for end, machine in ((self._of_host, plan.host), (self._of_world, plan.world)):
            end.bring_up(LOOPBACK)
            end.bring_up(INDEX)
            for address in machine.addresses:
                end.add_address(address, INDEX)
            for route in machine.routes:
                end.add_route(route, INDEX)
            end.carry_out()
        for end in (self._of_host, self._of_world):
            end.see_link(INTERFACE)

    def close(self) -> None:
        """Let go of the namespaces: they last as long as a process is in them."""
        os.close(self.world)
        os.close(self.host)
        self._of_world.close()
        self._of_host.close()


def _set(name: str, value: int) -> None:
    """Set what makes the host cheaper, for this network namespace alone; older kernels and some containers refuse."""
    with suppress(OSError):
        fd = os.open(f"/proc/sys/net/{name}", os.O_WRONLY)
        try:
            os.write(fd, str(value).encode())
        finally:
            os.close(fd)


PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

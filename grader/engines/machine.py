"""What the two machines are on every engine: the network's ends, the files of /etc, and the rights on the host."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from pathlib import Path

from grader import resources
from grader.model.plan import MachinePlan

INTERFACE = "eth0"

LIBRARY = "/usr/lib/smtplab"
"""The grader's own programs on both machines; read-only there."""

GUEST = Path(__file__).with_name("guest")
START_GUEST = f"import sys; sys.path.append({LIBRARY!r}); from guest.main import main; main()"
"""Starts the agent: what its Python is given with ``-c``."""


def alike(one: MachinePlan, other: MachinePlan) -> bool:
    """Whether a machine that was built for one plan, and has no addresses yet, can serve the other."""

    def built(plan: MachinePlan) -> tuple[object, ...]:
        host = plan.host
        # What was installed and started early stays there.
        early = (host.early, {file.path for file in host.provided}) if one.host.early else ()
        return host.name, host.nameserver, host.addresses, early, plan.limits

    return built(one) == built(other)


def guest_files() -> dict[str, bytes]:
    """The files of the agent, by name: the host has them in the folder ``guest`` of ``LIBRARY``."""
    return {path.name: path.read_bytes() for path in sorted(GUEST.glob("*.py")) if path.name != "shapes.py"}


CAPABILITIES = (
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "KILL",
    "NET_BIND_SERVICE",
    "SETGID",
    "SETUID",
    "SYS_CHROOT",
)
"""All that the student's host may do as root: enough for Postfix and Dovecot; neither NET_ADMIN nor NET_RAW, ever."""

MASKED = (
    "/proc/acpi", "/proc/asound", "/proc/bus", "/proc/config.gz", "/proc/fs", "/proc/interrupts", "/proc/kallsyms",
    "/proc/kcore", "/proc/keys", "/proc/key-users", "/proc/kmsg", "/proc/latency_stats", "/proc/modules",
    "/proc/scsi", "/proc/sched_debug", "/proc/timer_list", "/proc/timer_stats", "/proc/vmallocinfo", "/sys",
)  # fmt: skip
"""Of the kernel's own files, those that tell nothing on the host: they are empty there."""

READ_ONLY = ("/proc/irq", "/proc/sys", "/proc/sysrq-trigger", "/proc/1")
"""Those that can be read there and not written to, the agent's own (its ``oom_score_adj``, say) included."""


def seccomp_file() -> Path:
    """The profile of system calls that are allowed, as JSON that runc, Docker and Podman read; others are refused."""
    return resources.folder("fixtures") / "seccomp.json"


def seccomp_profile() -> bytes:
    """What stands in ``seccomp_file``."""
    return seccomp_file().read_bytes()


DESCRIPTORS = 1024
"""Files that a process of the student's host may have open."""


def link_end(addresses: Iterable[str], routes: Iterable[str]) -> list[str]:
    """Lines for ``ip -batch`` that bring up one end of the wire with its addresses and on-link routes (CIDR)."""
    # Without a link-local address of its own making the interface answers to the plan's addresses alone.
    lines = ["link set lo up", f"link set {INTERFACE} addrgenmode none", f"link set {INTERFACE} up"]
    for address in addresses:
        nodad = " nodad" if ipaddress.ip_interface(address).version == 6 else ""
        lines.append(f"address add {address} dev {INTERFACE}{nodad}")
    return [*lines, *(f"route replace {route} dev {INTERFACE}" for route in routes)]


def etc_files(plan: MachinePlan) -> dict[str, str]:
    """The files of /etc that differ from run to run, by name."""
    host = plan.host
    named = "".join(f"{address.partition('/')[0]} {host.name}\n" for address in host.addresses)
    return {
        "hosts": f"127.0.0.1 localhost\n::1 localhost\n{named}",
        "hostname": f"{host.name}\n",
        "mailname": f"{host.name}\n",
        "resolv.conf": f"nameserver {host.nameserver}\noptions timeout:1 attempts:2\n",
    }

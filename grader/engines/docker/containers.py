"""The containers of one run.

- The **net** container owns the student's network. It alone may set it up, it runs nothing of the student's, and it
  ends when its standard input does, or when the wall time is over, which begins with the run.
- The **world** container is the other end of the wire, a veth pair. It stands in net's process namespace, where net
  is process 1: that is how it names the network that gets the other end, and why it cannot outlive net.
- The **host** container is the student's. It joins net's network, and has a process namespace of its own.

No network of Docker's is involved: none of the three has a way to anything but the others.
"""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import Any

from grader.engines.docker.daemon import DockerService
from grader.engines.docker.images import archive
from grader.engines.guest import SHARED_ACCOUNTS
from grader.engines.guest.files import WRITABLE
from grader.engines.machine import (
    CAPABILITIES,
    DESCRIPTORS,
    INTERFACE,
    LIBRARY,
    MASKED,
    READ_ONLY,
    START_GUEST,
    etc_files,
    link_end,
    seccomp_file,
    seccomp_profile,
)
from grader.model.plan import Limits, MachinePlan

RUN = "smtplab.run"
PID = "smtplab.pid"
BEGAN = "smtplab.began"
OWNER = "smtplab.host"
STARTED = "smtplab.started"
WALL = "smtplab.wall"

GRACE = 5
"""Seconds beyond the wall time after which a container ends by itself, should the grader be gone or stuck."""
WAITING = 1800
"""Seconds for which containers may wait for their run. Who prepares them does not leave them so long."""

SCRATCH = "/tmp"  # noqa: S108 - it is the container's own

_MEGABYTE = 1024 * 1024
_SYSCTLS = {
    "net.ipv6.conf.all.disable_ipv6": "0",
    "net.ipv6.conf.default.disable_ipv6": "0",
    "net.ipv6.conf.default.accept_ra": "0",
    "net.ipv6.conf.default.accept_dad": "0",
}
_READ = 'while IFS= read -r line && [ -n "$line" ]; do printf "%s\\n" "$line"; done'
# The lines for ip(8) come on standard input, an empty one last, when a run begins, for which the containers may have
# waited; what follows belongs to the program that was started before. Where none come the grader is gone.
_NET = f"""set -e
for file in resolv.conf hosts hostname; do {_READ} >/etc/$file; done
{_READ} >/tmp/ip
[ -s /tmp/ip ]
exec 3<&0
timeout --signal=KILL "$1" cat <&3 >/dev/null &
end=$!
until ip link show {INTERFACE} >/dev/null 2>&1; do
    # The other end of the wire never comes where the grader was killed before it.
    kill -0 $end 2>/dev/null || exit 1
    sleep 0.01
done
ip -batch /tmp/ip
echo ready
wait $end
"""
_DROP = "setpriv --inh-caps=-all --no-new-privs --bounding-set=-all"
# The program, which may not configure a network, starts meanwhile, and gets the requests that follow the lines.
_WORLD = f"""set -e
ip link add {INTERFACE} type veth peer name {INTERFACE} netns 1
mkfifo {SCRATCH}/requests
exec 3<&0 4>&1
{{ {_READ} | ip -batch - && echo ready >&4 && exec {_DROP} cat 4>&-; }} <&3 3<&- >{SCRATCH}/requests &
exec {_DROP},+net_bind_service python3 -m grader.world <{SCRATCH}/requests 3<&- 4>&-
"""
# As process 1 the agent is deaf to signals that it does not handle, an alarm's included. The student can send that
# one too: the clock decides.
_HOST = f"""import os, signal, sys, time
end = time.monotonic() + int(sys.argv.pop())
signal.signal(signal.SIGALRM, lambda *_: os._exit(124) if time.monotonic() >= end else None)
signal.setitimer(signal.ITIMER_REAL, end - time.monotonic(), 1)
{START_GUEST}
"""


def owner() -> str:
    """Names the machine, and the part of it, in which this process's id means this process."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{socket.gethostname()}/{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return socket.gethostname()


def began(pid: int) -> str:
    """When a process that lives began, in the kernel's own count (proc_pid_stat(5)); empty where it is dead.

    A process id that was given out again is that of a process which began later. Raises ``FileNotFoundError`` on
    systems that do not tell.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        if not Path("/proc/self/stat").exists():
            raise
        return ""
    state, *others = stat.rpartition(")")[2].split()
    return "" if state == "Z" else others[18]


def _began_here() -> str:
    try:
        return began(os.getpid())
    except FileNotFoundError:
        return ""


def host_end(plan: MachinePlan) -> bytes:
    """What net reads when the run begins: its end of the wire, and an empty line."""
    return _lines(link_end(plan.host.addresses, plan.host.routes))


def world_end(plan: MachinePlan) -> bytes:
    """What the world reads before any request: likewise."""
    return _lines(link_end(plan.world.addresses, plan.world.routes))


def _lines(lines: list[str]) -> bytes:
    return ("\n".join(lines) + "\n\n").encode()


class Specs:
    """What each container of a run is created with: arguments of ``APIClient.create_container``."""

    def __init__(
        self, service: DockerService, image: str, run: str, plan: MachinePlan, *, waits: bool = False
    ) -> None:
        self._client = service.client
        self._image = image
        self._run = run
        self._plan = plan
        self._podman = service.podman
        self._here = service.here
        self._wall = int(plan.limits.wall) + GRACE
        self._longest = self._wall + (WAITING if waits else 0)

    def name(self, role: str) -> str:
        """The container's name."""
        return f"smtplab-{self._run}-{role}"

    def net(self) -> dict[str, Any]:
        """The owner of the student's network."""
        return self._container(
            "net",
            # As process 1 it ends all others with it. The wall time begins within, with the run.
            ["timeout", "--signal=KILL", str(self._wall + WAITING), "sh", "-c", _NET, "net", str(self._wall)],
            network_mode="none",
            cap_add=["NET_ADMIN"],
            sysctls=_SYSCTLS,
            hostname=self._plan.host.name,
            **self._modest(processes=16),
        )

    def net_files(self) -> bytes:
        """What net reads first: files of /etc, and an empty line after each."""
        files = etc_files(self._plan)
        return "".join(f"{files[name]}\n" for name in ("resolv.conf", "hosts", "hostname")).encode()

    def world(self) -> dict[str, Any]:
        """Everything around the student's host."""
        return self._container(
            "world",
            ["sh", "-c", _WORLD],
            network_mode="none",
            pid_mode=f"container:{self.name('net')}",
            cap_add=["NET_ADMIN", "NET_BIND_SERVICE", "SETPCAP"],
            sysctls=_SYSCTLS,
            read_only=True,
            tmpfs={SCRATCH: f"rw,nosuid,nodev,noexec,size={16 * _MEGABYTE}"},
            working_dir=LIBRARY,
            **self._modest(processes=64),
        )

    def host(self) -> dict[str, Any]:
        """The student's host."""
        limits = self._plan.limits
        return self._container(
            "host",
            ["python3", "-I", "-S", "-B", "-c", _HOST, str(self._longest)],
            network_mode=f"container:{self.name('net')}",
            # Docker takes it from net, and refuses to be told.
            hostname=self._plan.host.name if self._podman else None,
            cap_add=list(CAPABILITIES),
            read_only=True,
            tmpfs=_trees(limits, podman=self._podman),
            shm_size=_MEGABYTE,
            mem_limit=limits.memory,
            memswap_limit=limits.memory,
            nano_cpus=int(limits.cpus * 1e9),
            pids_limit=limits.processes,
            ulimits=self._ulimits(limits.disk),
            # Docker gives the users of all containers the same numbers, unless its service is told otherwise.
            variables={SHARED_ACCOUNTS: "1"},
        )

    def host_files(self) -> bytes | None:
        """An archive of what must be put into the host's /etc, because it does not come with net's network.

        Docker shares net's files with whoever joins it. Podman does not where net has no network of Podman's, and
        writes an /etc/hosts of its own, which nothing but its own interface could replace.
        """
        if not self._podman:
            return None
        return archive([("resolv.conf", etc_files(self._plan)["resolv.conf"].encode())]).getvalue()

    def _modest(self, processes: int) -> dict[str, Any]:
        """Limits of a container that runs nothing of the student's."""
        memory = 512 * _MEGABYTE
        return {
            "mem_limit": memory,
            "memswap_limit": memory,
            "pids_limit": processes,
            "shm_size": _MEGABYTE,
            "ulimits": self._ulimits(64 * _MEGABYTE),
        }

    def _ulimits(self, largest_file: int) -> list[dict[str, Any]]:
        limits = {"core": 0, "nofile": DESCRIPTORS, "fsize": largest_file}
        if self._podman:
            # Else it asks for more than the kernel grants it where it runs without CAP_SYS_RESOURCE.
            limits["nproc"] = 8192
        return [{"Name": name, "Soft": value, "Hard": value} for name, value in limits.items()]

    def _seccomp(self) -> list[str]:
        """The profile as an option: Docker wants its text, Podman the path of a file on its machine."""
        if not self._podman:
            return [f"seccomp={seccomp_profile().decode()}"]
        return [f"seccomp={seccomp_file()}"] if self._here else []

    def _container(
        self,
        role: str,
        command: list[str],
        *,
        hostname: str | None = None,
        working_dir: str | None = None,
        variables: dict[str, str] | None = None,
        **settings: Any,
    ) -> dict[str, Any]:
        from docker.types import LogConfig

        labels = {
            RUN: self._run,
            PID: str(os.getpid()),
            BEGAN: _began_here(),
            OWNER: owner(),
            STARTED: str(int(time.time())),
            WALL: str(self._longest),
        }
        return {
            "image": self._image,
            "command": command,
            "name": self.name(role),
            "hostname": hostname,
            "working_dir": working_dir,
            "stdin_open": True,
            "labels": labels,
            "environment": {
                "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                "LC_ALL": "C.UTF-8",
                "HOME": "/root",
                "TZ": "UTC",
                **(variables or {}),
            },
            "host_config": {
                **self._client.create_host_config(
                    # Removed by Docker when they end, and by the grader before: whoever comes first.
                    auto_remove=True,
                    cap_drop=["ALL"],
                    security_opt=["no-new-privileges", *self._seccomp()],
                    log_config=LogConfig(type="none"),
                    ipc_mode="private",
                    init=False,
                    **settings,
                ),
                # In Docker's API since 1.38; its library does not know them. In place of Docker's own shorter lists.
                "MaskedPaths": list(MASKED),
                "ReadonlyPaths": list(READ_ONLY),
            },
        }


def _trees(limits: Limits, *, podman: bool) -> dict[str, str]:
    """The writable file systems: /var has the whole of ``limits.disk``, each of the others an eighth of it.

    Podman 4 refuses ``nr_inodes``: there the limit of memory, which inodes are counted to, has to do.
    """
    options = "rw,nosuid,nodev,exec,mode=755"
    trees = {}
    for tree in WRITABLE:
        size = limits.disk if tree == "/var" else limits.disk // 8
        inodes = "" if podman else f",nr_inodes={size // 4096}"
        trees[tree] = f"{options},size={size}{inodes}"
    return trees

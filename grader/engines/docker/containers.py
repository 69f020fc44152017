"""The containers of one run.

- The **world** container owns the student's network, in which its first process stands, and runs nothing of the
  student's. Everything around the student's host is in a network namespace of its own there, which is the other end of
  the wire, a veth pair. It ends when its standard input does, or when the wall time is over, which begins with the run.
- The **host** container is the student's. It joins that network, and has a process namespace of its own.

No network of Docker's is involved: neither of the two has a way to anything but the other.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from grader import resources
from grader.engines.docker import labels
from grader.engines.docker.daemon import DockerService
from grader.engines.docker.images import HostImage, archive
from grader.engines.docker.volumes import TREE
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
)
from grader.model.plan import Limits, MachinePlan

GRACE = 5
"""Seconds beyond the wall time after which a container ends by itself, should the grader be gone or stuck."""
WAITING = 1800
"""Seconds for which containers may wait for their run. Who prepares them does not leave them so long."""

SCRATCH = ("/tmp", "/var/tmp", "/run/lock")  # noqa: S108 - they are the container's own

_MEGABYTE = 1024 * 1024
_SYSCTLS = {
    "net.ipv6.conf.all.disable_ipv6": "0",
    "net.ipv6.conf.default.disable_ipv6": "0",
    "net.ipv6.conf.default.accept_ra": "0",
    "net.ipv6.conf.default.accept_dad": "0",
}
ENDS = 2
"""Of the wire. Each is told, by a line, when it has the plan's addresses."""

_READ = 'while IFS= read -r line && [ -n "$line" ]; do printf "%s\\n" "$line"; done'
_DROP = "setpriv --no-new-privs --inh-caps=-all --bounding-set=-all"
# What takes the words of a student's server owns no file of the container, whose file system can be written to: else
# Docker would not let the files of /etc be, which the host shares.
_SERVE = (
    "setpriv --no-new-privs --reuid=65534 --regid=65534 --clear-groups"
    " --inh-caps=-all,+net_bind_service --ambient-caps=-all,+net_bind_service"
    " --bounding-set=-all,+net_bind_service"
)
# In the student's network: make another one for all that is around the host, and give this end its addresses. The
# first process, which ends all others with it, ends when it is told to, and that one of the two networks is not to be.
_OWNER = f"""exec 3<&0 4>&1
unshare --net sh -ec "$2" world "$1" | {{ {_READ} | ip -batch - && echo ready >&4 || kill 1; }}
"""
# In the other one. On standard input come the files of /etc; when a run begins, for which the container may have
# waited, the lines for ip(8) of the host's end and of the world's; an empty line after each of these; and then
# requests. The world's program, which may not configure a network, starts meanwhile. Where no lines come the grader is
# gone.
_WORLD = f"""exec 5>&1
{{
    trap 'kill 1' EXIT
    ip link add {INTERFACE} type veth peer name {INTERFACE} netns 1
    for file in resolv.conf hosts hostname; do {_READ} >/etc/$file; done
    {{ {_READ}; echo; }} >&5
    exec 5>&-
    {_READ} | ip -batch -
    echo ready >&4
    {_DROP} timeout --signal=KILL "$1" cat 4>&-
}} <&3 | {{
    trap 'kill 1' EXIT
    {_SERVE} python3 -m grader.world >&4 3<&- 4>&- 5>&-
}}
"""
# As process 1 the agent is deaf to signals that it does not handle, an alarm's included. The student can send that
# one too: the clock decides.
_HOST = f"""import os, signal, sys, time
end = time.monotonic() + int(sys.argv.pop())
signal.signal(signal.SIGALRM, lambda *_: os._exit(124) if time.monotonic() >= end else None)
signal.setitimer(signal.ITIMER_REAL, end - time.monotonic(), 1)
{START_GUEST}
"""


def world_seccomp_file() -> Path:
    """The profile of the world's container: ``seccomp_file``, and making a network namespace besides."""
    return resources.folder("fixtures") / "seccomp-world.json"


def begin(plan: MachinePlan) -> bytes:
    """What the world reads when the run begins: the lines for the host's end of the wire, and for its own."""
    host, world = plan.host, plan.world
    return _lines(link_end(host.addresses, host.routes)) + _lines(link_end(world.addresses, world.routes))


def _lines(lines: list[str]) -> bytes:
    return ("\n".join(lines) + "\n\n").encode()


class Specs:
    """What each container of a run is created with: arguments of ``APIClient.create_container``."""

    def __init__(
        self, service: DockerService, image: HostImage, run: str, plan: MachinePlan, *, waits: bool = False
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

    def world(self) -> dict[str, Any]:
        """Everything around the student's host, and the owner of its network."""
        # The wall time begins within, with the run.
        scripts = [_OWNER, "owner", str(self._wall), _WORLD]
        return self._container(
            "world",
            ["timeout", "--signal=KILL", str(self._wall + WAITING), "sh", "-c", *scripts],
            network_mode="none",
            cap_add=["NET_ADMIN", "NET_BIND_SERVICE", "SETGID", "SETPCAP", "SETUID", "SYS_ADMIN"],
            sysctls=_SYSCTLS,
            hostname=self._plan.host.name,
            working_dir=LIBRARY,
            tmpfs=dict.fromkeys(SCRATCH, f"rw,nosuid,nodev,noexec,size={_MEGABYTE}"),
            **self._modest(processes=64),
        )

    def files(self) -> bytes:
        """What the world reads first: files of /etc, which the host shares, and an empty line after each."""
        files = etc_files(self._plan)
        return "".join(f"{files[name]}\n" for name in ("resolv.conf", "hosts", "hostname")).encode()

    def host(self) -> dict[str, Any]:
        """The student's host."""
        limits = self._plan.limits
        return self._container(
            "host",
            ["python3", "-I", "-S", "-B", "-c", _HOST, str(self._longest)],
            network_mode=f"container:{self.name('world')}",
            # Docker takes it from the world, and refuses to be told.
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
        """An archive of what must be put into the host's /etc, because it does not come with the world's.

        Docker shares a network's files with whoever joins it. Podman does not where it is none of its own, and
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

    def _seccomp(self, role: str) -> list[str]:
        """The profile as an option: Docker wants its text, Podman the path of a file on its machine."""
        file = world_seccomp_file() if role == "world" else seccomp_file()
        if not self._podman:
            return [f"seccomp={file.read_text(encoding='ascii')}"]
        return [f"seccomp={file}"] if self._here else []

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

        return {
            "image": self._image.name,
            "command": command,
            "name": self.name(role),
            "hostname": hostname,
            "working_dir": working_dir,
            "stdin_open": True,
            "labels": labels.of_this_process(self._run, self._longest),
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
                    security_opt=["no-new-privileges", *self._seccomp(role)],
                    log_config=LogConfig(type="none"),
                    ipc_mode="private",
                    binds=[f"{self._image.usr}:{TREE}:ro"] if self._image.usr else None,
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

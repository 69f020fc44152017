"""Hostile commands of root on the local engine's host: nothing outside can be reached, seen, changed or used up."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from grader.engines.base import Engine, Machines
from grader.engines.local import LocalEngine, cgroups
from grader.model.plan import Limits
from grader.model.protocol import Operation
from tests.conftest import problems, required
from tests.engines.plans import plan, python, run

MEGABYTE = 1024 * 1024
LIMITS: dict[str, Any] = {"memory": 192 * MEGABYTE, "processes": 60, "disk": 16 * MEGABYTE}


def local() -> LocalEngine:
    if problem := problems("local"):
        if "local" in required():
            pytest.fail(problem)
        pytest.skip(problem)
    engine = LocalEngine()
    engine.image(lambda step: None)
    return engine


@pytest.fixture(scope="module")
def machines() -> Iterator[Machines]:
    """Machines that all tests here share; alive at the end, whatever was done to them."""
    with local().machines(plan(**LIMITS)) as up:
        yield up
        assert run(up, "echo", "alive") == (0, "alive\n")


@pytest.fixture(scope="module")
def unmetered() -> Iterator[Machines]:
    """Machines as they are where no control group can be made."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cgroups, "ROOT", Path("/nonexistent"))
        with local().machines(plan(**LIMITS)) as up:
            yield up
            assert run(up, "echo", "alive") == (0, "alive\n")


@pytest.mark.parametrize(
    "command",
    [
        "mount -t tmpfs none /mnt",
        "mount -o remount,rw /",
        "unshare --mount true",
        "unshare --user true",
        "unshare --net true",
        "nsenter --target 1 --mount true",
        "mknod /tmp/disk b 254 0",
        "touch /usr/bin/x",
        "touch /usr/lib/smtplab/guest/main.py",
        "touch /etc/passwd",
        "echo x >/proc/sys/kernel/core_pattern",
        "echo 1 >/proc/sys/net/ipv4/ip_forward",
        "echo b >/proc/sysrq-trigger",
        "hostname other.example",
        "ip link add dummy0 type dummy",
        "ip address add 203.0.113.99/24 dev eth0",
        "ip route add default dev eth0",
        "ip link set eth0 down",
        "date --set 2020-01-01",
        "dmesg",
        "chroot /proc/1/root true",
        "readlink /proc/1/fd/0",
        "cat /proc/1/environ",
        "head -c 1 /proc/1/mem",
        "for fd in /proc/1/fd/*; do echo '{\"ok\": true}' >$fd && exit 0; done; exit 1",
        "ls /sys/fs",
    ],
)
def test_root_on_the_host_may_not(machines: Machines, command: str) -> None:
    code, output = run(machines, "sh", "-c", command)
    assert code != 0, output


def test_the_refusals_are_refusals_and_not_missing_programs(machines: Machines) -> None:
    for program in ("mount", "unshare", "nsenter", "mknod", "ip", "hostname", "chroot", "dmesg"):
        assert run(machines, "sh", "-c", f"command -v {program}")[0] == 0


@pytest.mark.parametrize(
    "signal", ["KILL", "STOP", "INT", "TERM", "HUP", "QUIT", "ALRM", "CHLD", "PIPE", "USR1", "SEGV"]
)
def test_the_agent_survives_signals(machines: Machines, signal: str) -> None:
    assert run(machines, "sh", "-c", f"kill -{signal} 1; echo $?") == (0, "0\n")
    assert run(machines, "echo", "alive") == (0, "alive\n")


@pytest.mark.parametrize(
    "call", ["socket.AF_PACKET, socket.SOCK_RAW", "socket.AF_INET, socket.SOCK_RAW, 1", "40, 1"]
)
def test_no_raw_or_foreign_sockets(machines: Machines, call: str) -> None:
    assert "Operation not permitted" in python(machines, f"import socket; socket.socket({call})")


def test_only_the_worlds_networks_have_a_route(machines: Machines) -> None:
    reachable = json.loads(run(machines, "ip", "-json", "route")[1]) + json.loads(
        run(machines, "ip", "-6", "-json", "route")[1]
    )
    assert {route["dst"] for route in reachable} == {
        "203.0.113.0/24", "10.20.30.0/24", "198.51.100.0/24", "2001:db8:113::/64", "2001:db8:bad::/64",
    }  # fmt: skip
    assert all("gateway" not in route for route in reachable)


def test_services_of_this_machine_are_out_of_reach(machines: Machines) -> None:
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as server:
        port = server.getsockname()[1]
        mine = {entry[4][0] for entry in socket.getaddrinfo(socket.gethostname(), port)} | {
            "127.0.0.1",
            "::1",
        }
        for address in sorted({*map(str, mine), "8.8.8.8", "172.17.0.1", "203.0.113.1"}):
            told = python(
                machines,
                "import socket,sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 0.3)",
                address,
                str(port),
            )
            assert told.splitlines()[-1].startswith(("OSError", "ConnectionRefusedError", "TimeoutError")), (
                address
            )
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_processes_and_abstract_sockets_of_this_machine_are_unseen(machines: Machines) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        name = f"smtplab-test-{os.getpid()}"
        server.bind(f"\0{name}")
        assert name not in run(machines, "cat", "/proc/net/unix")[1]
    count = python(
        machines, "import os; print(len([name for name in os.listdir('/proc') if name.isdigit()]))"
    )
    assert int(count) < 10


def metered() -> bool:
    """Whether this user may make control groups here."""
    groups = cgroups.Groups(Limits())
    made = bool(groups.doors)
    groups.remove()
    return made


def test_memory_is_limited(machines: Machines) -> None:
    # The kernel kills whom a control group limits; where there is none, more memory is refused instead.
    code, output = run(machines, "python3", "-c", "bytearray(900 << 20)")
    assert code == -9 if metered() else (code == 1 and "MemoryError" in output)


def test_memory_is_limited_without_control_groups(unmetered: Machines) -> None:
    assert "MemoryError" in python(unmetered, "bytearray(900 << 20)")


def test_memory_of_many_processes_is_limited_without_control_groups(unmetered: Machines) -> None:
    hogs = """
import os, time
pids = []
for _ in range(6):
    if (pid := os.fork()) == 0:
        hog = bytearray(60 << 20)
        time.sleep(3)
        os._exit(0)
    pids.append(pid)
print(sum(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -9 for pid in pids))
"""
    assert int(python(unmetered, hogs)) >= 3


def test_a_large_grader_starts_small_hosts_without_control_groups() -> None:
    script = """
from pathlib import Path
from grader.engines.local import LocalEngine, cgroups
from tests.engines.plans import plan, run
cgroups.ROOT = Path("/nonexistent")
large = [bytearray(b"x" * (64 << 20)) for _ in range(6)]
for _ in range(5):
    with LocalEngine().machines(plan(memory=192 << 20)) as machines:
        print(run(machines, "echo", "alive"))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.count("alive") == 5, done.stderr


def test_memory_that_processes_share_counts_once(unmetered: Machines) -> None:
    family = """
import os, time
shared = b"x" * (30 << 20)
pids = []
for _ in range(30):
    if (pid := os.fork()) == 0:
        time.sleep(0.5)
        os._exit(0)
    pids.append(pid)
print([os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids].count(0))
"""
    assert python(unmetered, family) == "30"


FORKS = """
import os, signal, time
children = []
try:
    while len(children) < 2000:
        if (pid := os.fork()) == 0:
            time.sleep(60)
        children.append(pid)
except BlockingIOError:
    print(len(children))
for pid in children:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
"""


def test_processes_are_limited(machines: Machines) -> None:
    assert 40 < int(python(machines, FORKS)) <= 60 + cgroups.OVERHEAD


def test_processes_are_limited_without_control_groups(unmetered: Machines) -> None:
    assert 40 < int(python(unmetered, FORKS)) <= 60


def test_disk_is_limited_over_all_trees_together(machines: Machines) -> None:
    fill = "head -c 30000000 /dev/zero >/var/tmp/a; head -c 30000000 /dev/zero >/tmp/b; cat /var/tmp/* /tmp/* | wc -c"
    code, output = run(machines, "sh", "-c", f"({fill}) 2>/dev/null; rm -f /var/tmp/a /tmp/b")
    assert code == 0
    assert 10_000_000 < int(output.split()[-1]) <= LIMITS["disk"]
    many = "i=0; while [ $i -lt 30000 ]; do true 2>/dev/null >/tmp/n$i || break; i=$((i+1)); done"
    assert run(machines, "bash", "-c", f"{many}; echo $i; rm -f /tmp/n*", limit=20)[1].split()[-1] != "30000"
    assert run(machines, "sh", "-c", "head -c 9000000 /dev/zero >/dev/fill")[0] != 0


KNOCK = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 0.3)"


WORLDS_MISCHIEF = {
    "write a file": "open('/var/tmp/smtplab-test', 'w')",
    "write in the grader's folder": f"open({__file__!r}, 'a')",
    "open a device": "open('/dev/zero', 'rb')",
    "set the kernel": "open('/proc/sys/kernel/hostname', 'w')",
    "see sockets": "os.stat('/run/docker.sock') if os.listdir('/run') else os.stat('/run/nothing')",
    "mount": "syscalls.mount('none', '/mnt', 'tmpfs')",
    "make namespaces with rights": "syscalls.setns(os.open('/proc/self/ns/net', os.O_RDONLY), 0)",
    "leave for the machine": "socket.create_connection(('8.8.8.8', 53), 0.3)",
}


class Do(Operation[str], frozen=True, tag="do"):
    """Ask the world for mischief."""

    code: str


@pytest.mark.parametrize("mischief", WORLDS_MISCHIEF)
def test_the_world_may_not(mischief: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def serve(requests: BinaryIO, answers: BinaryIO) -> None:
        from grader.engines.local import syscalls

        request = json.loads(requests.readline())
        value: Any = "nothing stopped it"
        try:
            eval(request["code"], {"os": os, "socket": socket, "syscalls": syscalls})
        except OSError as error:
            value = type(error).__name__
        answers.write(json.dumps({"ok": True, "value": value}).encode() + b"\n")
        requests.readline()

    from grader.world import service

    monkeypatch.setattr(service, "serve", serve)
    with local().machines(plan()) as machines:
        told = machines.world.call(Do(WORLDS_MISCHIEF[mischief]), timeout=5)
    assert told in ("OSError", "PermissionError", "FileNotFoundError", "TimeoutError")


def test_two_runs_do_not_see_each_other() -> None:
    engine: Engine = local()
    with engine.machines(plan()) as one, engine.machines(plan()) as two:
        run(one, "sh", "-c", "echo secret >/tmp/mark; setsid sleep 77 >/dev/null 2>&1 &")
        assert run(two, "cat", "/tmp/mark")[0] != 0
        assert run(two, "pgrep", "-c", "sleep")[1] == "0\n"

"""Hostile commands of root on the student's host: one list for every engine, so that no two confine differently.

They speak to the lab's own addresses and to nothing else. That there is no way out is shown by the routes, the
interfaces and the families of sockets that there are.
"""

from __future__ import annotations

import json
import os
import platform
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from grader.engines import ENGINES
from grader.engines.base import Machines
from grader.engines.guest.files import WRITABLE
from grader.model.protocol.host import IsAlive, MasterState
from tests.conftest import NO_ENGINE, PATIENCE, ready, usable
from tests.engines.attempts import COMMANDS, FAMILIES, MISSING, RAW_CALLS, RAW_CALLS_SCRIPT
from tests.engines.plans import NAMESERVER, WALL_OF_MANY, plan, python, run, start_world
from tests.tables import every

pytestmark = pytest.mark.engine

MEGABYTE = 1024 * 1024
LIMITS: dict[str, Any] = {"memory": 192 * MEGABYTE, "processes": 60, "disk": 16 * MEGABYTE}
REFUSALS = {"EPERM", "ENOSYS"}
"""What the profile answers. Any other error would say that the kernel had looked at the call."""

NETWORKS = {"203.0.113.0/24", "10.20.30.0/24", "198.51.100.0/24", "2001:db8:113::/64", "2001:db8:bad::/64"}
CAPABILITIES = sum(1 << number for number in (0, 1, 3, 5, 6, 7, 10, 18))
"""CHOWN, DAC_OVERRIDE, FOWNER, KILL, SETGID, SETUID, NET_BIND_SERVICE, SYS_CHROOT."""


@pytest.fixture(scope="module", params=ENGINES)
def machines(request: pytest.FixtureRequest) -> Iterator[Machines]:
    """Machines that all tests of an engine share; alive at the end, whatever was done to them."""
    if request.param not in usable():
        pytest.skip(NO_ENGINE)
    trial = plan(**LIMITS, wall=WALL_OF_MANY)
    with ready(request.param).machines(trial) as up:
        start_world(up, trial)
        yield up
        assert run(up, "echo", "alive") == (0, "alive\n")
        assert up.host.call(IsAlive(), timeout=PATIENCE) == MasterState(master=False, exit=None)


@pytest.fixture(scope="module")
def raw(machines: Machines) -> dict[str, str]:
    """What the kernel said to each of the raw calls, by name."""
    if platform.machine() != "x86_64":
        pytest.skip("the numbers of the calls are those of x86-64")
    told: dict[str, str] = json.loads(python(machines, RAW_CALLS_SCRIPT, json.dumps(RAW_CALLS), limit=30))
    return told


@every("command", COMMANDS)
def test_root_is_refused(machines: Machines, command: str) -> None:
    code, output = run(machines, "sh", "-c", command)
    assert code not in (0, 127), output


@every("call", RAW_CALLS)
def test_the_call_is_refused(raw: dict[str, str], call: str) -> None:
    assert raw[call] in REFUSALS


def test_the_refusals_are_refusals_and_not_missing_programs(machines: Machines) -> None:
    used = "mount umount unshare nsenter mknod ip hostname chroot dmesg prlimit renice setpriv"
    for program in used.split():
        assert run(machines, "sh", "-c", f"command -v {program}")[0] == 0, program


@every("path", MISSING)
def test_root_finds_nothing_at(machines: Machines, path: str) -> None:
    code, output = run(machines, "sh", "-c", f"test -d {path} && ls -A {path} || cat {path}")
    assert (code, output) == (0, "") or code != 0, output


def test_other_systems_calls_end_whoever_makes_them(machines: Machines) -> None:
    """A program for i386: its calls have other numbers, which a profile of names for one system would not see."""
    code = bytes.fromhex("31db31c040cd80")  # _exit(0) by int 0x80
    entry = 0x08048000 + 84
    header = b"\x7fELF\x01\x01\x01" + bytes(9)
    numbers = [2, 3]  # executable, i386
    header += b"".join(number.to_bytes(2, "little") for number in numbers)
    header += b"".join(number.to_bytes(4, "little") for number in (1, entry, 52, 0, 0))
    header += b"".join(number.to_bytes(2, "little") for number in (52, 32, 1, 0, 0, 0))
    size = 84 + len(code)
    segment = (1, 0, 0x08048000, 0x08048000, size, size, 5, 4096)
    program = header + b"".join(number.to_bytes(4, "little") for number in segment) + code
    script = (
        "import os, sys\n"
        "open('/tmp/old', 'wb').write(bytes.fromhex(sys.argv[1]))\n"
        "os.chmod('/tmp/old', 0o755)\n"
        "os.execv('/tmp/old', ['old'])\n"
    )
    assert run(machines, "python3", "-c", script, program.hex())[0] != 0


@pytest.mark.parametrize("kind", ["SOCK_STREAM", "SOCK_DGRAM", "SOCK_RAW", "SOCK_SEQPACKET"])
def test_no_family_of_sockets_leads_elsewhere(machines: Machines, kind: str) -> None:
    told = json.loads(python(machines, FAMILIES, kind))
    # Netlink of protocol 0 tells of routes, and of SOCK_RAW the kernel makes what it is elsewhere.
    local = {"UNIX", "NETLINK 0"}
    allowed = {
        "SOCK_STREAM": {"UNIX", "INET", "INET6"},
        "SOCK_DGRAM": {*local, "INET", "INET6"},
        "SOCK_RAW": local,
        "SOCK_SEQPACKET": {"UNIX"},
    }
    assert set(told) == allowed[kind]


def test_only_the_labs_networks_have_a_route(machines: Machines) -> None:
    routes = json.loads(run(machines, "ip", "-json", "route", "show", "table", "all")[1])
    routes += json.loads(run(machines, "ip", "-6", "-json", "route", "show", "table", "all")[1])
    beyond = [route for route in routes if route.get("table") != "local" and route["dev"] != "lo"]
    # Multicast does not leave the wire either.
    assert {route["dst"] for route in beyond if route.get("type") != "multicast"} == NETWORKS
    assert all("gateway" not in route and "nexthops" not in route for route in routes)


def test_the_only_interfaces_are_loopback_and_the_wire_to_the_world(machines: Machines) -> None:
    links = json.loads(run(machines, "ip", "-json", "link", "show", "up")[1])
    assert {link["ifname"] for link in links} == {"lo", "eth0"}


def test_the_wire_leads_to_the_world(machines: Machines) -> None:
    """What has a route does answer: the tests above look at a network that works."""
    assert run(machines, "dig", "+short", "+time=2", f"@{NAMESERVER}", "mx.elsewhere.example")[1].strip()


def test_root_has_the_listed_capabilities_alone_and_can_gain_none(machines: Machines) -> None:
    lines = run(machines, "cat", "/proc/self/status")[1].splitlines()
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    assert {int(status[kind], 16) for kind in ("CapBnd", "CapEff", "CapPrm")} == {CAPABILITIES}
    assert int(status["CapAmb"], 16) == 0
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"


def test_a_program_of_roots_gives_nobody_roots_rights(machines: Machines) -> None:
    script = "cp /usr/bin/id /tmp/id && chmod 4755 /tmp/id && setpriv --reuid 1001 --clear-groups /tmp/id -u"
    assert run(machines, "sh", "-c", script) == (0, "1001\n")


def test_only_its_own_processes_can_be_seen(machines: Machines) -> None:
    listed = run(machines, "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")[1]
    assert "guest.main" in listed
    assert "grader.world" not in listed
    assert len(run(machines, "sh", "-c", "ls -d /proc/[0-9]*")[1].split()) < 6


def test_sockets_of_this_machine_are_unseen(machines: Machines) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        name = f"smtplab-test-{os.getpid()}"
        server.bind(f"\0{name}")
        assert name not in run(machines, "cat", "/proc/net/unix")[1]


def test_devices_are_those_of_every_container(machines: Machines) -> None:
    found = set(
        run(machines, "find", "/dev", "(", "-type", "b", "-o", "-type", "c", ")", "-printf", "%f ")[1].split()
    )
    assert found <= {"null", "zero", "full", "random", "urandom", "tty", "ptmx", "console"}


def test_the_agent_survives_every_signal(machines: Machines) -> None:
    run(machines, "sh", "-c", "for each in $(seq 1 64); do kill -$each 1; done; true")
    assert run(machines, "echo", "still here") == (0, "still here\n")


AGENT = "cat /proc/1/oom_score_adj; ps -o ni= -p 1; grep Cpus_allowed: /proc/1/status; cat /proc/1/limits"


def test_root_changes_nothing_about_the_agent(machines: Machines) -> None:
    before = run(machines, "sh", "-c", AGENT)
    meddling = [
        "echo 1000 >/proc/1/oom_score_adj",
        "echo 1000 >/proc/1/task/1/oom_score_adj",
        "echo 15 >/proc/1/oom_adj",
        "renice -n 19 -p 1",
        "renice -n 19 -g 1",
        "renice -n 19 -u 0",
        "taskset -p 1 1",
        "ionice -c 3 -p 1",
        "prlimit --pid 1 --nproc=1:1 --nofile=4:4 --as=1:1 --cpu=1:1",
    ]
    run(machines, "sh", "-c", "; ".join(f"({line})" for line in meddling))
    assert run(machines, "sh", "-c", AGENT) == before


@every("tree", WRITABLE)
def test_no_tree_holds_more_than_the_disk_limit(machines: Machines, tree: str) -> None:
    fill = (
        "import sys, os\n"
        "path = sys.argv[1] + '/filler'\n"
        "try:\n"
        "    for number in range(100): open(path + str(number), 'wb').write(bytes(1 << 20))\n"
        "except OSError as error: print(error.strerror)\n"
        "for number in range(100):\n"
        "    if os.path.exists(path + str(number)): os.unlink(path + str(number))\n"
    )
    assert python(machines, fill, tree) == "No space left on device"


def test_no_file_grows_beyond_the_disk_limit(machines: Machines) -> None:
    grow = "from resource import *; print(getrlimit(RLIMIT_FSIZE)[1], getrlimit(RLIMIT_CORE)[1])"
    assert python(machines, grow) == f"{16 * MEGABYTE} 0"


@pytest.mark.parametrize("folder", ["/dev", "/dev/shm"])
def test_what_is_kept_beside_the_trees_is_little(machines: Machines, folder: str) -> None:
    # Docker gives /dev 64 MiB, of the host's memory.
    fill = f"mkdir -p {folder}; for n in 1 2 3 4 5 6 7 8; do head -c 9000000 /dev/zero >{folder}/fill$n || exit 1; done"
    code, output = run(machines, "sh", "-c", f"({fill}); code=$?; rm -f {folder}/fill*; exit $code")
    assert code == 1
    assert "No space left on device" in output


def test_a_fork_bomb_is_held_to_its_processes(machines: Machines) -> None:
    bomb = (
        "import os, time\n"
        "born = 0\n"
        "try:\n"
        "    while born < 1000:\n"
        "        if os.fork() == 0: time.sleep(2); os._exit(0)\n"
        "        born += 1\n"
        "except OSError: print(born)\n"
    )
    assert 20 < int(python(machines, bomb)) <= 76


def test_who_takes_too_much_memory_loses_it_and_the_agent_does_not(machines: Machines) -> None:
    code, _ = run(machines, "python3", "-c", "x = bytearray(900 << 20); print(len(x))", limit=20)
    assert code not in (0, 127)
    assert run(machines, "echo", "still here") == (0, "still here\n")

"""Hostile commands, run as root on the student's host: nothing outside can be reached, seen, changed or used up."""

from __future__ import annotations

import ipaddress
import json
import re
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.engines.base import Machines
from grader.engines.docker import images
from grader.engines.docker.daemon import connect
from grader.engines.docker.engine import DockerEngine
from grader.engines.guest.files import WRITABLE
from grader.model.protocol.host import IsAlive, MasterState
from tests.conftest import problems, required
from tests.engines.plans import NAMESERVER, plan, python, run, start_world

MEGABYTE = 1024 * 1024

KNOCK = """
import errno, json, socket, sys
reached = []
for address, port in json.loads(sys.argv[1]):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        try:
            family, _, _, _, where = socket.getaddrinfo(address, port, type=kind)[0]
            with socket.socket(family, kind) as client:
                client.settimeout(0.3)
                client.connect(where)
                client.send(b"knock")
                if client.recv(1):
                    reached.append(address)
        except ConnectionRefusedError:
            reached.append(address)
        except OSError:
            pass
print(json.dumps(reached))
"""


@pytest.fixture(scope="module")
def machines() -> Iterator[Machines]:
    """Machines that all tests here share."""
    if problem := problems("docker"):
        if "docker" in required():
            pytest.fail(problem)
        pytest.skip(problem)
    engine = DockerEngine()
    engine.image(lambda step: None)
    trial = plan(memory=128 * MEGABYTE, processes=60, disk=16 * MEGABYTE)
    with engine.machines(trial) as up:
        start_world(up, trial)
        yield up


@pytest.fixture(scope="module")
def service() -> Iterator[int]:
    """The port of a service on every address of this machine that answers over TCP and UDP."""
    tcp = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    port: int = tcp.getsockname()[1]
    udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    udp.bind(("::", port))

    def greet() -> None:
        try:
            while True:
                with tcp.accept()[0] as client:
                    client.sendall(b"!")
        except OSError:
            return

    def echo() -> None:
        try:
            while True:
                data, sender = udp.recvfrom(100)
                if not data:
                    return
                udp.sendto(data, sender)
        except OSError:
            return

    threads = [threading.Thread(target=work, daemon=True) for work in (greet, echo)]
    for thread in threads:
        thread.start()
    yield port
    tcp.shutdown(socket.SHUT_RDWR)
    tcp.close()
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as last:
        last.sendto(b"", ("::1", port))
    for thread in threads:
        thread.join(5)
    udp.close()


def addresses_of_this_machine() -> list[str]:
    """Every address that this machine carries save loopback, those of Docker's bridges included."""
    # From the kernel: a machine that has Docker need not have ip.
    local = re.findall(
        r"\|-- (\S+)\n\s+/32 host LOCAL", Path("/proc/net/fib_trie").read_text(encoding="ascii")
    )
    found = {address for address in local if not address.startswith("127.")}
    for line in Path("/proc/net/if_inet6").read_text(encoding="ascii").splitlines():
        digits, _, _, scope, _, name = line.split()
        if name != "lo":
            found.add(str(ipaddress.ip_address(bytes.fromhex(digits))) + ("%eth0" if scope == "20" else ""))
    return sorted(found)


def knock(machines: Machines, targets: list[tuple[str, int]]) -> list[str]:
    """Those of the targets that answer, even if only to refuse."""
    reached: list[str] = json.loads(python(machines, KNOCK, json.dumps(targets), limit=60))
    return reached


def test_the_knock_is_answered_where_there_is_a_way(machines: Machines) -> None:
    assert NAMESERVER in knock(machines, [(NAMESERVER, 1)])


def test_an_ordinary_container_would_reach_this_machine(machines: Machines, service: int) -> None:
    """The control of the next test: the service answers containers that have a network of Docker's."""
    client = connect().client
    try:
        gateway = client.inspect_network("bridge")["IPAM"]["Config"][0].get("Gateway", "172.17.0.1")
    finally:
        client.close()
    argv = [
        "docker",
        "run",
        "--rm",
        images.host_tag(),
        "python3",
        "-c",
        KNOCK,
        json.dumps([(gateway, service)]),
    ]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert gateway in json.loads(done.stdout)


def test_no_address_of_this_machine_can_be_reached(machines: Machines, service: int) -> None:
    mine = addresses_of_this_machine()
    assert mine
    assert knock(machines, [(address, service) for address in mine]) == []


def test_no_gateway_resolver_metadata_service_or_internet_can_be_reached(machines: Machines) -> None:
    gateways = [f"172.{number}.0.1" for number in range(16, 32)] + ["192.168.65.1", "10.0.2.2", "10.88.0.1"]
    outside = ["127.0.0.11", "169.254.169.254", "1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "fe80::1%eth0"]
    names = [name for name in knock(machines, [(a, 53) for a in gateways + outside]) if name != "127.0.0.11"]
    assert names == []
    # Docker's resolver would stand at a loopback address and answer; a refusal is this host's own.
    assert run(machines, "dig", "+short", "+time=1", "+tries=1", "@127.0.0.11", "debian.org")[0] != 0
    assert run(machines, "dig", "+short", "+time=1", "+tries=1", "debian.org")[1].strip() == ""


def test_the_only_interfaces_are_loopback_and_the_wire_to_the_world(machines: Machines) -> None:
    links = json.loads(run(machines, "ip", "-json", "link", "show", "up")[1])
    assert {link["ifname"] for link in links} == {"lo", "eth0"}


def test_root_has_the_listed_capabilities_alone_and_can_gain_none(machines: Machines) -> None:
    status = dict(
        line.split(":\t", 1)
        for line in run(machines, "cat", "/proc/self/status")[1].splitlines()
        if ":\t" in line
    )
    # CHOWN 0, DAC_OVERRIDE 1, FOWNER 3, KILL 5, SETGID 6, SETUID 7, NET_BIND_SERVICE 10, SYS_CHROOT 18
    listed = sum(1 << number for number in (0, 1, 3, 5, 6, 7, 10, 18))
    assert {int(status[kind], 16) for kind in ("CapBnd", "CapEff", "CapPrm")} == {listed}
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"


@pytest.mark.parametrize(
    "command",
    [
        "ip address add 198.51.100.200/32 dev eth0",
        "ip address flush dev eth0",
        "ip link set eth0 down",
        "ip link add dummy0 type dummy",
        "ip route add default dev eth0",
        "ip neighbour add 203.0.113.99 lladdr 02:00:00:00:00:01 dev eth0",
        "mount -t tmpfs none /tmp",
        "mount -o remount,rw /",
        "umount /etc/postfix",
        "unshare --net true",
        "unshare --user --map-root-user true",
        "nsenter --target 1 --net true",
        "mknod /tmp/disk b 8 0",
        "sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'",
        "sh -c 'echo b > /proc/sysrq-trigger'",
        "sh -c 'echo nameserver 1.1.1.1 > /etc/resolv.conf'",
        "sh -c 'echo x >> /etc/hosts'",
        "sh -c 'echo x >> /etc/passwd'",
        "touch /usr/bin/x /usr/lib/smtplab/x",
        "cp /bin/true /usr/lib/smtplab/guest/main.py",
        "sh -c 'echo {} > /proc/1/fd/1'",
        "sh -c 'ls /proc/1/fd/ && cat /proc/1/mem'",
        "ls /var/run/docker.sock /run/docker.sock /run/podman",
        "python3 -c 'import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)'",
        "python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)'",
        "python3 -c 'import ctypes, sys; sys.exit(ctypes.CDLL(None).ptrace(16, 1, 0, 0) != 0)'",
        'python3 -c \'import os; os.setxattr("/tmp", "trusted.x", b"1")\'',
    ],
)
def test_root_is_refused(machines: Machines, command: str) -> None:
    code, output = run(machines, "sh", "-c", command)
    assert code not in (0, 127), output


def test_only_its_own_processes_can_be_seen(machines: Machines) -> None:
    listed = run(machines, "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")[1]
    assert "guest.main" in listed
    assert "grader.world" not in listed


def test_the_agent_outlives_being_killed(machines: Machines) -> None:
    run(machines, "sh", "-c", "for each in $(seq 1 64); do kill -$each 1; done; true")
    assert run(machines, "echo", "still here") == (0, "still here\n")


@pytest.mark.parametrize("tree", WRITABLE)
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


def test_who_takes_too_much_memory_is_killed_and_the_agent_is_not(machines: Machines) -> None:
    code, _ = run(machines, "python3", "-c", "x = bytearray(400 << 20); print(len(x))", limit=20)
    assert code not in (0, 127)
    assert run(machines, "echo", "still here") == (0, "still here\n")


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
    assert 20 < int(python(machines, bomb)) <= 60
    assert machines.host.call(IsAlive(), timeout=10) == MasterState(master=False, exit=None)


def test_no_file_grows_beyond_the_disk_limit(machines: Machines) -> None:
    grow = "from resource import *; print(getrlimit(RLIMIT_FSIZE)[1], getrlimit(RLIMIT_CORE)[1])"
    assert python(machines, grow) == f"{16 * MEGABYTE} 0"

"""What confines the local engine's machines alone: limits without control groups, and the world among the processes."""

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
from grader.model.protocol import Operation
from tests.conftest import PATIENCE, problems, required
from tests.engines.plans import WALL_OF_MANY, plan, python, run

pytestmark = pytest.mark.engine

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
def unmetered() -> Iterator[Machines]:
    """Machines as they are where no control group can be made; alive at the end, whatever was done to them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cgroups, "ROOT", Path("/nonexistent"))
        with local().machines(plan(**LIMITS, wall=WALL_OF_MANY)) as up:
            yield up
            assert run(up, "echo", "alive") == (0, "alive\n")


def test_memory_is_limited_without_control_groups(unmetered: Machines) -> None:
    assert "MemoryError" in python(unmetered, "bytearray(900 << 20)")


def test_memory_of_many_processes_is_limited_without_control_groups(unmetered: Machines) -> None:
    hogs = """
import os, signal
for _ in range(6):
    if os.fork() == 0:
        hog = bytearray(60 << 20)
        signal.pause()
for _ in range(3):
    print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
os.killpg(0, signal.SIGKILL)
"""
    assert python(unmetered, hogs).split() == ["-9"] * 3


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


def test_processes_are_limited_without_control_groups(unmetered: Machines) -> None:
    assert 40 < int(python(unmetered, FORKS)) <= 60


def test_disk_is_limited_over_all_trees_together(unmetered: Machines) -> None:
    fill = "head -c 30000000 /dev/zero >/var/tmp/a; head -c 30000000 /dev/zero >/tmp/b; cat /var/tmp/* /tmp/* | wc -c"
    code, output = run(unmetered, "sh", "-c", f"({fill}) 2>/dev/null; rm -f /var/tmp/a /tmp/b")
    assert code == 0
    assert 10_000_000 < int(output.split()[-1]) <= LIMITS["disk"]
    many = "i=0; while [ $i -lt 30000 ]; do true 2>/dev/null >/tmp/n$i || break; i=$((i+1)); done"
    assert run(unmetered, "bash", "-c", f"{many}; echo $i; rm -f /tmp/n*", limit=20)[1].split()[-1] != "30000"


WORLDS_MISCHIEF = {
    "write a file": "open('/var/tmp/smtplab-test', 'w')",
    "write in the grader's folder": f"open({__file__!r}, 'a')",
    "open a device": "open('/dev/zero', 'rb')",
    "set the kernel": "open('/proc/sys/kernel/hostname', 'w')",
    "see sockets": "os.stat('/run/docker.sock') if os.listdir('/run') else os.stat('/run/nothing')",
    "mount": "syscalls.mount('none', '/mnt', 'tmpfs')",
    "make namespaces with rights": "syscalls.setns(os.open('/proc/self/ns/net', os.O_RDONLY), 0)",
    "find a default route": "'00000000' in [r.split()[1] for r in open('/proc/net/route')] or os.stat('/none')",
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
        told = machines.world.call(Do(WORLDS_MISCHIEF[mischief]), timeout=PATIENCE)
    assert told in ("OSError", "PermissionError", "FileNotFoundError", "TimeoutError")


def test_two_runs_do_not_see_each_other() -> None:
    engine: Engine = local()
    with engine.machines(plan()) as one, engine.machines(plan()) as two:
        run(one, "sh", "-c", "echo secret >/tmp/mark; setsid sleep 77 >/dev/null 2>&1 &")
        assert run(two, "cat", "/tmp/mark")[0] != 0
        assert run(two, "pgrep", "-c", "sleep")[1] == "0\n"

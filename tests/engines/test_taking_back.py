"""Whoever takes all of the host's processes keeps nothing from the grader: what it asks for costs no process."""

from __future__ import annotations

import time

from grader.engines.base import Engine, Machines
from grader.model.deadline import Deadline
from grader.model.plan import File
from grader.model.protocol.host import (
    CountQueue,
    FindMail,
    Install,
    IsAlive,
    ListQueue,
    ReadLog,
    ReadSockets,
    RunCommand,
    StartServices,
    StopAll,
)
from grader.model.traffic import Queued
from tests.conftest import PATIENCE
from tests.engines.plans import plan, run

MAIN = """\
compatibility_level = 3.9
myhostname = mail.example.com
mydestination = example.com
default_transport = hold
header_checks = static:HOLD
"""
BOMB = "import os\nwhile True:\n    try: os.fork() or os.setsid()\n    except OSError: pass\n"


def bombed(machines: Machines) -> None:
    """Start a server with a message on hold, fill the host with processes, and wait until there is room for none."""
    machines.host.call(Install([File("/etc/postfix/main.cf", MAIN.encode())]), timeout=PATIENCE)
    machines.host.call(StartServices(["postfix"], "/etc/postfix", 15), timeout=PATIENCE)
    argv = ["sendmail", "-f", "x@example.com", "y@elsewhere.example"]
    machines.host.call(RunCommand(argv, PATIENCE / 2, "Subject: kept\n\n"), timeout=PATIENCE)
    deadline = Deadline(PATIENCE)
    while machines.host.call(CountQueue(), timeout=PATIENCE).hold != 1:
        assert not deadline.over
        time.sleep(0.01)
    started = run(machines, "sh", "-c", f'setsid python3 -c "{BOMB}" >/dev/null 2>&1 &')
    assert started == (0, "")
    deadline = Deadline(PATIENCE)
    while not any(
        " processes are running here" in line for line in machines.host.call(ReadLog(), timeout=PATIENCE)
    ):
        assert not deadline.over


def test_a_fork_bomb_keeps_nothing_from_the_grader(engine: Engine) -> None:
    with engine.machines(plan(processes=120)) as machines:
        bombed(machines)
        assert machines.host.call(IsAlive(), timeout=PATIENCE).master
        assert " 0A " in machines.host.call(ReadSockets(), timeout=PATIENCE)
        assert machines.host.call(FindMail(["no-such-token"]), timeout=PATIENCE) == []
        machines.host.call(StopAll(), timeout=PATIENCE)
        assert not machines.host.call(IsAlive(), timeout=PATIENCE).master
        assert machines.host.call(ListQueue(), timeout=PATIENCE) == [
            Queued("hold", "x@example.com", "y@elsewhere.example", "")
        ]
        assert run(machines, "postconf", "-P", "smtp/inet/x")[0] in (0, 1)
        log = machines.host.call(ReadLog(), timeout=PATIENCE)
    assert any(line.endswith(" of them called python3") for line in log)

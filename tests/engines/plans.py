"""A small plan that needs no lab: the student's host, and a world that answers for one name."""

from __future__ import annotations

from typing import Any

from grader.engines.base import Machines
from grader.model.plan import HostSpec, Limits, MachinePlan, WorldSpec, Zone
from grader.model.protocol.host import RunCommand
from grader.model.protocol.world import StartWorld
from tests.conftest import PATIENCE

NAMESERVER = "203.0.113.53"
HOST_V4 = "203.0.113.10"
HOST_V6 = "2001:db8:113::10"
ANSWER = "198.51.100.25"
WALL_OF_MANY = 1000.0
"""Seconds for machines that the tests of a whole file share, however much else the machine has to do."""

_ZONE = f"""\
$TTL 60
@ IN SOA ns.elsewhere.example. hostmaster.elsewhere.example. 1 3600 600 86400 60
@ IN NS ns.elsewhere.example.
mx IN A {ANSWER}
"""


def plan(*, host: str = f"{HOST_V4}/24", **limits: Any) -> MachinePlan:
    """A plan with these limits; ``host`` is the host's public IPv4 address with its prefix length."""
    return MachinePlan(
        lab="trial",
        lab_version="1",
        student=None,
        variant="canonical",
        host=HostSpec(
            name="mail.example.com",
            addresses=[host, "10.20.30.10/24", f"{HOST_V6}/64"],
            routes=["198.51.100.0/24", "2001:db8:bad::/64"],
            nameserver=NAMESERVER,
            files=[],
            services=[],
        ),
        world=WorldSpec(
            addresses=[f"{NAMESERVER}/24", f"{ANSWER}/24", "10.20.30.50/24", "2001:db8:bad::66/64"],
            routes=["2001:db8:113::/64"],
            nameserver=NAMESERVER,
            zones=[Zone("elsewhere.example", _ZONE)],
            peers=[],
            ca=b"",
        ),
        limits=Limits(**limits),
    )


def run(machines: Machines, *argv: str, limit: float = PATIENCE) -> tuple[int, str]:
    """Exit code and output of a command on the student's host, as its root."""
    done = machines.host.call(RunCommand(list(argv), limit), timeout=limit + PATIENCE)
    return done.code, done.output


def python(machines: Machines, program: str, *arguments: str, limit: float = PATIENCE) -> str:
    """What a Python program prints on the student's host, its traceback included."""
    return run(machines, "python3", "-c", program, *arguments, limit=limit)[1].strip()


def start_world(machines: Machines, of: MachinePlan) -> None:
    """Have the world answer DNS."""
    machines.world.call(StartWorld(of.world), timeout=PATIENCE)

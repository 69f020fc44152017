"""The wire is laid as ip(8) would lay it, which is what the other engine does."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import Any

import pytest

from grader.engines.local import LocalEngine
from grader.engines.machine import INTERFACE, link_end
from tests.engines.plans import plan

# Descriptors 3 and 4 are the namespaces of the two ends.
SCRIPT = """
import ctypes, json, os, subprocess, sys, time
libc = ctypes.CDLL(None, use_errno=True)
how, lines = sys.argv[1], json.loads(sys.argv[2])
def enter(fd):
    assert libc.setns(fd, 0x40000000) == 0
def place(host, world):
    copies = os.dup(host), os.dup(world)
    os.dup2(copies[0], 3), os.dup2(copies[1], 4)
def ip(*arguments, **given):
    given |= {"check": True, "capture_output": True, "text": True, "pass_fds": [3, 4]}
    return subprocess.run(["ip", *arguments], **given).stdout
if how == "here":
    from grader.engines.local.network import Wire
    from tests.engines.plans import plan
    wire = Wire()
    wire.lay(plan())
    place(wire.host, wire.world)
else:
    world = os.open("/proc/self/ns/net", os.O_RDONLY)
    assert libc.unshare(0x40000000) == 0
    host = os.open("/proc/self/ns/net", os.O_RDONLY)
    place(host, world)
    ip("-batch", "-", input="\\n".join(lines[0]))
    enter(4)
    ip("-batch", "-", input="\\n".join(lines[1]))
    # The kernel takes note of the cable a moment later.
    for end in (3, 4):
        enter(end)
        while json.loads(ip("-json", "link", "show", "eth0"))[0]["operstate"] != "UP":
            time.sleep(0.01)
def seen():
    told = []
    for end in (3, 4):
        enter(end)
        told.append([json.loads(ip("-json", "-details", "address"))])
        for family in ("-4", "-6"):
            told[-1].append(json.loads(ip("-json", family, "route", "show", "table", "all") or "[]"))
    return told
first = now = seen()
before = None
# It adds routes of its own by and by, once the cable is there.
while now != before:
    time.sleep(0.1)
    before, now = now, seen()
print(json.dumps([first, now]))
"""
OWN = {
    "ifindex",
    "link_index",
    "address",
    "txqlen",
    "link",
    "link_netnsid",
    "valid_life_time",
    "preferred_life_time",
}
"""What differs from one interface to the next, however it is made."""


def without_own(told: Any) -> Any:
    if isinstance(told, dict):
        return {name: without_own(value) for name, value in told.items() if name not in OWN}
    if isinstance(told, list):
        return [without_own(value) for value in told]
    return told


@pytest.fixture
def namespaces() -> list[str]:
    if LocalEngine().problems() or not shutil.which("ip") or not shutil.which("unshare"):
        pytest.skip("this takes network namespaces, and ip(8) to compare with")
    return ["unshare", "--user", "--map-root-user", "--net", "--mount", "--", sys.executable, "-c", SCRIPT]


def test_the_wire_is_what_ip_makes_of_it(namespaces: list[str]) -> None:
    host, world = plan().host, plan().world
    pair = f"link add {INTERFACE} type veth peer name {INTERFACE} netns /proc/self/fd/4"
    lines = [[pair, *link_end(host.addresses, host.routes)], link_end(world.addresses, world.routes)]
    told = [
        json.loads(
            subprocess.run([*namespaces, how, json.dumps(lines)], check=True, capture_output=True).stdout
        )
        for how in ("here", "ip")
    ]
    (first, here), (_, by_ip) = told
    # A cable that was seen too late loses what is sent first.
    assert [link["operstate"] for end in first for link in end[0] if link["ifname"] == INTERFACE] == [
        "UP",
        "UP",
    ]
    assert without_own(here) == without_own(by_ip)

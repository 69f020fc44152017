"""The two machines of a run, with the oracle's own people in the world, and none of a lab's attempts."""

from __future__ import annotations

import ipaddress
import re
import time
from collections.abc import Iterator

from msgspec.structs import replace

from grader import kinds
from grader.engines.base import Channel
from grader.kinds.server.facts import ServerPlan
from grader.model.lab import Lab
from grader.model.plan import Zone
from grader.model.protocol.host import CountQueue, RunCommand
from grader.model.submission import Submission
from grader.model.variant import Variant
from tests.oracle.letters import FOREIGN
from tests.oracle.people import Person

SOCKETS = RunCommand(["cat", "/proc/net/tcp", "/proc/net/tcp6"], 5)
_HEAD = "$TTL 300\n@ IN SOA ns hostmaster 1 3600 600 86400 300\n@ IN NS ns\nns IN A {nameserver}\n"


def plan_among(people: list[Person], lab: Lab, submission: Submission, variant: Variant) -> ServerPlan:
    """The product's plan for the two machines, with the oracle's people in it and no attempt of the lab's own."""
    plan = kinds.plan(lab.kind).make(lab, submission, variant, student=None, only=None)
    assert isinstance(plan, ServerPlan)
    names = variant.names
    known = {address.partition("/")[0] for address in plan.world.addresses}
    fresh = [person for person in people if person.address not in known]
    added = [f"{p.address}/{128 if ':' in p.address else 32}" for p in fresh]
    connected = [ipaddress.ip_interface(address).network for address in plan.host.addresses]
    routes = [
        str(
            ipaddress.ip_network(
                address.partition("/")[0] + ("/64" if ":" in address else "/24"), strict=False
            )
        )
        for address in added
        if not any(ipaddress.ip_interface(address).ip in network for network in connected)
    ]
    head = _HEAD.format(nameserver=names["nameserver"])
    zones = {zone.origin: zone for zone in plan.world.zones}
    for domain in FOREIGN:
        zones.setdefault(domain, Zone(domain, f"{head}@ IN MX 10 {names['outside_host']}.\n"))
    zones.setdefault("oracle-people.example", Zone("oracle-people.example", head))
    for person in people:
        pointer = ipaddress.ip_address(person.address).reverse_pointer
        root = "ip6.arpa" if ":" in person.address else "in-addr.arpa"
        _say(zones, root, pointer, "PTR", f"{person.name}.", head)
        if person.forward:
            kind = "AAAA" if ":" in person.address else "A"
            _say(zones, _origin(zones, person.name), person.name, kind, person.address, head)
    return replace(
        plan,
        attempts=[],
        # Nobody hurries a hunt, and a busy machine may take its time.
        limits=replace(plan.limits, wall=1200.0),
        host=replace(plan.host, routes=list(dict.fromkeys([*plan.host.routes, *routes]))),
        world=replace(plan.world, addresses=[*plan.world.addresses, *added], zones=list(zones.values())),
    )


def _origin(zones: dict[str, Zone], name: str) -> str:
    """The zone that a name lies in: the closest there is, or its last two labels."""
    labels = name.split(".")
    tails = [".".join(labels[place:]) for place in range(len(labels) - 1)]
    return next((tail for tail in tails if tail in zones), tails[-1] if tails else name)


def _say(zones: dict[str, Zone], origin: str, owner: str, kind: str, data: str, head: str) -> None:
    """Add a record, unless its owner has one of the kind already: that is another's, and stays so.

    The clients whom the product would play are not there, so that their names are free.
    """
    base = zones.get(origin) or Zone(origin, head)
    if not re.search(rf"^{re.escape(owner)}\.\s+IN\s+{kind}\s+(?!198\.18\.7\.)", base.text, re.MULTILINE):
        zones[origin] = replace(base, text=f"{base.text}{owner}. IN {kind} {data}\n")


def wait_for_rest(host: Channel, seconds: float) -> None:
    """Poll until the queue was at rest three times in a row, or for so many seconds."""
    deadline, quiet = time.monotonic() + seconds, 0
    while time.monotonic() < deadline and quiet < 3:
        counts = host.call(CountQueue(), timeout=5)
        quiet = 0 if counts.in_motion else quiet + 1
        time.sleep(0.1)  # between two looks: mail moves from queue to queue while it is counted


def sockets_in(tables: str) -> Iterator[tuple[str, int]]:
    """Address and port of each listening socket beyond loopback in proc_net_tcp(5)."""
    for line in tables.splitlines():
        fields = line.split()
        if len(fields) > 3 and fields[3] == "0A":
            words, _, port = fields[1].partition(":")
            packed = b"".join(bytes.fromhex(words[i : i + 8])[::-1] for i in range(0, len(words), 8))
            address = ipaddress.ip_address(packed)
            if not address.is_loopback:
                yield str(address), int(port, 16)

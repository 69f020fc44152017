"""Makes the plan of a run: the student's host, the world around it, and everything that will be tried."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterable, Iterator
from posixpath import join

from grader.labs.certificates import Pair, authority, certificate
from grader.labs.clients import Clients
from grader.labs.expand import Expansion
from grader.labs.loading import depends_on
from grader.labs.mentions import Mentions, find_mentions
from grader.labs.templates import fill, nearest
from grader.labs.variant import Lot, keyed
from grader.labs.world import World, read_world
from grader.labs.zones import ZoneBook
from grader.model.errors import UsageError
from grader.model.lab import Lab
from grader.model.plan import File, HostSpec, Limits, Peer, Plan, WorldSpec, Zone
from grader.model.submission import Submitted
from grader.model.variant import Variant

_NETWORK = {4: 24, 6: 64}


def make_plan(
    lab: Lab,
    submission: Submitted,
    variant: Variant,
    *,
    student: str | None = None,
    only: set[str] | None = None,
    limits: Limits | None = None,
    when: float | None = None,
) -> Plan:
    """Everything that grading this submission takes.

    ``only`` restricts it to these checks and those that they depend on. ``when`` is the time (seconds since 1970) that
    the mails bear, now unless given; all else follows from the arguments alone, so that the same submission is always
    tried in the same way, while another one cannot know the addresses that the probes will write to.
    Raises ``UsageError`` for an unknown check, ``SubmissionError`` where too much is mentioned to be tried.
    """
    world = read_world()
    names = variant.names
    checks = selected(lab, only)
    lot = Lot(keyed(variant.probe_key, "submission", submission.digest.hex()))
    mentions = find_mentions(submission.files, (names["domain"], names["host"]))
    clients = Clients(world, names, mentions, lot)
    now = time.time() if when is None else when
    attempts = Expansion(lab, world, variant, clients, mentions, lot, now).attempts(checks)
    ca = authority()
    return Plan(
        lab=lab.id,
        lab_version=lab.version,
        student=student,
        variant=variant.id,
        host=_host(lab, submission, variant, clients, world, ca),
        world=_world(world, variant, clients, mentions, ca),
        attempts=attempts,
        limits=limits or Limits(),
        secrets=sorted({*variant.secrets.values(), *(a.login.password for a in attempts if a.login)}),
    )


def selected(lab: Lab, only: Iterable[str] | None) -> set[str]:
    """Codes of the checks to make: those of ``only``, with or without the lab's id before them, and their blockers.

    Raises ``UsageError`` for a code that no check has.
    """
    codes = {check.code: check for check in lab.checks}
    if only is None:
        return set(codes)
    chosen: set[str] = set()
    pending = [code.removeprefix(f"{lab.id}/") for code in sorted(only)]
    while pending:
        code = pending.pop()
        if code not in codes:
            raise UsageError(f"the lab {lab.id} has no check {code!r}{nearest('%r', code, codes)}")
        if code not in chosen:
            chosen.add(code)
            pending += depends_on(codes[code])
    return chosen


def _host(
    lab: Lab, submission: Submitted, variant: Variant, clients: Clients, world: World, ca: Pair
) -> HostSpec:
    names = variant.names
    lan = ipaddress.ip_network(names["lan"])
    connected = [f"{names['host_v4']}/24", f"{names['host_v6']}/64", f"{names['host_lan']}/{lan.prefixlen}"]
    return HostSpec(
        name=names["host"],
        addresses=connected,
        routes=_routes(_world_addresses(world, names, clients), connected),
        nameserver=names["nameserver"],
        files=[*_system_files(lab, variant, ca), *_handed_in(lab, submission)],
        services=list(lab.host.services),
        config_dir=lab.submission.installs,
    )


def _handed_in(lab: Lab, submission: Submitted) -> Iterator[File]:
    for name, data in submission.files.items():
        mode = 0o755 if name in submission.executable else 0o644
        yield File(join(lab.submission.installs, name), data, mode)


def _system_files(lab: Lab, variant: Variant, ca: Pair) -> Iterator[File]:
    """What the lab provides on the host: certificate and key, users and their passwords."""
    names = variant.names
    host = certificate(ca, [names["host"], names["domain"]])
    yield File("/etc/ssl/lab/host.crt", host.certificate + ca.certificate)
    yield File("/etc/ssl/lab/host.key", host.key, 0o640)
    if "dovecot" in lab.host.services:
        users = (("alice", 1001), ("bob", 1002))
        lines = [
            f"{user}:{{PLAIN}}{variant.secrets[f'{user}_password']}:{uid}:{uid}::/home/{user}::\n"
            for user, uid in users
        ]
        yield File("/etc/dovecot/users", "".join(lines).encode(), 0o640, "root:dovecot")


def _world(world: World, variant: Variant, clients: Clients, mentions: Mentions, ca: Pair) -> WorldSpec:
    names = variant.names
    visitor = certificate(ca, ["visitor.stranger.example"], client=True)
    peers = [
        Peer(fill(peer.name, names), [fill(address, names) for address in peer.addresses])
        for peer in world.peers
    ]
    addresses = _world_addresses(world, names, clients)
    return WorldSpec(
        addresses=[f"{address}/{128 if ':' in address else 32}" for address in addresses],
        routes=[f"{names['host_v4']}/32", f"{names['host_v6']}/128", f"{names['host_lan']}/32"],
        nameserver=names["nameserver"],
        zones=_zones(world, names, clients, mentions),
        peers=peers,
        ca=ca.certificate,
        client_certificate=visitor.certificate,
        client_key=visitor.key,
    )


def _world_addresses(world: World, names: dict[str, str], clients: Clients) -> list[str]:
    """Every address that the world plays, each once: the name server's, the peers', the clients'."""
    found = {names["nameserver"]: None}
    found |= {fill(address, names): None for peer in world.peers for address in peer.addresses}
    found |= {client.address: None for client in clients.all()}
    return list(found)


def _routes(addresses: list[str], connected: list[str]) -> list[str]:
    """On-link networks that hold all addresses which no connected network holds."""
    near = [ipaddress.ip_interface(text).network for text in connected]
    routes: dict[str, None] = {}
    for text in addresses:
        address = ipaddress.ip_address(text)
        if not any(address in network for network in near):
            routes[str(ipaddress.ip_network(f"{text}/{_NETWORK[address.version]}", strict=False))] = None
    return list(routes)


def _zones(world: World, names: dict[str, str], clients: Clients, mentions: Mentions) -> list[Zone]:
    book = ZoneBook(names["nameserver"])
    for origin, text in world.zones.items():
        book.declare(fill(origin, names), fill(text, names))
    for peer in world.peers:
        for address in peer.addresses:
            book.pointer(fill(address, names), fill(peer.name, names))
    for key in ("host_v4", "host_v6", "host_lan"):
        book.pointer(names[key], names["host"])
    for client in clients.all():
        if client.name:
            book.pointer(client.address, client.name)
        # A name that has an address already keeps it: its owner would not give it to somebody else.
        if client.name and client.forward and not book.holds(client.name, "A", "AAAA"):
            book.address(client.name, client.address)
    for domain in mentions.domains:
        if not book.holds(domain, "MX", "A", "AAAA") or _outsider(domain, names, book):
            book.add(domain, "MX", f"10 {names['outside_host']}.")
    return book.zones()


def _outsider(domain: str, names: dict[str, str], book: ZoneBook) -> bool:
    """Whether a mentioned name is somebody else's, known to DNS only as a client, and so without a mail server yet."""
    own = domain == names["domain"] or domain.endswith("." + names["domain"])
    return not own and not book.holds(domain, "MX")

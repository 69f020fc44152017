"""Makes the plan of a run: the student's host, the world around it, and everything that will be tried."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterator

from msgspec.structs import replace

from grader.kinds.server.declare import ServerLab
from grader.kinds.server.facts import Published, ServerPlan
from grader.kinds.server.plan.clients import Clients
from grader.kinds.server.plan.expand import Expansion
from grader.kinds.server.plan.host import bare_host
from grader.kinds.server.plan.install import config_dir, installed, published
from grader.kinds.server.plan.load import under_load
from grader.kinds.server.plan.lookalikes import is_name, recipients
from grader.kinds.server.plan.mentions import Mentions, find_mentions
from grader.kinds.server.plan.settings import (
    inner_ports,
    limits_clients,
    may_change,
    most_of_each_client,
    names_who_is_spared,
    ports_asked,
    ports_of_postfix,
    settings_files,
    words_of_dns,
)
from grader.kinds.server.plan.values import foreign_domains
from grader.labs.certificates import KeyPair, authority, certificate
from grader.labs.selection import planned, selected
from grader.labs.variant import KeyedRandom, keyed
from grader.labs.world import LabWorld, read_world
from grader.labs.world_dns import ROOT_SERVERS, ZoneBook
from grader.model.plan import File, HostSpec, Limits, Peer, WorldSpec, Zone
from grader.model.submission import Submission
from grader.model.templates import fill
from grader.model.variant import Variant

_KEYS = "._domainkey."
"""Stands in the name of every key, at which nobody takes mail (RFC 6376 section 3.6.2.1)."""
_NETWORK = {4: 24, 6: 64}


def make(
    lab: ServerLab,
    submission: Submission,
    variant: Variant,
    *,
    student: str | None = None,
    only: set[str] | None = None,
    limits: Limits | None = None,
    when: float | None = None,
) -> ServerPlan:
    """Everything that grading this submission takes.

    ``only`` restricts it to these checks and those that they depend on. ``when`` is the time (seconds since 1970) that
    the mails bear, now unless given; all else follows from the arguments alone, so that the same submission is always
    tried in the same way, while another one cannot know the addresses that the probes will write to.
    Raises ``UsageError`` for an unknown check, ``SubmissionError`` where too much is mentioned to be tried.
    """
    world = read_world()
    names = variant.names
    checks = selected(lab, only)
    random = KeyedRandom(keyed(variant.probe_key, "submission", submission.digest.hex()))
    mentions = find_mentions(submission.files, (names["domain"], names["host"]), names["lan"])
    files = submission.files
    clients = Clients(
        world,
        names,
        mentions,
        random,
        most_of_each_client(files.values()),
        spares_office=not names_who_is_spared(files.values()),
    )
    now = time.time() if when is None else when
    made = Expansion(lab, world, variant, clients, mentions, random, now, files).attempts(checks)
    attempts = [attempt for attempt in made if attempt.port]
    elsewhere = [attempt for attempt in made if not attempt.port]
    ca = authority()
    records = _records(lab, submission, names["domain"])
    return ServerPlan(
        lab=lab.id,
        lab_version=lab.version,
        student=student,
        variant=variant.id,
        host=_host(lab, submission, variant, clients, world, ca),
        world=_world(lab, world, variant, clients, mentions, ca, records),
        attempts=attempts,
        elsewhere=elsewhere,
        limits=limits or Limits(),
        secrets=sorted({*variant.secrets.values(), *(a.login.password for a in made if a.login)}),
        published=records,
        settings=settings_files(lab.submission, submission),
        changeable=mentions.programs.brought or may_change(files.values()),
        limited=limits_clients(files.values()),
        programs=mentions.programs.brought,
        unheard=clients.unheard,
        under_load=under_load(lab.submission, submission),
        inner_ports=inner_ports(files),
        untold=mentions.programs.untold,
        feigned=mentions.programs.brought and words_of_dns(files.values()),
        explained_ports=[*ports_of_postfix(files), *ports_asked(files)],
        checks=planned(lab, only),
    )


def _host(
    lab: ServerLab, submission: Submission, variant: Variant, clients: Clients, world: LabWorld, ca: KeyPair
) -> HostSpec:
    names = variant.names
    bare = bare_host(lab, names)
    handed_in = list(installed(lab.submission, submission))
    return replace(
        bare,
        routes=_routes([*_world_addresses(world, names, clients), *_roots(lab)], bare.addresses),
        files=[*_system_files(lab, variant, ca), *(file for _, file in handed_in)],
        config_dir=config_dir(lab.submission),
        handed_in=[name for name, _ in handed_in],
        # Postfix is the student's, and OpenDKIM's settings are.
        early=[service for service in lab.host.services if service == "dovecot"],
    )


def _records(lab: ServerLab, submission: Submission, domain: str) -> Published | None:
    """What the submission has DNS say; ``None`` in a lab that publishes nothing."""
    if lab.submission.publishes is None:
        return None
    from grader.kinds.server.plan.records import read_key_records

    return read_key_records(published(lab.submission, submission), domain)


def _system_files(lab: ServerLab, variant: Variant, ca: KeyPair) -> Iterator[File]:
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


def _roots(lab: ServerLab) -> list[str]:
    """The root servers' addresses, where a program of the host asks them: OpenDKIM, unless it is told of a resolver."""
    return list(ROOT_SERVERS.values()) if "opendkim" in lab.host.services else []


def _world(
    lab: ServerLab,
    world: LabWorld,
    variant: Variant,
    clients: Clients,
    mentions: Mentions,
    ca: KeyPair,
    records: Published | None,
) -> WorldSpec:
    names = variant.names
    visitor = certificate(ca, ["visitor.stranger.example"], client=True)
    peers = [
        Peer(
            fill(peer.name, names),
            [fill(address, names) for address in peer.addresses],
            smtputf8=peer.smtputf8,
        )
        for peer in world.peers
    ]
    roots = _roots(lab)
    addresses = [*_world_addresses(world, names, clients), *roots]
    return WorldSpec(
        addresses=[f"{address}/{128 if ':' in address else 32}" for address in addresses],
        routes=[f"{names['host_v4']}/32", f"{names['host_v6']}/128", f"{names['host_lan']}/32"],
        nameserver=names["nameserver"],
        zones=_with_keys(
            _zones(world, names, clients, mentions, roots=bool(roots)), names["domain"], records
        ),
        peers=peers,
        ca=ca.certificate,
        client_certificate=visitor.certificate,
        client_key=visitor.key,
        roots=roots,
    )


def _world_addresses(world: LabWorld, names: dict[str, str], clients: Clients) -> list[str]:
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


def _zones(
    world: LabWorld, names: dict[str, str], clients: Clients, mentions: Mentions, *, roots: bool
) -> list[Zone]:
    book = ZoneBook(names["nameserver"])
    if roots:
        book.roots()
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
        if client.name and client.forward and (client.again or not book.holds(client.name, "A", "AAAA")):
            book.address(client.name, client.address)
    book.add(clients.unheard, "MX", f"10 {names['outside_host']}.")
    lookalikes = recipients(names, mentions.samples) if mentions.samples else []
    elsewhere = [domain for text in lookalikes if is_name(domain := text.rpartition("@")[2])]
    for domain in dict.fromkeys([*mentions.domains, *foreign_domains(mentions, names["domain"]), *elsewhere]):
        if _KEYS in f".{domain}":
            continue
        if not book.holds(domain, "MX", "A", "AAAA") or _outsider(domain, names, book):
            book.add(domain, "MX", f"10 {names['outside_host']}.")
    return book.zones()


def _with_keys(zones: list[Zone], domain: str, records: Published | None) -> list[Zone]:
    if records is None:
        return zones
    return [replace(z, records=records.records) if z.origin == domain else z for z in zones]


def _outsider(domain: str, names: dict[str, str], book: ZoneBook) -> bool:
    """Whether a mentioned name is somebody else's, known to DNS only as a client, and so without a mail server yet."""
    own = domain == names["domain"] or domain.endswith("." + names["domain"])
    return not own and not book.holds(domain, "MX")

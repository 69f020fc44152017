"""Who passes SPF for a domain, of all the addresses that there are: computed from its record, term by term.

A few sample addresses would miss what lies between them. The set of those who pass is exact, save where a record asks
for a name that is made from the client's address or from what the client says (macros, ``ptr``): there the addresses
and words are tried that the zone itself names, and one that it does not name.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence

from grader.formats.networks import AddressSet, Network, Version
from grader.formats.spf import VERSION as SPF
from grader.kinds.zone.declare import SenderRequest
from grader.kinds.zone.facts import Outsider, Senders
from grader.kinds.zone.run import dmarc
from grader.kinds.zone.run.resolver import NoAnswer, Resolver
from grader.kinds.zone.run.spf import as_fact
from grader.kinds.zone.run.spfcheck import Evaluator, SpfState, SpfVerdict
from grader.model.dns import ZoneRecord

FAMILIES: tuple[Version, ...] = (4, 6)
MOST_NETWORKS = 16
"""Networks that are written down of one set."""
MOST_NAMES = 400
"""Names of a zone that are looked at."""
MOST_WORDS = 40
"""Words of the zone that are tried as what a client says."""
MOST_OUTSIDERS = 20
STRANGERS = (ipaddress.ip_address("198.51.100.66"), ipaddress.ip_address("2001:db8:bad::66"))
"""Addresses that are nobody's in particular (RFC 5737, RFC 3849), shown where they are among many others."""
STRANGER = "client.invalid"
ANYBODY = "anybody"
"""A local part, or a label below a wildcard, that no zone names."""


def compute(
    resolver: Resolver, attempt: str, request: SenderRequest, records: Sequence[ZoneRecord]
) -> Senders:
    """Everybody who passes. ``records`` are those of the zone that was handed in."""
    domain = request.domain.lower().rstrip(".")
    allowed = [ipaddress.ip_network(text, strict=False) for text in request.allowed]
    cuts = list(_cuts(records))
    names = [domain]
    try:
        if request.below:
            named = (name for name in below(domain, records) if has_record(resolver, name))
            names += [name for name in named if aligned(resolver, name, domain)]
        everybody: list[SpfVerdict] = []
        outsiders: list[Outsider] = []
        for name in names:
            for sender, helo, verdict in _passing(resolver, name, records, cuts):
                if name == domain:
                    everybody.append(verdict)
                outsiders += _outside(verdict, name, allowed, sender, helo)
    except NoAnswer:
        return Senders(attempt, domain, names, [], [], complete=False)
    return Senders(
        attempt=attempt,
        domain=domain,
        names=names,
        passing=_listed(verdict.state.clients for verdict in everybody),
        outsiders=_each_once(outsiders)[:MOST_OUTSIDERS],
        complete=not resolver.deadline.over,
    )


def below(domain: str, records: Sequence[ZoneRecord]) -> list[str]:
    """The names below a domain that a sender could use; for a wildcard, one that it covers (RFC 4592)."""
    owners = dict.fromkeys(record.owner for record in records if record.owner.endswith(f".{domain}"))
    names = (ANYBODY + name[1:] if name.startswith("*.") else name for name in owners)
    return list(dict.fromkeys(names))[:MOST_NAMES]


def has_record(resolver: Resolver, name: str) -> bool:
    """Whether a name has an SPF record. Raises ``NoAnswer``."""
    return any(SPF.match(text.decode("latin-1")) for text in resolver.texts(name))


def aligned(resolver: Resolver, name: str, domain: str) -> bool:
    """Whether SPF for a name authenticates mail of the domain (RFC 9989 section 4.4). Raises ``NoAnswer``.

    Without a policy nothing is aligned yet; the relaxed alignment that is the default is meant then.
    """
    policy = dmarc.discover(resolver, domain)
    if policy is not None and policy.record.option("aspf", "r") == "s":
        return False
    return policy is None or dmarc.organization(resolver, name) == dmarc.organization(resolver, domain)


def _passing(
    resolver: Resolver, name: str, records: Sequence[ZoneRecord], cuts: list[AddressSet]
) -> Iterator[tuple[str, str, SpfVerdict]]:
    """Those who pass for a name, each time with the sender and the HELO name that they need to say, if any."""
    letters: set[str] = set()
    for verdict in _pass(resolver, name, ANYBODY, STRANGER, cuts, letters):
        yield "", "", verdict
    if letters & {"s", "l"}:
        for word in _words(records):
            for verdict in _pass(resolver, name, word, STRANGER, cuts, letters):
                yield f"{word}@{name}", "", verdict
    if "h" in letters:
        for helo in list(dict.fromkeys(record.owner for record in records))[:MOST_WORDS]:
            for verdict in _pass(resolver, name, ANYBODY, helo, cuts, letters):
                yield "", helo, verdict


def _pass(
    resolver: Resolver, name: str, local: str, helo: str, cuts: list[AddressSet], letters: set[str]
) -> Iterator[SpfVerdict]:
    for version in FAMILIES:
        evaluator = Evaluator(resolver, f"{local}@{name}", helo, witnesses=cuts)
        for verdict in evaluator.check(name, [SpfState(AddressSet.everything(version))]):
            if verdict.trouble == "no-answer":
                raise NoAnswer(verdict.about)
            if verdict.result == "pass":
                yield verdict
        letters |= evaluator.letters


def _outside(
    verdict: SpfVerdict, name: str, allowed: Iterable[Network], sender: str, helo: str
) -> Iterator[Outsider]:
    clients = verdict.state.clients
    others = clients - AddressSet.of(clients.version, allowed)
    if others:
        known = others & AddressSet.of(clients.version, STRANGERS)
        witness = str((known or others).witness)
        yield Outsider(name, _listed([others]), witness, as_fact(verdict, name), sender, helo)


def _each_once(outsiders: list[Outsider]) -> list[Outsider]:
    """The first for each set of addresses and way: what was tried with other words says nothing new."""
    found: dict[tuple[object, ...], Outsider] = {}
    for one in outsiders:
        found.setdefault(
            (one.domain, *one.networks, *((step.domain, step.start) for step in one.spf.steps)), one
        )
    return list(found.values())


def _listed(sets: Iterable[AddressSet]) -> list[str]:
    """Sets of addresses as networks, the widest few of each family."""
    joined: dict[Version, AddressSet] = {}
    for addresses in sets:
        known = joined.get(addresses.version)
        joined[addresses.version] = known | addresses if known else addresses
    found = []
    for addresses in joined.values():
        networks = sorted(addresses.networks(), key=lambda network: network.prefixlen)
        found += [str(network) for network in networks[:MOST_NETWORKS]]
    return found


def _words(records: Iterable[ZoneRecord]) -> list[str]:
    """The first labels of the zone's names, as local parts for records that ask for them."""
    labels = dict.fromkeys(record.owner.partition(".")[0] for record in records)
    return [label for label in labels if label not in ("", "*", "@")][:MOST_WORDS]


def _cuts(records: Iterable[ZoneRecord]) -> Iterator[AddressSet]:
    """The networks that a zone's names and addresses speak of, the narrowest first.

    A name holds an address as ``%{i}`` or ``%{ir}`` write it; a wildcard holds a network in the second form.
    """
    found: dict[Network, None] = {}
    for record in records:
        if record.type in ("A", "AAAA"):
            found[ipaddress.ip_network(record.data)] = None
        labels = record.owner.split(".")
        for network in [*_quads(labels), *_nibbles(labels)]:
            found[network] = None
    for network in sorted(found, key=lambda one: one.max_prefixlen - one.prefixlen):
        yield AddressSet.of(4 if network.version == 4 else 6, [network])


def _quads(labels: list[str]) -> Iterator[Network]:
    """IPv4 addresses in runs of four numbers, and networks behind a wildcard's star."""
    for start in range(len(labels)):
        run = labels[start : start + 4]
        if len(run) == 4 and all(map(_is_octet, run)):
            yield ipaddress.ip_network(".".join(run))
            yield ipaddress.ip_network(".".join(reversed(run)))
    if labels[0] == "*":
        for length in (1, 2, 3):
            run = labels[1 : 1 + length]
            if len(run) == length and all(map(_is_octet, run)):
                octets = [*reversed(run), *["0"] * (4 - length)]
                yield ipaddress.ip_network(f"{'.'.join(octets)}/{8 * length}")


def _nibbles(labels: list[str]) -> Iterator[Network]:
    """IPv6 addresses in runs of 32 nibbles, and networks behind a wildcard's star."""
    for start in range(len(labels)):
        run = labels[start : start + 32]
        if len(run) == 32 and all(map(_is_nibble, run)):
            yield _nibbled(run)
            yield _nibbled(run[::-1])
    if labels[0] == "*":
        run = [label for label in labels[1:33] if _is_nibble(label)]
        if run and all(map(_is_nibble, labels[1 : 1 + len(run)])):
            yield _nibbled(run[::-1])


def _nibbled(nibbles: list[str]) -> Network:
    number = int("".join(nibbles).ljust(32, "0"), 16)
    return ipaddress.ip_network((number, 4 * len(nibbles)))


def _is_octet(label: str) -> bool:
    return (
        label.isascii()
        and label.isdigit()
        and len(label) < 4
        and int(label) < 256
        and label == str(int(label))
    )


def _is_nibble(label: str) -> bool:
    return len(label) == 1 and label in "0123456789abcdef"

"""Who gets which SPF result for a domain, of all the addresses that there are: computed from its record, term by term.

A few sample addresses would miss what lies between them. The sets are exact, save where a record asks for a name that
is made from the client's address or from what the client says (macros, ``ptr``): there the addresses and words are
tried that lead to names that there are, and one that does not.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from grader.formats.networks import AddressSet, Version
from grader.formats.spf import VERSION as SPF
from grader.kinds.zone.declare import SenderRequest
from grader.kinds.zone.facts import Outsider, Senders
from grader.kinds.zone.run import dmarc, strangers
from grader.kinds.zone.run.inverse import ANYBODY, Owners, Saying
from grader.kinds.zone.run.resolver import NoAnswer, Resolver, TimeOver
from grader.kinds.zone.run.spf import FAMILIES, as_fact, everybody
from grader.kinds.zone.run.spfcheck import Evaluator
from grader.kinds.zone.run.spfstates import SpfState, SpfVerdict

MOST_NETWORKS = 16
"""Networks that are written down of one set."""
MOST_OUTSIDERS = 20
WEAKEST_FIRST = ("permerror", "temperror", "none", "neutral", "softfail", "fail")
"""The results of those who do not pass."""


def compute(resolver: Resolver, attempt: str, request: SenderRequest, zones: Owners) -> Senders:
    """What everybody gets. ``zones`` are those that may be asked for, the one that was handed in first."""
    domain = request.domain.lower().rstrip(".")
    allowed = [ipaddress.ip_network(text, strict=False) for text in request.allowed]
    names = [domain]
    passing: list[AddressSet] = []
    outsiders: list[Outsider] = []
    others: list[_Standing] = []
    try:
        if request.below:
            texts = (name for name in below(domain, zones) if name in zones.speaking)
            named = (name for name in texts if has_record(resolver, name))
            names += [name for name in named if aligned(resolver, name, domain)]
        for name in names:
            for saying, verdict in _everybody(resolver, name, zones):
                clients = verdict.state.clients
                standing = _Standing(name, saying, verdict, clients - AddressSet.of(clients.version, allowed))
                if verdict.result == "pass":
                    passing += [clients] if name == domain else []
                    outsiders += [_outsider(standing)] if standing.clients else []
                elif name == domain and standing.clients:
                    others.append(standing)
    except TimeOver:
        return Senders(attempt, domain, names, [], [], complete=False)
    return Senders(
        attempt=attempt,
        domain=domain,
        names=names,
        passing=_listed(passing),
        outsiders=_each_once(outsiders)[:MOST_OUTSIDERS],
        others=[_outsider(standing) for standing in _joined(others)][:MOST_OUTSIDERS],
        complete=zones.complete and not resolver.deadline.over,
    )


def below(domain: str, zones: Owners) -> list[str]:
    """The names below a domain that a sender could use; for a wildcard, one that it covers (RFC 4592).

    Of names that fare alike, a few.
    """
    spare = zones.alike.spare
    return [name for name in dict.fromkeys(zones.said) if name.endswith(f".{domain}") and name not in spare]


def has_record(resolver: Resolver, name: str) -> bool:
    """Whether a name has an SPF record; none where DNS cannot tell. Raises ``TimeOver``."""
    try:
        return any(SPF.match(text.decode("latin-1")) for text in resolver.texts(name))
    except TimeOver:
        raise
    except NoAnswer:
        return False


def aligned(resolver: Resolver, name: str, domain: str) -> bool:
    """Whether SPF for a name authenticates mail of the domain (RFC 9989 section 4.4). Raises ``TimeOver``.

    Without a policy nothing is aligned yet; the relaxed alignment that is the default is meant then. Where DNS cannot
    tell what a name belongs to, receivers come to no pass.
    """
    policy = _policy(resolver, domain)
    if policy is None:
        return True
    if policy.record.option("aspf", "r") == "s":
        return False
    try:
        return dmarc.organization(resolver, name) == dmarc.organization(resolver, domain)
    except TimeOver:
        raise
    except NoAnswer:
        return False


def _policy(resolver: Resolver, domain: str) -> dmarc.Policy | None:
    """The policy of a domain, where receivers find one. Raises ``TimeOver``."""
    try:
        return dmarc.discover(resolver, domain)
    except TimeOver:
        raise
    except NoAnswer:
        return None


class _Standing(NamedTuple):
    """What some clients get for a name, if they put themselves so."""

    name: str
    saying: Saying
    verdict: SpfVerdict
    clients: AddressSet


def _everybody(resolver: Resolver, name: str, zones: Owners) -> Iterator[tuple[Saying, SpfVerdict]]:
    """What all clients get for a name, each time with what they need to say, if anything."""
    sayings: dict[Saying, None] = {}
    for verdict in _verdicts(resolver, name, Saying(), zones, sayings):
        yield Saying(), verdict
    for saying in list(sayings):
        for verdict in _verdicts(resolver, name, saying, zones, {}):
            yield saying, verdict


def _verdicts(
    resolver: Resolver, name: str, saying: Saying, zones: Owners, more: dict[Saying, None]
) -> Iterator[SpfVerdict]:
    """What all clients get who put themselves so. ``more`` is filled with what else may matter. Raises ``TimeOver``."""
    for version in FAMILIES:
        sender, helo = f"{saying.local or ANYBODY}@{name}", saying.helo or strangers.NOBODY
        evaluator = Evaluator(resolver, sender, helo, owners=zones)
        for verdict in evaluator.check(name, [SpfState(everybody(version))]):
            if resolver.deadline.over:
                raise TimeOver(verdict.about)
            yield verdict
        more |= dict.fromkeys(evaluator.sayings())


def _outsider(standing: _Standing) -> Outsider:
    name, saying, verdict, others = standing
    known = others & AddressSet.of(others.version, strangers.ADDRESSES)
    return Outsider(
        domain=name,
        networks=_listed([others]),
        witness=str((known or others).witness),
        spf=as_fact(verdict, name),
        sender=f"{saying.local}@{name}" if saying.local else "",
        helo=saying.helo,
    )


def _joined(standings: list[_Standing]) -> list[_Standing]:
    """One for each result and term in each family, the weakest first; what was said otherwise to no end is left out."""
    found: dict[tuple[object, ...], _Standing] = {}
    for one in standings:
        verdict = one.verdict
        key = verdict.result, verdict.path, verdict.inner, verdict.about, one.clients.version
        known = found.get(key)
        if known is None:
            found[key] = one
        elif known.saying == one.saying:
            found[key] = known._replace(clients=known.clients | one.clients)
    return sorted(found.values(), key=lambda one: WEAKEST_FIRST.index(one.verdict.result))


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

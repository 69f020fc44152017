"""What receivers conclude from SPF (RFC 7208): of a message, of a record."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from grader.formats.address import split_address
from grader.formats.networks import Address, AddressSet, Version
from grader.formats.spf import read_record
from grader.kinds.zone.facts import Measured, Spf, SpfLookup
from grader.kinds.zone.run.explanation import explanation
from grader.kinds.zone.run.inverse import Owners
from grader.kinds.zone.run.resolver import NoAnswer, Resolver
from grader.kinds.zone.run.spfcheck import MOST_VOIDS, Evaluator
from grader.kinds.zone.run.spfstates import SpfState, SpfVerdict

FAMILIES: tuple[Version, ...] = (4, 6)
MAPPED = ipaddress.ip_network("::ffff:0:0/96")
"""IPv4 addresses in IPv6 ones (RFC 4291 section 2.5.5.2): clients with them are clients with IPv4 (section 5)."""


def evaluate(resolver: Resolver, *, client: str, sender: str, helo: str) -> Spf:
    """The result of check_host() for a message (RFC 7208 section 4); a null sender stands for the HELO name."""
    ((_, found),) = evaluate_all(resolver, _one(client), sender=sender, helo=helo)
    return found


def evaluate_all(
    resolver: Resolver, clients: AddressSet, *, sender: str, helo: str, zones: Owners | None = None
) -> list[tuple[str, Spf]]:
    """The results for a message from each of many clients: one of them for each result and term that leads to it."""
    identity = _identity(sender, helo)
    domain = split_address(identity).domain
    if not _can_have_record(domain):
        return [(str(clients.witness), Spf("none", domain))]
    found: dict[tuple[object, ...], tuple[str, Spf]] = {}
    for verdict in Evaluator(resolver, identity, helo, owners=zones).check(domain, [SpfState(clients)]):
        if (key := (verdict.result, verdict.path, verdict.inner, verdict.about)) not in found:
            fact = as_fact(verdict, domain, explanation(resolver, identity, helo, verdict))
            found[key] = str(verdict.state.clients.witness), fact
    return list(found.values())


def as_fact(verdict: SpfVerdict, domain: str, said: str = "") -> Spf:
    """A verdict on clients of a domain, for the evidence."""
    last = verdict.path[-1] if verdict.path else None
    fault = verdict.broken.fault if verdict.broken else None
    if verdict.undecided:
        last = None
    return Spf(
        result=verdict.result,
        domain=domain,
        explanation=said,
        term=last.term if last else "",
        holder=last.domain if last else verdict.domain,
        steps=list(verdict.inner or verdict.path),
        trouble=verdict.trouble,
        limit=verdict.limit,
        fault=fault.kind if fault else None,
        fault_at=(fault.start, fault.end) if fault else None,
        about=verdict.about,
    )


def measure(resolver: Resolver, attempt: str, domain: str, zones: Owners | None = None) -> Measured:
    """How many look-ups the SPF record of a domain takes, for the client that it costs most, and what goes wrong.

    ``zones`` are those whose names clients may lead to.
    """
    try:
        texts = resolver.texts(domain)
    except NoAnswer:
        return Measured(
            attempt, domain, [], 0, 0, Spf("temperror", domain, trouble="no-answer", about=domain)
        )
    worst = max(_verdicts(resolver, domain, zones, enforce=True), key=_harm)
    dearest = max(
        _verdicts(resolver, domain, zones, enforce=False),
        key=lambda verdict: (verdict.state.voids > MOST_VOIDS, verdict.state.lookups, verdict.state.voids),
    )
    lax = Evaluator(resolver, f"postmaster@{domain}", domain, enforce=False)
    (end,) = lax.check(domain, [SpfState(_one(str(dearest.state.clients.witness)))])
    return Measured(
        attempt=attempt,
        domain=domain,
        records=[
            text.decode("utf-8", "backslashreplace") for text in texts if read_record(text.decode("latin-1"))
        ],
        lookups=end.state.lookups,
        voids=end.state.voids,
        verdict=as_fact(worst, domain),
        counted=[
            SpfLookup(list(path), [name for there, name in lax.found_nothing if there is path])
            for path in lax.asked
        ],
    )


def _verdicts(
    resolver: Resolver, domain: str, zones: Owners | None, *, enforce: bool
) -> Iterator[SpfVerdict]:
    """What all clients get for a domain."""
    for version in FAMILIES:
        evaluator = Evaluator(resolver, f"postmaster@{domain}", domain, enforce=enforce, owners=zones)
        yield from evaluator.check(domain, [SpfState(everybody(version))])


def everybody(version: Version) -> AddressSet:
    """All clients that there are of a family."""
    return AddressSet.everything(version) - AddressSet.of(version, [MAPPED])


def _harm(verdict: SpfVerdict) -> tuple[bool, bool, bool]:
    """What goes wrong before what exceeds a limit; for a client that nothing matched, so that all was read."""
    return (
        verdict.trouble not in (None, "limit"),
        verdict.trouble is not None,
        verdict.undecided or verdict.result != "pass",
    )


def _identity(sender: str, helo: str) -> str:
    """Who is checked (section 2.4 and 4.3): without a sender the HELO name, without a local part its postmaster."""
    if not sender:
        return f"postmaster@{helo}"
    address = split_address(sender)
    if address.at < 0:
        return f"postmaster@{sender}"
    return sender if address.local else f"postmaster@{address.domain}"


def _can_have_record(domain: str) -> bool:
    """Whether a domain is one of several labels, as RFC 7208 section 4.3 demands."""
    labels = domain.removesuffix(".").split(".")
    return len(labels) > 1 and all(0 < len(label) < 64 for label in labels)


def of_network(client: str) -> AddressSet:
    """A client, or all in a network, as a set. Raises ``ValueError`` for what is neither."""
    network = ipaddress.ip_network(client, strict=False)
    if network.num_addresses == 1:
        return _one(str(network.network_address))
    return AddressSet.of(6 if network.version == 6 else 4, [network])


def _one(client: str) -> AddressSet:
    """A client as a set. An IPv4 address in an IPv6 one is the IPv4 address (section 5)."""
    address: Address = ipaddress.ip_address(client)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return AddressSet.of(6 if address.version == 6 else 4, [address])

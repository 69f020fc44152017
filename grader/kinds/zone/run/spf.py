"""What receivers conclude from SPF (RFC 7208): of a message, of a record."""

from __future__ import annotations

import ipaddress

from grader.formats.address import split_address
from grader.formats.networks import Address, AddressSet
from grader.formats.spf import read_record
from grader.kinds.zone.facts import Measured, Spf, SpfLookup
from grader.kinds.zone.run.resolver import NoAnswer, Resolver
from grader.kinds.zone.run.spfcheck import Evaluator, SpfState, SpfVerdict

BYSTANDERS = ("192.0.2.1", "2001:db8:dead::1")
"""Clients for which a record is measured: nobody in particular, so that it is read to its end."""


def evaluate(resolver: Resolver, *, client: str, sender: str, helo: str) -> Spf:
    """The result of check_host() for a message (RFC 7208 section 4); a null sender stands for the HELO name."""
    identity = _identity(sender, helo)
    domain = split_address(identity).domain
    if not _can_have_record(domain):
        return Spf("none", domain)
    evaluator = Evaluator(resolver, identity, helo)
    (verdict,) = evaluator.check(domain, [SpfState(_one(client))])
    return as_fact(verdict, domain, evaluator.explanation(verdict))


def as_fact(verdict: SpfVerdict, domain: str, explanation: str = "") -> Spf:
    """A verdict on clients of a domain, for the evidence."""
    last = verdict.path[-1] if verdict.path else None
    fault = verdict.broken.fault if verdict.broken else None
    if verdict.undecided:
        last = None
    return Spf(
        result=verdict.result,
        domain=domain,
        explanation=explanation,
        term=last.term if last else "",
        holder=last.domain if last else verdict.domain,
        steps=list(verdict.inner or verdict.path),
        trouble=verdict.trouble,
        limit=verdict.limit,
        fault=fault.kind if fault else None,
        fault_at=(fault.start, fault.end) if fault else None,
        about=verdict.about,
    )


def measure(resolver: Resolver, attempt: str, domain: str) -> Measured:
    """How many look-ups the SPF record of a domain takes, for the worse of an IPv4 and an IPv6 client."""
    found = [_measured(resolver, attempt, domain, client) for client in BYSTANDERS]
    return max(
        found,
        key=lambda one: (one.verdict is not None and one.verdict.trouble is not None, one.voids, one.lookups),
    )


def _measured(resolver: Resolver, attempt: str, domain: str, client: str) -> Measured:
    sender = f"postmaster@{domain}"
    try:
        texts = resolver.texts(domain)
    except NoAnswer:
        return Measured(
            attempt, domain, [], 0, 0, Spf("temperror", domain, trouble="no-answer", about=domain)
        )
    (strict,) = Evaluator(resolver, sender, domain).check(domain, [SpfState(_one(client))])
    lax = Evaluator(resolver, sender, domain, enforce=False)
    (end,) = lax.check(domain, [SpfState(_one(client))])
    return Measured(
        attempt=attempt,
        domain=domain,
        records=[
            text.decode("utf-8", "backslashreplace") for text in texts if read_record(text.decode("latin-1"))
        ],
        lookups=end.state.lookups,
        voids=end.state.voids,
        verdict=as_fact(strict, domain),
        counted=[
            SpfLookup(list(path), [name for there, name in lax.found_nothing if there is path])
            for path in lax.asked
        ],
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


def _one(client: str) -> AddressSet:
    """A client as a set. An IPv4 address in an IPv6 one is the IPv4 address (section 5)."""
    address: Address = ipaddress.ip_address(client)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return AddressSet.of(6 if address.version == 6 else 4, [address])

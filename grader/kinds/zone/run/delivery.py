"""Where senders bring the mail for a domain: from its MX records to addresses (RFC 5321 section 5.1)."""

from __future__ import annotations

import ipaddress

from grader.kinds.zone.declare import DeliveryRequest
from grader.kinds.zone.facts import Delivery, Exchanger
from grader.kinds.zone.run.resolver import NoAnswer, Resolver


def follow(resolver: Resolver, attempt: str, request: DeliveryRequest) -> Delivery:
    """Every address that some sender could bring the mail to."""
    domain = request.domain.lower().rstrip(".")
    wanted = [str(ipaddress.ip_address(text)) for text in request.addresses]
    try:
        records = sorted(resolver.ask(domain, "MX").values)
        # Without an MX the domain itself is the host that takes its mail.
        chosen = records or [(0, domain)]
        found = [_exchanger(resolver, preference, name, domain) for preference, name in chosen]
    except NoAnswer:
        return Delivery(attempt, domain, wanted, [], answered=False)
    return Delivery(attempt, domain, wanted, found, implicit=not records)


def _exchanger(resolver: Resolver, preference: int, name: str, domain: str) -> Exchanger:
    if not name:
        return Exchanger("", preference, [])  # the null MX (RFC 7505)
    alias = resolver.ask(name, "CNAME").values
    addresses = [address for type_ in ("A", "AAAA") for address in resolver.ask(name, type_).values]
    return Exchanger(name, preference, addresses, is_alias=bool(alias) and name != domain)

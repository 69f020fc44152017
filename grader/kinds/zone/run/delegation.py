"""Who answers for a domain and the names below it: NS records, followed to the addresses of the servers.

Whoever runs a server that a zone leaves a name to says all that there is of it: who may send as it, what its policy is.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from contextlib import suppress

from grader.kinds.zone.declare import ServerRequest
from grader.kinds.zone.facts import Delegation, Delegations, NameServer
from grader.kinds.zone.run.names import within
from grader.kinds.zone.run.resolver import NoAnswer, Resolver
from grader.model.dns import ZoneRecord

MOST_OTHERS = 20
MOST_SERVERS = 20
"""Servers of one name that are written down, of those who may answer and of those who may not."""


def follow(
    resolver: Resolver, attempt: str, request: ServerRequest, records: Sequence[ZoneRecord]
) -> Delegations:
    """The servers of a domain, and the names below it that are left to servers which may not answer.

    ``records`` are those of the zone that was handed in.
    """
    domain = request.domain.lower().rstrip(".")
    own = Delegation(domain, [])
    others: list[Delegation] = []
    named: dict[str, dict[str, None]] = {}
    glue: dict[str, list[str]] = {}
    for record in records:
        if record.type == "NS" and within(record.owner, domain):
            named.setdefault(record.owner, {})[record.data.lower().rstrip(".")] = None
        elif record.type in ("A", "AAAA"):
            glue.setdefault(record.owner, []).append(record.data)
    allowed = {_written(text) for text in request.allowed}
    for owner, names in named.items():
        if len(others) >= MOST_OTHERS and owner != domain:
            continue
        servers = [
            _server(name, _addresses(resolver, name, glue), domain, allowed, is_own=owner == domain)
            for name in names
        ]
        servers = [
            server
            for is_allowed in (True, False)
            for server in [one for one in servers if one.allowed is is_allowed][:MOST_SERVERS]
        ]
        if owner == domain:
            own = Delegation(owner, servers)
        elif not all(server.allowed for server in servers):
            others.append(Delegation(owner, servers))
    return Delegations(attempt, domain, sorted(allowed), own, others)


def _server(name: str, addresses: list[str], domain: str, allowed: set[str], *, is_own: bool) -> NameServer:
    """A server; ``is_own`` says that it is one of the domain itself.

    The domain's own server has the zone, whatever its name is. A name below that is left to another owner's server, be
    it the same machine, is that owner's to have there. A server in the domain that has no address answers nothing.
    """
    named = within(name, domain) or (is_own and bool(addresses))
    return NameServer(name, addresses, name in allowed or (named and set(addresses) <= allowed))


def _addresses(resolver: Resolver, name: str, glue: dict[str, list[str]]) -> list[str]:
    """The addresses of a server; of one below a name that it answers for, those given beside the NS record (glue)."""
    found = glue.get(name, [])
    with suppress(NoAnswer):
        found = found or [address for type_ in ("A", "AAAA") for address in resolver.ask(name, type_).values]
    return [_written(address) for address in found]


def _written(text: str) -> str:
    """An address or a name in one way of writing it."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text.lower().rstrip(".")

"""Whether the domain's own servers answer for it, and nobody else's for a name in it."""

from __future__ import annotations

from grader.kinds.zone.facts import Delegation, Delegations, NameServer, ZoneFacts
from grader.model.diagnostic import Span

MOST_SHOWN = 4
"""Names that a sentence lists."""


def unserved(found: Delegations) -> str | None:
    """Why nobody could ask for the zone; ``None`` where a server of its own can be asked."""
    servers = found.own.servers
    if any(server.name in found.allowed or set(server.addresses) & set(found.allowed) for server in servers):
        return None
    told = [
        f"{server.name} ({', '.join(server.addresses) or 'no address'})" for server in servers[:MOST_SHOWN]
    ]
    return (
        f"The NS records of {found.domain} lead to {', '.join(told)}, and not to its nameserver, "
        f"{' or '.join(found.allowed)}: whoever asks there finds nothing of this zone."
    )


def given_away(found: Delegations) -> str | None:
    """The first name that others answer for, in full, and which else; ``None`` where there is none."""
    names = [one for one in (found.own, *found.others) if _strange(one)]
    if not names:
        return None
    first, *more = names
    whom = ", ".join(_named(server, found) for server in _strange(first)[:MOST_SHOWN])
    sentence = f"The NS record of {first.owner} leaves it to {whom}"
    counts = f", and that counts for {found.domain} (RFC 9989 section 4.4)"
    if first.owner == found.domain:
        sentence, counts = f"The NS records of {found.domain} name {whom}, which is not its own server", ""
    sentence += (
        f": whoever answers there says all that there is of {first.owner} and the names below it, and who may send as "
        f"them{counts}."
    )
    if not more:
        return sentence
    return f"{sentence} The same goes for {', '.join(one.owner for one in more[:MOST_SHOWN])}."


def _named(server: NameServer, found: Delegations) -> str:
    """A server of somebody else's: by its name alone where that is, by addresses where the name is the domain's own."""
    if not server.name.endswith(f".{found.domain}"):
        return server.name
    return f"{server.name} at {', '.join(_strange_addresses(server, found)[:MOST_SHOWN])}"


def _strange_addresses(server: NameServer, found: Delegations) -> list[str]:
    return [address for address in server.addresses if address not in found.allowed]


def places(found: Delegations, zone: ZoneFacts) -> list[Span]:
    """The NS records that name servers of others, and the addresses that make them so."""
    strange = {(one.owner, server.name) for one in (found.own, *found.others) for server in _strange(one)}
    names = {name for _, name in strange}
    spans = [
        record.place
        for record in zone.records
        if (record.type == "NS" and (record.owner, record.data.lower().rstrip(".")) in strange)
        or (record.type in ("A", "AAAA") and record.owner in names and record.data not in found.allowed)
    ]
    return list(dict.fromkeys(spans))


def _strange(one: Delegation) -> list[NameServer]:
    return [server for server in one.servers if not server.allowed]

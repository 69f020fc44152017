"""Names of hosts and clients as SPF writes and compares them (RFC 7208)."""

from __future__ import annotations

from grader.formats.networks import Address


def best(names: list[str], domain: str) -> str:
    """The name for ``%{p}``: the domain itself before one in it before any other (section 7.3)."""
    inside = [name for name in names if within(name, domain)]
    return next((name for name in inside if name == domain.lower()), (inside or names or ["unknown"])[0])


def dotted(client: Address) -> str:
    """The address for ``%{i}``: IPv6 as nibbles with dots between them (section 7.3)."""
    if client.version == 4:
        return str(client)
    return ".".join(client.exploded.replace(":", "")).upper()


def is_name(name: str) -> bool:
    """Whether DNS can be asked for a name at all (section 4.3)."""
    labels = name.removesuffix(".").split(".")
    return all(0 < len(label) < 64 for label in labels)


def same(one: str, other: str) -> bool:
    """Whether two names are one: neither case nor a dot at the end counts."""
    return one.lower().rstrip(".") == other.lower().rstrip(".")


def within(name: str, domain: str) -> bool:
    """Whether a name is a domain or lies in it."""
    name, domain = name.lower().rstrip("."), domain.lower().rstrip(".")
    return name == domain or name.endswith(f".{domain}")

"""The world's DNS for one run: the declared zones, and what the clients and the submission's mentions add to them."""

from __future__ import annotations

import ipaddress

from grader.formats.dns.entries import owners
from grader.model.plan import Zone

_HEAD = """$TTL 300
@ IN SOA ns hostmaster 1 3600 600 86400 300
@ IN NS ns
ns IN A {nameserver}
"""


ROOT_SERVERS = {
    "a": "198.41.0.4", "b": "170.247.170.2", "c": "192.33.4.12", "d": "199.7.91.13", "e": "192.203.230.10",
    "f": "192.5.5.241", "g": "192.112.36.4", "h": "198.97.190.53", "i": "192.36.148.17", "j": "192.58.128.30",
    "k": "193.0.14.129", "l": "199.7.83.42", "m": "202.12.27.33",
}  # fmt: skip
"""What every resolver has built in (root hints, RFC 8109); in a world they are the world's nameserver."""


class ZoneBook:
    """Zones by origin, to which records are added. Names are written without the dot at their end."""

    def __init__(self, nameserver: str) -> None:
        self._head = _HEAD.format(nameserver=nameserver)
        self._zones: dict[str, list[str]] = {}
        self._held: set[tuple[str, str]] = set()

    def declare(self, origin: str, text: str) -> None:
        """Take over a master file."""
        self._zones[origin] = [text if text.endswith("\n") else text + "\n"]
        self._held.update(owners(text.encode(), origin))

    def holds(self, name: str, *types: str) -> bool:
        """Whether there are records of one of these types already."""
        return any((name.lower(), type_) in self._held for type_ in types)

    def add(self, name: str, type_: str, value: str) -> None:
        """Add a record to the zone that the name lies in; a new one for its domain where there is none."""
        name = name.lower()
        origin = self._origin(name)
        if origin is None:
            origin = ".".join(name.split(".")[-2:])
            self._zones[origin] = [self._head]
        self._zones[origin].append(f"{name}. IN {type_} {value}\n")
        self._held.add((name, type_))

    def address(self, name: str, address: str) -> None:
        """The address of a name (A or AAAA)."""
        self.add(name, "AAAA" if ":" in address else "A", address)

    def pointer(self, address: str, name: str) -> None:
        """The name of an address (PTR, RFC 1035 section 3.5). An address keeps the first name that it is given."""
        owner = ipaddress.ip_address(address).reverse_pointer
        root = owner.split(".", owner.count(".") - 1)[-1]
        self._zones.setdefault(root, [self._head])
        if not self.holds(owner, "PTR"):
            self.add(owner, "PTR", f"{name}.")

    def roots(self) -> None:
        """Have DNS begin at its root, for a resolver that asks nobody but the authorities, as libunbound does."""
        servers = "".join(f"@ IN NS {letter}.root-servers.net.\n" for letter in ROOT_SERVERS)
        self.declare(
            ".", f"$TTL 300\n@ IN SOA a.root-servers.net. nobody.invalid. 1 3600 600 86400 300\n{servers}"
        )
        for letter, address in ROOT_SERVERS.items():
            self.address(f"{letter}.root-servers.net", address)

    def zones(self) -> list[Zone]:
        """All of them, in the order in which they came."""
        return [Zone(origin, "".join(parts)) for origin, parts in self._zones.items()]

    def _origin(self, name: str) -> str | None:
        while name not in self._zones:
            _, dot, name = name.partition(".")
            if not dot:
                return None
        return name

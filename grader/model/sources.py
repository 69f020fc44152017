"""What whoever connects is called where students read it: ``private-10`` is a name for authors of labs.

Each source of ``fixtures/world.yaml`` has its words here; a test says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CALLED: Mapping[str, str] = MappingProxyType(
    {
        "office": "a workstation of the office",
        "printer": "the office's printer",
        "stranger": "a stranger",
        "stranger-v6": "a stranger over IPv6",
        "stranger-lan": "a stranger, at the server's address on the LAN",
        "neighbour": "a neighbour in the data centre",
        "neighbour-public": "a neighbour in the public subnet",
        "neighbour-v6": "a neighbour in the IPv6 subnet",
        "near-lan": "a machine in the network beside the office",
        "neighbour-by-lan": "a neighbour in the data centre, at the server's address on the LAN",
        "neighbour-public-by-lan": "a neighbour in the public subnet, at the server's address on the LAN",
        "near-lan-by-lan": "a machine in the network beside the office, at the server's address on the LAN",
        "private-10": "a machine elsewhere in 10.0.0.0/8",
        "private-172": "a machine in 172.16.0.0/12",
        "private-192": "a machine in 192.168.0.0/16",
        "private-v6": "a machine with a local IPv6 address",
        "partner": "the partner's mail server",
        "outside": "the outside domain's mail server",
        "spoofed-office": "a stranger whose reverse DNS claims to be the office",
        "spoofed-host": "a stranger whose reverse DNS claims to be the server",
        "spoofed-localhost": "a stranger whose reverse DNS claims to be localhost",
        "nameless": "a stranger without reverse DNS",
    }
)
MADE: Mapping[str, str] = MappingProxyType(
    {
        "mentioned-names": "a client that DNS calls",
        "mentioned-networks": "somebody in",
        "office-anybody": "a machine of the office",
        "rerouting-names": "a client that DNS calls",
    }
)
"""Sources that are made for each submission, in front of what makes each of them."""


def client_called(source: str, address: str) -> str:
    """A client in a sentence, with its address: ``a stranger (198.51.100.66)``."""
    name, _, what = source.partition(": ")
    if not what or name not in MADE:
        return f"{CALLED.get(source, source)} ({address})"
    if what == address:
        return f"{MADE[name].removesuffix(' in')} ({what})"
    return f"{MADE[name]} {what} ({address})"


def source_called(source: str) -> str:
    """A source in a list, without the address of any one client."""
    name, _, what = source.partition(": ")
    if not what or name not in MADE:
        return CALLED.get(source, source).rstrip(",")
    return f"{MADE[name]} {what}"


def without_article(name: str) -> str:
    """A name as a title begins with it."""
    return name.removeprefix("a ").removeprefix("the ")

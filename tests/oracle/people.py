"""Who writes to the server: drawn at random, from everybody there is."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from random import Random

from tests.oracle.reading import Read


@dataclass(frozen=True)
class Person:
    """An address that connects, the name that DNS gives it, and whether it is one of the office."""

    address: str
    name: str
    office: bool = False
    mentioned: bool = False
    """Whether it is the files that made them worth asking."""
    forward: bool = True
    """Whether the name leads back to the address; it cannot where it is somebody else's."""


def _beside(random: Random, network: str, closest: int) -> str:
    """An address outside a network that shares its leading bits, at least ``closest`` of them."""
    net = ipaddress.ip_network(network)
    bits = net.max_prefixlen
    flipped = random.randint(closest, net.prefixlen - 1)
    number = int(net.network_address) ^ (1 << (bits - 1 - flipped))
    below = bits - 1 - flipped
    number = (number >> below << below) | random.getrandbits(below) if below else number
    address = type(net.network_address)(number)
    return str(address)


def draw(random: Random, names: dict[str, str], text: Read) -> list[Person]:
    """Some twenty people: in and around every network that handout and files name, from anywhere, under any name."""
    lan = ipaddress.ip_network(names["lan"])
    taken = {names[key] for key in ("host_lan", "nameserver", "host_v4", "host_v6")}
    found: dict[str, bool] = {}

    def add(address: str, office: bool = False) -> None:
        parsed = ipaddress.ip_address(address)
        plain = not (
            parsed.is_multicast or parsed.is_loopback or parsed.is_unspecified or parsed.is_link_local
        )
        if address not in taken and plain and (office or parsed not in lan) and not address.startswith("0."):
            found.setdefault(address, office)

    add(names["office"], True)
    for _ in range(3):
        add(str(lan[random.randint(2, lan.num_addresses - 2)]), True)
    for closest in (8, 12, 16, 20, lan.prefixlen - 2, lan.prefixlen - 1):
        add(_beside(random, names["lan"], closest))
    add(f"203.0.113.{random.randint(100, 250)}")
    add(_beside(random, f"{names['host_v4']}/32", 16))
    add(f"10.{random.randint(100, 250)}.{random.randint(1, 250)}.{random.randint(1, 250)}")
    add(random.choice(("172.16.3.9", "172.31.200.9", "192.168.1.20", "169.253.9.9", "100.64.7.7")))
    for _ in range(2):
        add(str(ipaddress.IPv4Address(random.randint(0x0B000000, 0xDF000000))))
    public = str(ipaddress.ip_network(f"{names['host_v6']}/64", strict=False))
    add(str(ipaddress.ip_network(public)[random.randint(1000, 60000)]))
    add(_beside(random, public, 32))
    add(str(ipaddress.IPv6Address((0x2A << 120) | random.getrandbits(110))))
    add(f"fd{random.randint(10, 99)}:7::{random.randint(2, 9)}")
    known = set(found)
    for network in text.networks:
        for _ in range(3):
            add(_inside(random, network))
    mentioned = set(found) - known
    # Where a network is written as a text without ends, these hold it.
    start = names["lan"].rpartition(".")[0]
    for address in (f"1{start}.7", f"2{start}.7", f"7.{start}", f"{start[:-1]}.7"):
        add(address)
    people = []
    for number, (address, office) in enumerate(found.items()):
        name = f"p{number}.{names['domain'] if office else 'oracle-people.example'}"
        # The workstation of the handout has the name of the handout.
        name = names["office_host"] if address == names["office"] else name
        people.append(Person(address, name, office, address in mentioned))
    # Whoever has an address names it as they like; only the owner of a domain can make a name lead back to it.
    own = (names["host"], names["office_host"], names["domain"], "localhost")
    below = [f"m{number}.{name}" for number, name in enumerate(text.names)]
    alike = [f"{names['host']}.oracle-people.example", f"not{names['domain']}"]
    alike.append(f"{start.replace('.', '-')}-7.oracle-people.example")
    theirs = [*text.names, *random.sample(below, min(2, len(below))), random.choice(alike)]
    for number, name in enumerate((random.choice(own), *theirs)):
        forward = name not in own and not name.endswith("." + names["domain"])
        known_of = any(name.endswith(read) for read in text.names)
        people.append(Person(f"198.18.9.{number + 1}", name, mentioned=known_of, forward=forward))
    return people


def _inside(random: Random, network: str) -> str:
    """An address in a network, not one of its ends."""
    net = ipaddress.ip_network(network)
    return str(net[random.randrange(net.num_addresses)])

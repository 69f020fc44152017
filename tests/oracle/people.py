"""Who writes to the server, to whom, and how: drawn at random, from everybody there is."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from random import Random

SECRET = "oracle"
FOREIGN = ("oracle-foreign.example", "far-away.example")
"""Domains that no lab knows; mail for them goes to the outside domain's server."""


@dataclass(frozen=True)
class Person:
    """An address that connects, the name that DNS gives it, and whether it is one of the office."""

    address: str
    name: str
    office: bool = False


@dataclass
class Letter:
    """One letter and what became of it. ``kind`` is what it is about; see ``judge`` in ``arrivals``."""

    kind: str
    person: Person
    server: str
    port: int
    tls: str
    sender: str
    recipient: str
    token: str
    user: str = ""
    text: bytes = b""
    before: tuple[str, ...] = ()
    preface: bytes = b""
    tries: int = 0
    stage: str = "untried"
    reply: str = ""
    dialogue: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        who = f"{self.user} from {self.person.address}" if self.user else self.person.address
        way = f"{self.server} port {self.port} ({self.tls})"
        extra = f" after {self.before or self.preface!r}" if self.before or self.preface else ""
        return f"{self.kind}: {who} to {way}{extra}: <{self.sender}> -> <{self.recipient}>: {self.stage}, {self.reply}"


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


def draw(random: Random, names: dict[str, str]) -> list[Person]:
    """A dozen addresses of people in and around every network that the handout names, and some from anywhere."""
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
    return [
        Person(
            address,
            f"p{number}.oracle-people.example" if not office else f"p{number}.{names['domain']}",
            office,
        )
        for number, (address, office) in enumerate(found.items())
    ]


class Writer:
    """Letters to one server, each with a token of its own."""

    def __init__(self, random: Random, names: dict[str, str], people: list[Person]) -> None:
        self.random = random
        self.names = names
        self.office = [person for person in people if person.office]
        self.v4 = [person for person in people if not person.office and ":" not in person.address]
        self.v6 = [person for person in people if ":" in person.address]
        self._number = 0
        self._stem = f"{random.getrandbits(32):08x}"

    def letters(self, listeners: list[tuple[str, int, str]], mentioned: list[str]) -> list[Letter]:
        """Everything that is sent; ``listeners`` are server, port and kind of TLS."""
        made: list[Letter] = []
        for server, port, tls in listeners:
            made += self._strangers(server, port, tls, mentioned)
            made += self._users(server, port, tls)
            person = self.random.choice(self._source(server))
            made.append(
                self._letter(
                    "nobody", person, (server, port, tls), recipient=f"{{token}}@{self.names['domain']}"
                )
            )
            if port == 25:
                made += self._world(server, port, tls)
            if self._on_lan(server):
                made += self._office(server, port, tls)
        return made

    def _on_lan(self, server: str) -> bool:
        return server == self.names["host_lan"]

    def _foreign(self, token: str) -> str:
        domain = self.random.choice((*FOREIGN, self.names["outside"], self.names["partner"]))
        return f"{token}@{domain}"

    def _letter(self, kind: str, person: Person, at: tuple[str, int, str], **other: object) -> Letter:
        self._number += 1
        token = f"{SECRET}{self._stem}{self._number:04d}"
        server, port, tls = at
        sender = str(other.pop("sender", f"{token}s@{self.random.choice((self.names['third'], FOREIGN[1]))}"))
        recipient = str(other.pop("recipient", "") or self._foreign(token)).replace("{token}", token)
        size = int(str(other.pop("size", 0)))
        letter = Letter(kind, person, server, port, tls, sender.replace("{token}", token), recipient, token)
        for name, value in other.items():
            setattr(letter, name, value)
        letter.text = letter.text or self._text(letter, size)
        return letter

    def _text(self, letter: Letter, size: int) -> bytes:
        body = f"Token {letter.token}\r\n" + (
            "A line of some sixty characters, as people write them.\r\n" * (size // 55)
        )
        head = (
            f"From: <{letter.sender or 'mailer-daemon@' + FOREIGN[0]}>\r\nTo: <{letter.recipient}>\r\n"
            f"Subject: letter {letter.token}\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n"
            f"Message-ID: <{letter.token}@{FOREIGN[0]}>\r\n\r\n"
        )
        return (head + body + ".\r\n").encode()

    def _source(self, server: str) -> list[Person]:
        return self.v6 if ":" in server else self.v4

    def _strangers(self, server: str, port: int, tls: str, mentioned: list[str]) -> list[Letter]:
        """Whoever is not of the office and has not logged in, to everybody who is not here."""
        names, random, at = self.names, self.random, (server, port, tls)
        domain, outside = names["domain"], names["outside"]
        everybody = self._source(server)
        # All of them at the port that is there for strangers; a few wherever they have no business.
        some = everybody if (port, tls) == (25, "none") else random.sample(everybody, min(2, len(everybody)))
        made = [self._letter("relay", person, at) for person in some]
        person = random.choice(self._source(server))
        senders = [
            f"alice@{domain}",
            "",
            f"root@{names['host']}",
            "bob",
            "root@localhost",
            f"x@{names['partner']}",
        ]
        made += [
            self._letter("relay", person, at, sender=sender)
            for sender in random.sample(senders, 2 if port == 25 else 1)
        ]
        if server == names["host_v4"]:
            shapes = [
                f"{{token}}%{outside}@{domain}",
                f"{{token}}%{outside}@{names['host']}",
                f'"{{token}}@{outside}"@{domain}',
                f"@{domain}:{{token}}@{outside}",
                f"{outside}!{{token}}@{domain}",
                f"{{token}}={outside}@{domain}",
                f'"{{token}}@{outside}"',
                f"{{token}}%{outside}",
                f"{outside}!{{token}}",
                f"{{token}}@{outside}@{domain}",
                f"{{token}}@[{names['outside_v4']}]",
                f"{{token}}@{names['outside_host']}",
                f"alice+{{token}}={outside}@{domain}",
                f"{{token}}@sub.{outside}",
                f"abuse@{outside}",
            ]
            made += [
                self._letter("relay", person, at, recipient=shape)
                for shape in random.sample(shapes, 5 if (port, tls) == (25, "none") else 1)
            ]
            # Names below the own domain belong to others here; whoever relays for "the domain" relays for them.
            made += [self._letter("relay", person, at, recipient=f"{{token}}@deep.{domain}")]
            made += [self._letter("relay", person, at, recipient=f"{{token}}@{name}") for name in mentioned]
            lan = next(iter(self.office)).address
            made.append(self._letter("relay", person, at, before=(f"XCLIENT ADDR={lan} NAME=desk.{domain}",)))
            made.append(self._letter("relay", person, at, before=(f"XCLIENT LOGIN=alice ADDR={lan}",)))
            header = f"PROXY TCP4 {lan} {server} 40000 {port}\r\n".encode()
            made.append(self._letter("relay", person, at, preface=header))
        return made

    def _users(self, server: str, port: int, tls: str) -> list[Letter]:
        """Alice and Bob, who have logged in, under their own address and under others'."""
        if tls == "none":
            return []
        domain, random, at = self.names["domain"], self.random, (server, port, tls)
        # Whoever has logged in on a machine of the office may claim the office's right to any sender.
        sources = self._source(server)
        user, other = random.sample(("alice", "bob"), 2)
        made = []
        if port in (465, 587):
            made.append(
                self._letter("user", random.choice(sources), at, user=user, sender=f"{user}@{domain}")
            )
        borrowed = [
            f"{other}@{domain}",
            f"postmaster@{domain}",
            f"{user}@{self.names['outside']}",
            f"{{token}}@{domain}",
            f"{user}@{self.names['host']}.{FOREIGN[0]}",
            f"m{user}@{domain}",
            f"{{token}}@{FOREIGN[0]}",
            f"{user}@{domain}.{FOREIGN[0]}",
            other,
        ]
        for sender in random.sample(borrowed, 3 if port in (465, 587) else 1):
            made.append(self._letter("borrowed", random.choice(sources), at, user=user, sender=sender))
        return made

    def _world(self, server: str, port: int, tls: str) -> list[Letter]:
        """What everybody may send to port 25: mail for those who are here, and nothing for those who are not."""
        domain, random, at = self.names["domain"], self.random, (server, port, tls)
        sources = [*self._source(server), *self.office] if self._on_lan(server) else self._source(server)
        pick = random.choice
        made = [
            self._letter("local", pick(sources), at, recipient=f"alice@{domain}"),
            self._letter("local", pick(sources), at, recipient=f"bob@{domain}", sender=""),
        ]
        if server == self.names["host_v4"]:
            made += [
                self._letter("local", pick(sources), at, recipient=f"Alice@{domain.upper()}"),
                self._letter("local", pick(sources), at, recipient=f"alice@{domain}", size=70_000),
                self._letter("postmaster", pick(sources), at, recipient=f"postmaster@{domain}"),
                self._letter("nobody", pick(sources), at, recipient=f"nobody.{{token}}@{domain}"),
                self._smuggled(pick(sources), at),
            ]
        return made

    def _smuggled(self, person: Person, at: tuple[str, int, str]) -> Letter:
        letter = self._letter("smuggled", person, at, recipient=f"alice@{self.names['domain']}")
        end = self.random.choice((b"\n.\r\n", b"\n.\n"))
        hidden = (
            f"MAIL FROM:<{letter.token}h@{self.names['third']}>\r\nRCPT TO:<{letter.recipient}>\r\nDATA\r\n"
            f"Subject: hidden {letter.token}\r\n\r\nHidden{letter.token}\r\n.\r\n"
        ).encode()
        letter.text = letter.text[: -len(b".\r\n")].rstrip(b"\r\n") + end + hidden
        return letter

    def _office(self, server: str, port: int, tls: str) -> list[Letter]:
        if port != 25:
            return []
        domain = self.names["domain"]
        senders = (f"alice@{domain}", f"scanner@{domain}", "{token}@" + self.names["third"])
        return [
            self._letter("office", person, (server, port, tls), sender=self.random.choice(senders))
            for person in self.office
        ]

"""What is written to the server, to whom, and how: drawn at random."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from tests.oracle.people import Person
from tests.oracle.reading import Read

SECRET = "oracle"
FOREIGN = ("oracle-foreign.example", "far-away.example")
"""Domains that no lab knows; mail for them goes to the outside domain's server."""


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
    helo: str = ""
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
        extra = f" as {self.helo}" if self.helo else ""
        extra += f" after {self.before or self.preface!r}" if self.before or self.preface else ""
        return f"{self.kind}: {who} to {way}{extra}: <{self.sender}> -> <{self.recipient}>: {self.stage}, {self.reply}"


class Writer:
    """Letters to one server, each with a token of its own."""

    def __init__(self, random: Random, names: dict[str, str], people: list[Person], text: Read) -> None:
        self.random = random
        self.names = names
        self.read = text
        self.office = [person for person in people if person.office]
        self.v4 = [person for person in people if not person.office and ":" not in person.address]
        self.v6 = [person for person in people if ":" in person.address]
        self._few: dict[tuple[str, int, str], list[Person]] = {}
        self._number = 0
        self._stem = f"{random.getrandbits(32):08x}"

    def letters(self, listeners: list[tuple[str, int, str]]) -> list[Letter]:
        """Everything that is sent; ``listeners`` are server, port and kind of TLS."""
        made: list[Letter] = []
        for at in listeners:
            server, port, tls = at
            made += self._strangers(at)
            made += self._disguised(at)
            made += self._borrowing(at)
            made += self._users(server, port, tls)
            made += self._for_nobody(at)
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

    def _honest(self, server: str) -> list[Person]:
        """Those whose names are theirs; others may be refused."""
        return [person for person in self._source(server) if person.forward]

    def _regulars(self, at: tuple[str, int, str]) -> list[Person]:
        """The few who come to a listener where strangers have no business."""
        if at not in self._few:
            everybody = self._source(at[0])
            self._few[at] = self.random.sample(everybody, min(2, len(everybody)))
        return self._few[at]

    def _somebody(self, at: tuple[str, int, str]) -> Person:
        return self.random.choice(self._source(at[0]) if at[1:] == (25, "none") else self._regulars(at))

    def _strangers(self, at: tuple[str, int, str]) -> list[Letter]:
        """Whoever is not of the office and has not logged in, under whatever name, to people who are not here."""
        names, random = self.names, self.random
        server, port, tls = at
        domain = names["domain"]
        everybody = self._source(server)
        main = (port, tls) == (25, "none")
        # All of them at the port that is there for strangers; a few wherever they have no business.
        some = self._regulars(at)
        if main:
            some = everybody if server != names["host_lan"] else random.sample(everybody, len(everybody) // 2)
        made = [self._letter("relay", person, at) for person in some]
        senders = [
            f"alice@{domain}",
            f"{{token}}@{domain}",
            "",
            f"root@{names['host']}",
            "bob",
            "root@localhost",
            f"x@{names['partner']}",
            f"alice@{domain}.{FOREIGN[0]}",
            f"{{token}}@{names['outside']}",
            *(f"{{token}}@{name}" for name in self.read.names),
            *self.read.addresses,
        ]
        made += [
            self._letter("relay", self._somebody(at), at, sender=sender)
            for sender in random.sample(senders, 5 if main else 1 if port in (25, 465, 587) else 4)
        ]
        helos = [
            "localhost",
            names["host"],
            domain,
            names["office_host"],
            "[127.0.0.1]",
            f"[{next(iter(self.office)).address}]",
            names["partner_host"],
            f"{names['host']}.{FOREIGN[0]}",
            *self.read.names,
        ]
        made += [
            self._letter("relay", self._somebody(at), at, helo=helo)
            for helo in random.sample(helos, 4 if main else 1)
        ]
        told = [*(f"{{token}}@{name}" for name in self.read.names), *self.read.addresses]
        told += [f"{{token}}@deep.{domain}", f"postmaster@{names['outside']}", f"abuse@{names['partner']}"]
        made += [
            self._letter("relay", self._somebody(at), at, recipient=recipient)
            for recipient in (told if main else random.sample(told, 1))
        ]
        return made

    def _disguised(self, at: tuple[str, int, str]) -> list[Letter]:
        """Recipients that look like somebody here and lead elsewhere."""
        names, random = self.names, self.random
        server, port, tls = at
        domain, outside, host = names["domain"], names["outside"], names["host"]
        shapes = [
            f"{{token}}%{outside}@{domain}",
            f"{{token}}%{outside}@{host}",
            f"{{token}}%{outside}@[{names['host_v4']}]",
            f'"{{token}}@{outside}"@{domain}',
            f"@{domain}:{{token}}@{outside}",
            f"@{host},@{domain}:{{token}}@{outside}",
            f"{outside}!{{token}}@{domain}",
            f"{outside}!{{token}}@{host}",
            f"{{token}}={outside}@{domain}",
            f"{{token}}#{outside}@{domain}",
            f"{{token}}-at-{outside}@{domain}",
            f"owner-{{token}}={outside}@{domain}",
            f"SRS0=AAAA=BB={outside}={{token}}@{domain}",
            f"{{token}}+{outside}@{domain}",
            f'"{{token}}@{outside}"',
            f"{{token}}%{outside}",
            f"{outside}!{{token}}",
            f"{{token}}@{outside}@{domain}",
            f"{{token}}@[{names['outside_v4']}]",
            f"{{token}}@{names['outside_host']}",
            f"{{token}}@hosted.{outside}",
            f"alice+{{token}}={outside}@{domain}",
            f"{{token}}@sub.{outside}",
            f"{{token}}@{outside}.",
            f"{{token}}@{domain}.{FOREIGN[0]}",
            f"{{token}}@not{domain}",
            f"{{token}}@{host}.{FOREIGN[0]}",
            *(f"{{token}}%{outside}@{name}" for name in self.read.names),
        ]
        count = len(shapes) if (server, port, tls) == (names["host_v4"], 25, "none") else 1
        return [
            self._letter("relay", self._somebody(at), at, recipient=shape)
            for shape in random.sample(shapes, count)
        ]

    def _borrowing(self, at: tuple[str, int, str]) -> list[Letter]:
        """What is meant for proxies, in strangers' hands."""
        _, port, tls = at
        lan = next(iter(self.office)).address
        domain, host_v4 = self.names["domain"], self.names["host_v4"]
        made = []
        for before in (f"XCLIENT ADDR={lan} NAME=desk.{domain}", f"XCLIENT LOGIN=alice ADDR={lan}"):
            person = self._somebody(at)
            sender = f"alice@{domain}"
            made.append(self._letter("relay", person, at, before=(before,), sender=sender))
        if tls != "starttls":
            header = f"PROXY TCP4 {lan} {host_v4} 40000 {port}\r\n".encode()
            made.append(self._letter("relay", self._somebody(at), at, preface=header))
        if port not in (25, 465, 587):
            letter = self._letter("relay", self._somebody(at), at)
            letter.preface = _handed_over(letter)
            made.append(letter)
        return made

    def _for_nobody(self, at: tuple[str, int, str]) -> list[Letter]:
        """Mail for people who do not exist, at each of the server's names and at those that the files name."""
        names, random = self.names, self.random
        server, port, tls = at
        places = [names["host"], "localhost", f"[{names['host_v4']}]", f"localhost.{names['domain']}"]
        places += [*self.read.names, f"deep.{names['domain']}"]
        whole = (server, port, tls) == (names["host_v4"], 25, "none")
        chosen = places if whole else random.sample(places, 1)
        made = [
            self._letter("nobody", self._somebody(at), at, recipient=f"{{token}}@{place}")
            for place in (names["domain"], *chosen)
        ]
        words = [f"{{token}}{word}" for word in self.read.words] + [
            f"{word}{{token}}" for word in self.read.words
        ]
        if whole:
            made += [
                self._letter("nobody", self._somebody(at), at, recipient=f"{word}@{names['domain']}")
                for word in (*words, "alice+{token}x.nobody", "al{token}")
                if "+" not in word
            ]
        return made

    def _users(self, server: str, port: int, tls: str) -> list[Letter]:
        """Alice and Bob, who have logged in, under their own address and under others'."""
        if tls == "none":
            return []
        random, at = self.random, (server, port, tls)
        # Whoever has logged in on a machine of the office may claim the office's right to any sender.
        made = []
        for user, other in (("alice", "bob"), ("bob", "alice")) if port in (465, 587) else ():
            made += self._own_letters(at, user, other)
        orders = [("alice", "bob"), ("bob", "alice")]
        whole = port == 587 and server == self.names["host_v4"]
        for user, other in orders if whole else [random.choice(orders)]:
            made += self._borrowed(at, user, other, whole)
        return made

    def _borrowed(self, at: tuple[str, int, str], user: str, other: str, whole: bool) -> list[Letter]:
        """A user under others' addresses: everybody's, or those of two, and some in other ways."""
        domain, random, sources = self.names["domain"], self.random, self._source(at[0])
        senders = [
            f"{other}@{domain}",
            f"postmaster@{domain}",
            f"{user}@{self.names['outside']}",
            f"{{token}}@{domain}",
            f"{user}@{self.names['host']}.{FOREIGN[0]}",
            f"m{user}@{domain}",
            f"{{token}}@{FOREIGN[0]}",
            f"{user}@{domain}.{FOREIGN[0]}",
            other,
            *self.read.addresses,
            *self.read.shared,
        ]
        nobody = f"{{token}}@{domain}"
        boss = random.choice((f"{other}@{domain}", nobody, f"postmaster@{domain}"))
        helo = random.choice(("localhost", self.names["office_host"], domain, *self.read.names))
        named = [person for person in sources if person.mentioned]
        made = [
            self._letter("borrowed", random.choice(sources), at, user=user, sender=sender)
            for sender in random.sample(senders, len(senders) if whole else 2)
        ]
        made += [
            self._letter("borrowed", p, at, user=user, sender=nobody)
            for p in random.sample(named, min(6, len(named)))
        ]
        one = random.choice(sources)
        # A rule that permits for the recipient's sake may stand before the one about the sender.
        known = [
            f"postmaster@{self.names['outside']}",
            f"abuse@{self.names['outside']}",
            *self.read.addresses,
        ]
        made += [
            self._letter("borrowed", one, at, user=user, sender=nobody, recipient=recipient)
            for recipient in (known if at[1] in (465, 587) else random.sample(known, 1))
        ]
        return [
            *made,
            self._letter("borrowed", one, at, user=user, sender=nobody, helo=helo),
            # The forged letter of the boss stays in the house.
            self._letter("borrowed", one, at, user=user, sender=boss, recipient=f"{other}@{domain}"),
        ]

    def _own_letters(self, at: tuple[str, int, str], user: str, other: str) -> list[Letter]:
        """What a user may write: to the world and to the other one."""
        random, names = self.random, self.names
        sources = self.office if self._on_lan(at[0]) else self._honest(at[0])
        mine, person = f"{user}@{names['domain']}", random.choice(sources)
        to = f"{{token}}@{random.choice((names['outside'], names['outside'], names['partner'], *FOREIGN))}"
        size = random.choice((0, 70_000))
        return [
            self._letter("user", person, at, user=user, sender=mine, size=size, recipient=to),
            self._letter(
                "inside", person, at, user=user, sender=mine, recipient=f"{other}@{names['domain']}"
            ),
        ]

    def _world(self, server: str, port: int, tls: str) -> list[Letter]:
        """What everybody may send to port 25: mail for those who are here, and nothing for those who are not."""
        domain, random, at = self.names["domain"], self.random, (server, port, tls)
        sources = [*self._honest(server), *(self.office if self._on_lan(server) else [])]
        # Two of everybody write all that comes to one listener.
        few = random.sample(sources, min(2, len(sources)))

        def somebody() -> Person:
            return random.choice(few)

        made = [
            self._letter("local", somebody(), at, recipient=f"alice@{domain}"),
            self._letter("local", somebody(), at, recipient=f"bob@{domain}", sender=""),
        ]
        if server == self.names["host_v4"]:
            made += [
                self._letter("local", somebody(), at, recipient=f"Alice@{domain.upper()}"),
                self._letter("local", somebody(), at, recipient=f"alice@{domain}", size=70_000),
                self._letter("postmaster", somebody(), at, recipient=f"postmaster@{domain}"),
                self._smuggled(somebody(), at),
            ]
            # Whom the files name may be somebody whom they turn away.
            named = [person for person in sources if person.mentioned and not person.office]
            made += [
                self._letter("local", person, at, recipient=f"bob@{domain}")
                for person in random.sample(named, min(6, len(named)))
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
        places = (self.names["outside"], self.names["partner"], *FOREIGN)
        return [
            self._letter(
                "office",
                person,
                (server, port, tls),
                sender=self.random.choice(senders),
                size=self.random.choice((0, 0, 70_000)),
                recipient=f"{{token}}@{place}",
            )
            for person, place in zip(self.office, places, strict=False)
        ]


def _handed_over(letter: Letter) -> bytes:
    """A message and its envelope in one netstring, as QMQP wants them (https://cr.yp.to/proto/qmqp.html)."""
    parts = (letter.text.removesuffix(b".\r\n"), letter.sender.encode(), letter.recipient.encode())
    return _netstring(b"".join(map(_netstring, parts)))


def _netstring(data: bytes) -> bytes:
    return b"%d:%s," % (len(data), data)

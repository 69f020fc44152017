"""Letters of the office, of users and of strangers, as many mail programs write them: drawn at random."""

from __future__ import annotations

import base64
import quopri
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from tests.oracle.letters import FOREIGN
from tests.oracle.people import Person
from tests.oracle.reading import Read

Kind = Literal["office", "users", "strangers", "stopped"]
DATE = "Tue, 01 Dec 2026 10:00:00 +0000"
OFFICE, USERS, STRANGERS = 22, 14, 26
"""So many letters of each. The world keeps fifty messages whole that belong to no attempt of a lab's."""
PHRASES = (
    "the order",
    "of last week",
    "has arrived,",
    "and everything",
    "is as agreed",
    "between us",
    "so far",
)


@dataclass
class Letter:
    """One letter and what became of it. ``author`` is the address in From, ``user`` who logs in to send it."""

    kind: Kind
    person: Person
    port: int
    tls: str
    author: str
    sender: str
    recipient: str
    token: str
    text: bytes
    form: str
    user: str = ""
    helo: str = ""
    stage: str = "untried"
    reply: str = ""
    dialogue: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        who = f"{self.user} at {self.person.address}" if self.user else self.person.address
        return (
            f"{self.kind}: {who} to port {self.port} ({self.tls}), From {self.author}, {self.form}: "
            f"<{self.sender}> -> <{self.recipient}>: {self.stage}, {self.reply}"
        )


class Writer:
    """Letters to one server, each with a token of its own."""

    def __init__(self, random: Random, names: dict[str, str], people: list[Person], text: Read) -> None:
        self.random = random
        self.names = names
        self.read = text
        self.desks = [person for person in people if person.office]
        # Whom the files name writes first: not everybody has a turn.
        self.others = sorted(
            [person for person in people if not person.office], key=lambda person: not person.mentioned
        )
        self._number = 0
        self._stem = f"{random.getrandbits(32):08x}"

    def letters(self) -> list[Letter]:
        """Everything that is sent while OpenDKIM runs."""
        return [*self._office(OFFICE), *self._users(USERS), *self._strangers(STRANGERS)]

    def after_the_end(self) -> list[Letter]:
        """What is sent once it was stopped."""
        made = [*self._office(2), *self._users(3)]
        for letter in made:
            letter.kind = "stopped"
        return made

    def _office(self, count: int) -> list[Letter]:
        made = []
        for number in range(count):
            author = self._author()
            sender = self.random.choice(
                (author, author, author, "", f"{self.names['alice']}@{self.names['domain']}")
            )
            person = self.desks[number % len(self.desks)]
            made.append(self._letter("office", person, (25, "none"), author, sender, self._outside()))
        return made

    def _users(self, count: int) -> list[Letter]:
        made = []
        for number in range(count):
            user = self.random.choice(("alice", "bob"))
            own = f"{self.names[user]}@{self.names['domain']}"
            author = self.random.choice((own, own, self._author()))
            way = ((587, "starttls"), (465, "implicit"))[number % 2]
            # A network that the files name may be one whose mail is none of OpenDKIM's business (PeerList).
            roaming = [person for person in self.others if not person.mentioned]
            person = self.random.choice(roaming if self.random.random() < 0.8 else self.desks)
            letter = self._letter("users", person, way, author, own, self._outside())
            letter.user = user
            made.append(letter)
        return made

    def _strangers(self, count: int) -> list[Letter]:
        made = []
        for number in range(count):
            person = self.others[number % len(self.others)]
            author = self._author()
            way = self.random.choice(((25, "none"), (25, "none"), (25, "starttls")))
            theirs = f"{self._name()}@{self.names['third']}"
            sender = self.random.choice((theirs, author, ""))
            user = self.random.choice(("alice", "bob"))
            recipient = f"{self.names[user]}@{self.names['domain']}"
            letter = self._letter("strangers", person, way, author, sender, recipient)
            letter.helo = self.random.choice(("", "", self.names["host"], self.names["domain"], "localhost"))
            if self.random.random() < 0.3:
                letter.form, letter.text = f"{letter.form}, signed once", self._once_signed() + letter.text
            made.append(letter)
        return made

    def _once_signed(self) -> bytes:
        """A signature of somebody else's that was broken on the way, or whose key is gone."""
        selector = self.random.choice(("list2026", "none2026"))
        hashed, signed = (base64.b64encode(self.random.randbytes(octets)).decode() for octets in (32, 256))
        return (
            f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={self.names['third']}; s={selector};\r\n"
            f"\th=from:to:subject:date; bh={hashed};\r\n\tb={signed}\r\n"
        ).encode()

    def _name(self) -> str:
        return (
            f"{self.random.choice(('nora', 'emil', 'zoe', 'a', 'sales-2'))}.{self.random.getrandbits(12):03x}"
        )

    def _author(self) -> str:
        domain = self.names["domain"]
        known = [f"{self.names[user]}@{domain}" for user in ("alice", "bob")]
        named = [address for address in self.read.shared if address.endswith(f"@{domain}")]
        return self.random.choice([*known, *known, f"{self._name()}@{domain}", *named])

    def _outside(self) -> str:
        domains = (self.names["outside"], self.names["outside"], self.names["partner"], *FOREIGN)
        return f"{{token}}@{self.random.choice([*domains, *self.read.names])}"

    def _letter(
        self, kind: Kind, person: Person, way: tuple[int, str], author: str, sender: str, recipient: str
    ) -> Letter:
        self._number += 1
        token = f"oracle{self._stem}{self._number:04d}"
        recipient = recipient.replace("{token}", token)
        form, text = self._text(token, author, recipient)
        return Letter(kind, person, way[0], way[1], author, sender, recipient, token, text, form)

    def _text(self, token: str, author: str, recipient: str) -> tuple[str, bytes]:
        """A message with its last dot, and how it is written."""
        random = self.random
        said = []
        local, _, domain = author.partition("@")
        shown = random.choice(
            ("<{a}>", "{a}", "Ms Somebody <{a}>", '"Body, Some (dept. 3)" <{a}>', "<{A}>", "folded")
        )
        if shown == "folded":
            sent_by = f"=?utf-8?q?M=C3=BCller?=\r\n =?utf-8?q?_und_S=C3=B6hne?=\r\n <{author}>"
        else:
            sent_by = shown.replace("{a}", author).replace("{A}", f"{local}@{domain.upper()}")
        said.append(f"From {shown}")
        fields = [
            f"From: {sent_by}",
            f"To: {random.choice(('<{r}>', '{r}', 'Dear Reader <{r}>')).replace('{r}', recipient)}",
            f"Subject: letter {token}{random.choice(('', ' with  two blanks', ' =?utf-8?q?gr=C3=BC=C3=9Fe?='))}",
            f"Date: {DATE}",
            f"Message-ID: <{token}@{domain}>",
        ]
        odd = {
            "Cc": f"Cc: <{self.names['bob']}@{self.names['domain']}>,\r\n <somebody@{self.names['third']}>",
            "Sender": f"Sender: <secretary@{self.names['third']}>",
            "Reply-To": f"Reply-To: <answers@{self.names['third']}>",
            "X-Mailer": "X-Mailer: Letters 3.1",
            "Received": f"Received: from desk (desk [192.0.2.7])\r\n\tby {self.names['office_host']};\r\n {DATE}",
            "two of a kind": "X-Tag: one\r\nX-Tag: two",
        }
        for name in random.sample(sorted(odd), random.choice((0, 1, 1, 2))):
            fields.append(odd[name])
            said.append(name)
        form, kind, body = self._body(token)
        said.append(form)
        random.shuffle(fields)
        header = "\r\n".join([*fields, "MIME-Version: 1.0", *kind])
        data = header.encode() + b"\r\n\r\n" + body
        return ", ".join(said), data + b".\r\n"

    def _body(self, token: str) -> tuple[str, list[str], bytes]:
        """How the text is written, its fields of MIME, and the text."""
        random = self.random
        line = " ".join(random.choices(PHRASES, k=5))
        text = f"Token {token}\r\n{line}\r\n"
        plain = "Content-Type: text/plain; charset=utf-8"
        umlauts = f"Token {token}\r\nViele Grüße, {line}\r\n"
        forms: dict[str, tuple[list[str], bytes]] = {
            "plain": ([], text.encode()),
            "empty lines at the end": ([], f"{text}\r\n\r\n\r\n".encode()),
            "blanks at the ends": ([], f"{text}A line  with   blanks \t \r\n \r\n".encode()),
            "dots": ([], f"{text}..a line with a dot\r\n..\r\n".encode()),
            "no text": ([], b""),
            "quoted-printable": (
                [plain, "Content-Transfer-Encoding: quoted-printable"],
                quopri.encodestring(umlauts.replace("\r\n", "\n").encode()).replace(b"\n", b"\r\n"),
            ),
            "base64": (
                [plain, "Content-Transfer-Encoding: base64"],
                base64.encodebytes(umlauts.encode()).replace(b"\n", b"\r\n"),
            ),
            "long line": ([], f"{text}{line * 10}"[:950].encode() + b"\r\n"),
            "large": ([], (text + f"{line}\r\n" * 300).encode()),
            "parts": (
                ['Content-Type: multipart/mixed; boundary="=_b"'],
                (
                    f"--=_b\r\nContent-Type: text/plain\r\n\r\n{text}\r\n"
                    f"--=_b\r\nContent-Type: text/html\r\n\r\n<p>{line}\r\n--=_b--\r\n"
                ).encode(),
            ),
        }
        form = random.choice(sorted(forms))
        return form, *forms[form]

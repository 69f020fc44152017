"""Whom the program meets: the right server, and all those of whom the handout warns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from tests.oracle.programs.letters import Letter, Writer

HOSTS = ("post", "relay", "smtp", "out", "submit", "mx")
TOLD = ("other-name", "self-signed", "expired")
"""What may be wrong with a certificate, as the handout has it."""
CERTIFICATES = (*TOLD, "other-authority", "not-yet")
MOMENTS = ("connect", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "text")
LATER = "451 4.3.0 Try again later"
NEVER = "550 5.7.1 No"


@dataclass(frozen=True)
class Server:
    """How a server behaves. ``answers`` are replies instead of the usual ones, by moment; ``rcpt:`` and an address."""

    port: int = 587
    tls: str = "starttls"
    certificate: str = "right"
    mechanisms: tuple[str, ...] = ("PLAIN", "LOGIN")
    answers: dict[str, str] = field(default_factory=dict)
    once: bool = False
    silent: str = ""
    hangs_up: str = ""
    size: int = 10_000_000
    pieces: bool = False

    @property
    def honest(self) -> bool:
        """Whether it is the one that the program looks for."""
        return self.certificate == "right" and self.tls in ("starttls", "implicit")

    @property
    def good(self) -> bool:
        """Whether it takes every message."""
        return self.honest and not (self.answers or self.silent or self.hangs_up or self.size < 10_000_000)


@dataclass(frozen=True)
class Run:
    """One run of the program: with this letter, at this server. ``what`` names it."""

    what: str
    server: Server
    letter: Letter
    user: str
    password: str
    patience: int
    host: str


def port(number: int, **more: object) -> Server:
    """A server at one of the two ports."""
    return Server(port=number, tls="implicit" if number == 465 else "starttls", **more)  # type: ignore[arg-type]  # its own fields


def draw(random: Random, writer: Writer) -> list[Run]:
    """Every run of a mutant. The first two send the very same letter."""
    runs: list[Run] = []
    for what, server, letter, odd in _meetings(random, writer):
        user, password = writer.login(odd=odd)
        patience = random.choice((1, 2, 3)) if server.silent else random.choice((3, 4))
        host = f"{random.choice(HOSTS)}{len(runs) + 10}.example.com"
        runs.append(Run(what, server, letter, user, password, patience, host))
    return runs


def _meetings(random: Random, writer: Writer) -> Iterator[tuple[str, Server, Letter, bool]]:
    plain = writer.plain()
    yield "plain", port(587), plain, False
    yield "plain again", port(587), plain, False
    yield "plain on 465", port(465), writer.plain(), False
    yield "PLAIN alone", Server(mechanisms=("PLAIN",)), writer.plain(), False
    yield "in pieces", Server(pieces=True), writer.plain(), False
    for number in range(7):
        yield f"odd letter {number}", port(random.choice((587, 587, 465))), writer.odd(), number % 2 == 0
    yield "stripped", Server(tls="stripped"), writer.plain(), False
    reply = random.choice(("454 4.7.0 TLS not available", "502 5.5.1 No", "501 5.5.4 No", "421 4.7.0 Gone"))
    yield f"STARTTLS {reply}", Server(tls="refused", answers={"starttls": reply}), writer.plain(), False
    for certificate in CERTIFICATES:
        for number in (587, 465) if certificate in TOLD else (random.choice((587, 465)),):
            letter = random.choice((writer.plain, writer.odd))()
            yield f"{certificate} on {number}", port(number, certificate=certificate), letter, False
    yield from _refusals(random, writer)
    for moment in ("connect", "text", random.choice(MOMENTS[1:7])):
        yield f"silent at {moment}", Server(silent=moment), writer.plain(), False
    moment = random.choice(("handshake", "handshake", "connect", "text"))
    yield f"silent at {moment} on 465", port(465, silent=moment), writer.plain(), False
    for moment in ("text", random.choice(MOMENTS)):
        server = port(random.choice((587, 587, 465)), hangs_up=moment)
        yield f"hangs up at {moment}", server, writer.plain(), False


def _refusals(random: Random, writer: Writer) -> Iterator[tuple[str, Server, Letter, bool]]:
    def either() -> int:
        return random.choice((587, 587, 465))

    for reply in (
        "550 5.1.1 No such user",
        random.choice(("450 4.2.0 Greylisted", "553 5.1.3 No", "452 4.5.3 x")),
    ):
        for _ in range(2):
            letter = writer.plain()
            place = random.randrange(len(letter.recipients))
            answers = {f"rcpt:{letter.recipients[place]}": reply}
            once = reply[0] == "4" and random.random() < 0.6
            what = f"recipient {place + 1}: {reply}{', once' if once else ''}"
            yield what, port(either(), answers=answers, once=once), letter, False
    for moment, replies in (
        ("connect", ("421 4.3.2 Closing", "421 4.3.2 Closing", "554 5.3.2 No service")),
        ("auth", ("535 5.7.8 Not so",)),
        ("auth", ("454 4.7.0 Temporary", "535 5.7.8 Not so")),
        ("mail", (LATER, NEVER, "452 4.3.1 Full")),
        ("data", (LATER, "554 5.5.1 No")),
        ("text", (LATER,)),
        ("text", ("554 5.7.1 Refused", "552 5.2.2 Full", "550 5.7.1 Spam")),
    ):
        reply = random.choice(replies)
        once = reply[0] == "4" and random.random() < 0.6
        what = f"{moment}: {reply}{', once' if once else ''}"
        yield what, port(either(), answers={moment: reply}, once=once), writer.plain(), False
    yield "too big", port(either(), size=400), writer.plain(), False

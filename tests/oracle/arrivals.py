"""Runs a Postfix configuration, sends everybody's letters, and says what arrived that must not, and what did not."""

from __future__ import annotations

import ipaddress
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from msgspec.structs import replace

from grader import kinds
from grader.engines.base import Channel, ChannelLost, Engine, Machines
from grader.kinds.server.facts import ServerPlan
from grader.model.lab import Lab
from grader.model.plan import Zone
from grader.model.protocol.host import (
    CountQueue,
    DeliveredMail,
    FindMail,
    Install,
    IsAlive,
    ReadLog,
    RunCommand,
    StartServices,
)
from grader.model.protocol.world import Finish, StartWorld
from grader.model.submission import Submission
from grader.model.traffic import Arrival
from grader.model.variant import Variant
from tests.oracle.client import Session
from tests.oracle.faults import Fault
from tests.oracle.people import FOREIGN, SECRET, Letter, Person, Writer, draw

SOCKETS = RunCommand(["cat", "/proc/net/tcp", "/proc/net/tcp6"], 5)
DRAIN_SECONDS = 8.0
LISTEN_SECONDS = 5.0
PAUSES = (0.4, 1.2, 2.5)
"""Seconds after which a client comes back that was put off (RFC 5321 section 4.5.4.1, in a hurry)."""

_HEAD = "$TTL 300\n@ IN SOA ns hostmaster 1 3600 600 86400 300\n@ IN NS ns\nns IN A {nameserver}\n"
_NAME = re.compile(r"\b(?:[a-z0-9-]+\.)+(?:example|com)\b")


@dataclass
class Seen:
    """What a run showed.

    Rules of faults: starts, relay, backscatter, unknown, local, postmaster, office, user, borrowed, clear, tells,
    smuggled.
    """

    faults: list[Fault]
    sent: int
    listeners: list[tuple[str, int, str]]


def observe(lab: Lab, submission: Submission, variant: Variant, engine: Engine, random: Random) -> Seen:
    """Run the submission among people drawn by ``random``. Raises ``EngineError`` where the engine fails."""
    people = draw(random, variant.names)
    plan = _plan(lab, submission, variant, people)
    engine.image(lambda step: None)
    with engine.machines(plan) as machines:
        return _Run(plan, machines, submission, variant, people, random).seen()


def _plan(lab: Lab, submission: Submission, variant: Variant, people: list[Person]) -> ServerPlan:
    """The product's plan for the two machines, with the oracle's people in it and no attempt of the lab's own."""
    plan = kinds.plan(lab.kind).make(lab, submission, variant, student=None, only=None)
    assert isinstance(plan, ServerPlan)
    names = variant.names
    known = {address.partition("/")[0] for address in plan.world.addresses}
    fresh = [person for person in people if person.address not in known]
    added = [f"{p.address}/{128 if ':' in p.address else 32}" for p in fresh]
    connected = [ipaddress.ip_interface(address).network for address in plan.host.addresses]
    routes = [
        str(
            ipaddress.ip_network(
                address.partition("/")[0] + ("/64" if ":" in address else "/24"), strict=False
            )
        )
        for address in added
        if not any(ipaddress.ip_interface(address).ip in network for network in connected)
    ]
    head = _HEAD.format(nameserver=names["nameserver"])
    zones = {zone.origin: zone for zone in plan.world.zones}
    for domain in FOREIGN:
        zones.setdefault(domain, Zone(domain, f"{head}@ IN MX 10 {names['outside_host']}.\n"))
    zones.setdefault("oracle-people.example", Zone("oracle-people.example", head))
    for person in people:
        pointer = ipaddress.ip_address(person.address).reverse_pointer
        root = "ip6.arpa" if ":" in person.address else "in-addr.arpa"
        kind = "AAAA" if ":" in person.address else "A"
        origin = names["domain"] if person.office else "oracle-people.example"
        for zone, line in (
            (root, f"{pointer}. IN PTR {person.name}.\n"),
            (origin, f"{person.name}. IN {kind} {person.address}\n"),
        ):
            base = zones.get(zone) or Zone(zone, head)
            if pointer not in base.text or zone != root:
                zones[zone] = replace(base, text=base.text + line)
    return replace(
        plan,
        attempts=[],
        # Nobody hurries a hunt, and a busy machine may take its time.
        limits=replace(plan.limits, wall=600.0),
        host=replace(plan.host, routes=list(dict.fromkeys([*plan.host.routes, *routes]))),
        world=replace(plan.world, addresses=[*plan.world.addresses, *added], zones=list(zones.values())),
    )


class _Run:
    """One run: start, listen, send, wait, compare."""

    def __init__(
        self,
        plan: ServerPlan,
        machines: Machines,
        submission: Submission,
        variant: Variant,
        people: list[Person],
        random: Random,
    ) -> None:
        self.plan = plan
        self.host: Channel = machines.host
        self.world: Channel = machines.world
        self.names = variant.names
        self.secrets = variant.secrets
        self.random = random
        self.writer = Writer(random, variant.names, people)
        self.people = people
        self.faults: list[Fault] = []
        text = b"\n".join(submission.files.values()).decode("utf-8", "replace").casefold()
        own = (self.names["domain"], self.names["host"])
        self.mentioned = sorted({n for n in _NAME.findall(text) if n not in own})[:4]

    def seen(self) -> Seen:
        """Everything."""
        spec = self.plan.host
        self.world.call(StartWorld(self.plan.world), timeout=30)
        self.host.call(Install(spec.files), timeout=30)
        self.host.call(StartServices(spec.services, spec.config_dir, 20.0), timeout=25)
        listeners = self._listeners()
        if not any(port == 25 for _, port, _ in listeners):
            return Seen([Fault("starts", "nothing greets on port 25")], 0, listeners)
        self.faults += _absent(self.names, listeners)
        letters = self.writer.letters(listeners, self.mentioned)
        for letters_of_session in _sessions(letters):
            self._send(letters_of_session)
        for at in listeners:
            self._ask_about_users(*at)
        self._compare(letters)
        return Seen(self.faults, len(letters), listeners)

    def _listeners(self) -> list[tuple[str, int, str]]:
        """Every server address and port on which SMTP is spoken, and in which kinds of TLS."""
        deadline = time.monotonic() + LISTEN_SECONDS
        sockets: set[tuple[str, int]] = set()
        while time.monotonic() < deadline:
            told = self.host.call(SOCKETS, timeout=8)
            sockets = set(_sockets(told.output))
            if any("daemon started" in line for line in self.host.call(ReadLog(), timeout=5)):
                told = self.host.call(SOCKETS, timeout=8)
                sockets = set(_sockets(told.output))
                break
            if not self.host.call(IsAlive(), timeout=5).master:
                break
            time.sleep(0.1)
        found: list[tuple[str, int, str]] = []
        for server in (self.names["host_v4"], self.names["host_v6"], self.names["host_lan"]):
            anywhere = {"::", "0.0.0.0"} if ":" not in server else {"::"}
            for port in sorted({p for a, p in sockets if a == server or a in anywhere}):
                found += [(server, port, tls) for tls in self._kinds(server, port)]
        return found

    def _kinds(self, server: str, port: int) -> Iterator[str]:
        """``none``, ``starttls`` and ``implicit``, as far as the port takes them."""
        source = next(p.address for p in self.people if (":" in p.address) == (":" in server))
        name = self.names["host"]
        session = Session(self.world, source, server, port, "oracle.example")
        if session.open(tls="none", name=name, seconds=1.5 if port not in (25, 587) else 7.0):
            starttls = "STARTTLS" in session.extensions
            clear = "AUTH" in session.extensions
            session.close()
            if clear:
                self.faults.append(Fault("clear", f"{server} port {port} offers AUTH in the clear"))
            # Logging in without TLS must be impossible, offered or not.
            session = Session(self.world, source, server, port, "oracle.example")
            if session.open(tls="none", name=name) and session.log_in(
                "alice", self.secrets["alice_password"]
            ):
                self.faults.append(Fault("clear", f"{server} port {port} takes a password in the clear"))
            session.close()
            yield "none"
            if starttls:
                yield "starttls"
        else:
            session.close()
            session = Session(self.world, source, server, port, "oracle.example")
            if session.open(tls="implicit", name=name, seconds=3.0):
                yield "implicit"
            elif session.greeted or port == 25:
                pass
            elif port not in (25, 587, 465):
                # Perhaps it waits for a PROXY header, which letters with a preface send.
                yield "none"
            session.close()

    def _send(self, letters: list[Letter]) -> None:
        first = letters[0]
        helo = first.person.name
        session = Session(self.world, first.person.address, first.server, first.port, helo)
        ready = session.open(tls=first.tls, name=self.names["host"], preface=first.preface)
        if ready and first.user:
            ready = "AUTH" in session.extensions and session.log_in(
                first.user, self.secrets[f"{first.user}_password"]
            )
        for command in first.before if ready else ():
            if command.startswith("XCLIENT") and "XCLIENT" not in session.extensions:
                ready = False
                break
            session.command(command)
            session.hello()
        for letter in letters:
            if not ready:
                letter.stage, letter.reply = "session", session.ended or (session.lines[-1:] or [""])[0]
                continue
            if session.ended and len(letters) > 1:
                self._send([letter])
                continue
            letter.stage, letter.reply = session.message(letter.sender, [letter.recipient], letter.text)
            letter.dialogue = session.lines[-6:]
        session.close()
        tries = first.tries
        again = [letter for letter in letters if _put_off(letter)] if tries < len(PAUSES) else []
        if again:
            for letter in again:
                letter.tries = tries + 1
            time.sleep(PAUSES[tries])
            self._send(again)

    def _ask_about_users(self, server: str, port: int, tls: str) -> None:
        """VRFY for one who exists and for one who does not must be answered alike."""
        sources = [p for p in self.people if (":" in p.address) == (":" in server) and not p.office]
        person = self.random.choice(sources)
        session = Session(self.world, person.address, server, port, person.name)
        if session.open(tls=tls, name=self.names["host"], seconds=3.0):
            domain = self.names["domain"]
            answers = []
            for user in ("bob", f"{SECRET}x"):
                reply = session.command(f"VRFY {user}@{domain}")
                answers.append("" if session.ended else reply[0][:3])
            etrn = session.command(f"ETRN {domain}")[0]
            if etrn[:3] in ("250", "251", "252", "253") and not session.ended:
                self.faults.append(Fault("tells", f"ETRN at {server} port {port} ({tls}): {etrn}"))
            if "" not in answers and answers[0] != answers[1] and answers[1][:1] != "4":
                self.faults.append(Fault("tells", f"VRFY at {server} port {port} ({tls}): {answers}"))
        session.close()

    def _compare(self, letters: list[Letter]) -> None:
        try:
            self._settle(letters)
            tokens = [letter.token for letter in letters]
            kept = self.host.call(FindMail(tokens), timeout=15)
        except ChannelLost:
            kept = []
        told = self.world.call(Finish(), timeout=15)
        outside = told.arrivals
        here = {token for message in kept for token in message.tokens}
        hidden = [m for m in kept if b"\nSubject: hidden " in _header(m.raw)]
        for letter in letters:
            if fault := _fault(letter, outside, here, hidden):
                self.faults.append(fault)

    def _settle(self, letters: list[Letter]) -> None:
        """Wait until the queue is at rest, and what ought to be in a mailbox is there."""
        deadline, quiet = time.monotonic() + DRAIN_SECONDS, 0
        while time.monotonic() < deadline and quiet < 3:
            counts = self.host.call(CountQueue(), timeout=5)
            quiet = 0 if counts.in_motion else quiet + 1
            time.sleep(0.1)
        awaited = {x.token for x in letters if x.kind in ("local", "postmaster") and x.stage == "accepted"}
        late = time.monotonic() + 2.0
        while awaited and time.monotonic() < late:
            for message in self.host.call(FindMail(sorted(awaited)), timeout=10):
                awaited -= set(message.tokens)
            time.sleep(0.1)


def _put_off(letter: Letter) -> bool:
    """Whether an honest client would come back with this letter: greylisting, postscreen's deep tests."""
    return letter.kind in ("local", "office", "user", "postmaster") and letter.reply[:3] in (
        "450",
        "451",
        "421",
    )


def _absent(names: dict[str, str], listeners: list[tuple[str, int, str]]) -> Iterator[Fault]:
    """The ports of the handout that do not serve at one of the server's addresses."""
    for server in (names["host_v4"], names["host_v6"], names["host_lan"]):
        ports = {(port, tls) for address, port, tls in listeners if address == server}
        if not {(587, "starttls"), (465, "implicit")} <= ports:
            yield Fault("user", f"no login is to be had at {server}, which speaks {sorted(ports)}")
        if (25, "none") not in ports:
            rule = "office" if server == names["host_lan"] else "local"
            yield Fault(rule, f"nothing greets at {server} port 25")


def _header(raw: bytes) -> bytes:
    """The header of a message, with a line end before each field."""
    return b"\n" + raw.replace(b"\r\n", b"\n").partition(b"\n\n")[0]


def _fault(
    letter: Letter, outside: list[Arrival], here: set[str], hidden: list[DeliveredMail]
) -> Fault | None:
    """The rule that what became of a letter breaks, if any."""
    mark = letter.token.encode()
    carried = [
        a for a in outside if mark in a.raw or any(letter.token in r for r in (*a.recipients, a.sender))
    ]
    bounces = [a for a in carried if not a.sender and letter.sender in a.recipients]
    # Whoever writes to somebody here cannot choose where an alias of theirs leads.
    letters = [a for a in carried if a not in bounces and any(letter.token in r for r in a.recipients)]
    kind = letter.kind
    if kind == "relay":
        named = [*letters, *(a for a in carried if letter.recipient in a.recipients and a not in bounces)]
        if named:
            return Fault("relay", f"{letter}; arrived at {named[0].where} for {named[0].recipients}")
        return (
            Fault("backscatter", f"{letter}; bounced to {letter.sender}")
            if bounces and letter.sender
            else None
        )
    if kind == "borrowed":
        return Fault("borrowed", f"{letter}; arrived as {letters[0].sender}") if letters else None
    if kind == "nobody":
        if bounces:
            return Fault("backscatter", f"{letter}; bounced to {letter.sender}")
        return Fault("unknown", str(letter)) if letter.stage == "accepted" else None
    if kind == "smuggled":
        count = sum(letter.token.encode() in m.raw for m in hidden)
        return Fault("smuggled", str(letter)) if count else None
    if letter.stage == "session" and letter.port == 25 and letter.tls == "starttls":
        return None  # Whoever meets a server whose TLS is broken sends in the clear (RFC 3207 section 4.1).
    if kind in ("local", "postmaster"):
        return None if letter.token in here else Fault(kind, str(letter))
    return None if letters else Fault(kind, str(letter))


def _sessions(letters: list[Letter]) -> Iterator[list[Letter]]:
    """Letters that can share a session, few enough for the patience of a server with its clients' errors."""
    groups: dict[tuple[object, ...], list[Letter]] = {}
    for letter in letters:
        alone = letter.before or letter.preface or letter.kind in ("smuggled",)
        key = (
            letter.person.address,
            letter.server,
            letter.port,
            letter.tls,
            letter.user,
            letter.token if alone else "",
        )
        groups.setdefault(key, []).append(letter)
    for group in groups.values():
        for start in range(0, len(group), 6):
            yield group[start : start + 6]


def _sockets(tables: str) -> Iterator[tuple[str, int]]:
    """Address and port of each listening socket beyond loopback in proc_net_tcp(5)."""
    for line in tables.splitlines():
        fields = line.split()
        if len(fields) > 3 and fields[3] == "0A":
            words, _, port = fields[1].partition(":")
            packed = b"".join(bytes.fromhex(words[i : i + 8])[::-1] for i in range(0, len(words), 8))
            address = ipaddress.ip_address(packed)
            if not address.is_loopback:
                yield str(address), int(port, 16)

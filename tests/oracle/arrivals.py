"""Runs a Postfix configuration, sends everybody's letters, and says what arrived that must not, and what did not."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from grader.engines.base import Channel, ChannelLost, Engine, Machines
from grader.kinds.server.facts import ServerPlan
from grader.model.lab import Lab
from grader.model.protocol.host import (
    FindMail,
    Install,
    IsAlive,
    ListQueue,
    ReadLog,
    StartServices,
)
from grader.model.protocol.world import Finish, StartWorld
from grader.model.submission import Submission
from grader.model.variant import Variant
from tests.oracle.client import Session
from tests.oracle.faults import Fault
from tests.oracle.letters import SECRET, Letter, Writer
from tests.oracle.people import Person, draw
from tests.oracle.reading import read
from tests.oracle.stage import SOCKETS, plan_among, sockets_in, wait_for_rest
from tests.oracle.verdict import Whereabouts, absent, fault_of

SENDING_SECONDS = 240.0
"""A server that sleeps a second after each error (smtpd_error_sleep_time) takes longer than all others together."""
DRAIN_SECONDS = 8.0
LISTEN_SECONDS = 5.0
PAUSES = (0.4, 1.2, 2.5)
"""Seconds after which a client comes back that was put off (RFC 5321 section 4.5.4.1, in a hurry)."""

DEATH = "throttling"
_NAME = re.compile(r"\b(?:[a-z0-9-]+\.)+(?:example|com)\b")


@dataclass
class Seen:
    """What a run showed.

    Rules of faults: starts, relay, vanished, backscatter, unknown, local, postmaster, office, user, inside, large,
    borrowed, clear, tells, smuggled.
    """

    faults: list[Fault]
    sent: int
    listeners: list[tuple[str, int, str]]
    unsent: int = 0
    """Letters for which a server that is slow on purpose left no time."""


def observe(lab: Lab, submission: Submission, variant: Variant, engine: Engine, random: Random) -> Seen:
    """Run the submission among people drawn by ``random``. Raises ``EngineError`` where the engine fails."""
    names = variant.names
    text = read(submission.files, (names["domain"], names["host"]))
    people = draw(random, names, text)
    plan = plan_among(people, lab, submission, variant)
    engine.image(lambda step: None)
    with engine.machines(plan) as machines:
        writer = Writer(random, names, people, text)
        return _Run(plan, machines, variant, writer, people, random).seen()


class _Run:
    """One run: start, listen, send, wait, compare."""

    def __init__(
        self,
        plan: ServerPlan,
        machines: Machines,
        variant: Variant,
        writer: Writer,
        people: list[Person],
        random: Random,
    ) -> None:
        self.plan = plan
        self.host: Channel = machines.host
        self.world: Channel = machines.world
        self.names = variant.names
        self.secrets = variant.secrets
        self.random = random
        self.writer = writer
        self.people = people
        self.faults: list[Fault] = []
        self.patience = 7.0
        self.put_off: list[list[Letter]] = []

    def seen(self) -> Seen:
        """Everything."""
        spec = self.plan.host
        self.world.call(StartWorld(self.plan.world), timeout=30)
        self.host.call(Install(spec.files), timeout=30)
        self.host.call(StartServices(spec.services, spec.config_dir, 20.0), timeout=25)
        listeners = self._listeners()
        if not any(port == 25 for _, port, _ in listeners):
            return Seen([Fault("starts", "nothing greets on port 25")], 0, listeners)
        self.faults += absent(self.names, listeners)
        letters = self._sent(written := self.writer.letters(listeners))
        for pause in PAUSES:
            again, self.put_off = self.put_off, []
            if pause == PAUSES[-1]:
                again += list(_sessions([letter for letter in letters if _comes_back_late(letter)]))
            if again:
                time.sleep(pause)
            for letters_of_session in again:
                self._send(letters_of_session)
        for at in listeners:
            self._ask_about_users(*at)
        self._compare(letters)
        return Seen(self.faults, len(letters), listeners, len(written) - len(letters))

    def _sent(self, written: list[Letter]) -> list[Letter]:
        """Send letters, in an order that favours no listener, while there is time; those that were sent."""
        sessions = list(_sessions(written))
        Random(len(sessions)).shuffle(sessions)
        deadline = time.monotonic() + SENDING_SECONDS
        sent: list[Letter] = []
        for letters in sessions:
            if time.monotonic() > deadline:
                break
            self._send(letters)
            sent += letters
        return sent

    def _listeners(self) -> list[tuple[str, int, str]]:
        """Every server address and port on which SMTP is spoken, and in which kinds of TLS."""
        deadline = time.monotonic() + LISTEN_SECONDS
        sockets: set[tuple[str, int]] = set()
        while time.monotonic() < deadline:
            told = self.host.call(SOCKETS, timeout=8)
            sockets = set(sockets_in(told.output))
            if any("daemon started" in line for line in self.host.call(ReadLog(), timeout=5)):
                told = self.host.call(SOCKETS, timeout=8)
                sockets = set(sockets_in(told.output))
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
        if session.open(tls="none", name=name, seconds=1.5 if port not in (25, 587) else self.patience):
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
            self._ask_in_the_office(server, port)
            yield "none"
            if starttls:
                yield "starttls"
        else:
            silent = not session.greeted and session.ended == "timeout"
            session.close()
            if (
                silent
                and port in (25, 587)
                and any(DEATH in line for line in self.host.call(ReadLog(), timeout=5))
            ):
                # Its log says that it cannot work: nobody waits seven seconds for the next one.
                self.patience = 1.0
            session = Session(self.world, source, server, port, "oracle.example")
            if session.open(tls="implicit", name=name, seconds=3.0):
                yield "implicit"
            elif session.greeted or port == 25:
                pass
            elif port not in (25, 587, 465):
                # Perhaps it waits for a PROXY header, which letters with a preface send.
                yield "none"
            session.close()

    def _ask_in_the_office(self, server: str, port: int) -> None:
        """On the LAN, somebody of the office may be offered what strangers are not."""
        desk = next(person for person in self.people if person.office)
        if server != self.names["host_lan"]:
            return
        session = Session(self.world, desk.address, server, port, desk.name)
        if session.open(tls="none", name=self.names["host"], seconds=3.0) and "AUTH" in session.extensions:
            self.faults.append(Fault("clear", f"{server} port {port} offers the office AUTH in the clear"))
        session.close()

    def _send(self, letters: list[Letter]) -> None:
        first = letters[0]
        helo = first.helo or first.person.name
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
        refused: dict[str, tuple[str, str]] = {}
        if ready and len(letters) > 1 and "PIPELINING" in session.extensions:
            told = session.refusals([(letter.sender, letter.recipient) for letter in letters])
            refused = {x.token: end for x, end in zip(letters, told, strict=False) if end is not None}
        for letter in letters:
            if letter.token in refused:
                letter.stage, letter.reply = refused[letter.token]
                continue
            if not ready:
                letter.stage, letter.reply = "session", session.ended or (session.lines[-1:] or [""])[0]
                continue
            if not (session.ended and len(letters) > 1):
                letter.stage, letter.reply = session.message(letter.sender, [letter.recipient], letter.text)
                letter.dialogue = session.lines[-6:]
            if session.ended and letter.stage != "accepted" and len(letters) > 1:
                self._send([letter])  # The server hung up, perhaps for what others of the session did.
        session.close()
        if again := [letter for letter in letters if _put_off(letter)]:
            self.put_off.append(again)

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
            queued = self.host.call(ListQueue(), timeout=15)
            log = self.host.call(ReadLog(), timeout=10)
        except ChannelLost:
            kept, queued, log = [], [], []
        told = self.world.call(Finish(), timeout=15)
        known = Whereabouts(self.names, told.arrivals, kept, queued, log)
        for letter in letters:
            if fault := fault_of(letter, known):
                self.faults.append(fault)

    def _settle(self, letters: list[Letter]) -> None:
        """Wait until the queue is at rest, and what ought to be in a mailbox is there."""
        wait_for_rest(self.host, DRAIN_SECONDS)
        here = ("local", "postmaster", "inside")
        awaited = {x.token for x in letters if x.kind in here and x.stage == "accepted"}
        late = time.monotonic() + 2.0
        while awaited and time.monotonic() < late:
            for message in self.host.call(FindMail(sorted(awaited)), timeout=10):
                awaited -= set(message.tokens)
            time.sleep(0.1)


def _put_off(letter: Letter) -> bool:
    """Whether an honest client would come back with this letter: greylisting, postscreen's deep tests."""
    return letter.kind in ("local", "office", "user", "inside", "postmaster") and letter.reply[:3] in (
        "450",
        "451",
        "421",
    )


def _comes_back_late(letter: Letter) -> bool:
    """Whether one who has no business here tries once more: what greylisting let pass then is open to all."""
    trouble = " 4.3." in letter.reply and " 4.3.2" not in letter.reply
    unwanted = letter.kind in ("relay", "nobody", "borrowed")
    return unwanted and letter.reply[:3] in ("450", "451") and not trouble


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
            letter.helo,
            letter.token if alone else "",
        )
        groups.setdefault(key, []).append(letter)
    for group in groups.values():
        for start in range(0, len(group), 6):
            yield group[start : start + 6]

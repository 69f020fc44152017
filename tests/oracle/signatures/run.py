"""Runs a server that signs, sends everybody's letters through it, and says what a receiver would miss in them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from grader.engines.base import ChannelLost, Engine, Machines
from grader.kinds.server.facts import ServerPlan
from grader.model.lab import Lab
from grader.model.protocol.host import (
    FindMail,
    HaltService,
    Install,
    IsAlive,
    ListQueue,
    StartServices,
)
from grader.model.protocol.world import Finish, StartWorld
from grader.model.submission import Submission
from grader.model.variant import Variant
from grader.world.dns.loopback import served
from grader.world.dns.zones import Zones
from tests.oracle.client import Session
from tests.oracle.faults import Fault
from tests.oracle.people import draw
from tests.oracle.reading import read
from tests.oracle.signatures.letters import Letter, Writer
from tests.oracle.signatures.receiver import Receiver, published
from tests.oracle.signatures.verdict import Arrived, faults_of
from tests.oracle.stage import SOCKETS, plan_among, sockets_in, wait_for_rest

DRAIN_SECONDS = 8.0
LISTEN_SECONDS = 5.0


@dataclass
class Seen:
    """What a run showed. ``faults`` are of the rules in ``hunt.CHECKS``."""

    faults: list[Fault]
    sent: int


def observe(lab: Lab, submission: Submission, variant: Variant, engine: Engine, random: Random) -> Seen:
    """Run the submission among people drawn by ``random``. Raises ``EngineError`` where the engine fails."""
    names = variant.names
    text = read(submission.files, (names["domain"], names["host"]))
    people = draw(random, names, text)
    plan = plan_among(people, lab, submission, variant)
    writer = Writer(random, names, people, text)
    engine.image(lambda step: None)
    with engine.machines(plan) as machines:
        arrived = _Run(plan, machines, variant).arrived(writer)
    zone, unread = published(submission.files, names["domain"])
    faults = [Fault("record", said) for said in unread]
    with served(Zones([zone])) as server:
        receiver = Receiver(server.port, zone)
        try:
            faults += faults_of(arrived, receiver, names)
        finally:
            receiver.close()
    return Seen(faults, len(arrived.letters))


class _Run:
    """One run: start, listen, send, stop OpenDKIM, send, wait."""

    def __init__(self, plan: ServerPlan, machines: Machines, variant: Variant) -> None:
        self._plan = plan
        self._host = machines.host
        self._world = machines.world
        self._names = variant.names
        self._secrets = variant.secrets

    def arrived(self, writer: Writer) -> Arrived:
        """Everything that was sent, and where it is."""
        spec = self._plan.host
        self._world.call(StartWorld(self._plan.world), timeout=30)
        self._host.call(Install(spec.files), timeout=30)
        running = self._host.call(StartServices(spec.services, spec.config_dir, 20.0), timeout=25).running
        listens, greets = self._listens(), False
        letters: list[Letter] = []
        if listens:
            letters = writer.letters()
            self._send(letters)
            wait_for_rest(self._host, DRAIN_SECONDS)
            last = writer.after_the_end()
            self._host.call(HaltService("opendkim"), timeout=10)
            self._send(last)
            letters += last
            wait_for_rest(self._host, DRAIN_SECONDS)
            greets = any(letter.stage != "session" for letter in letters)
        tokens = [letter.token for letter in letters]
        try:
            kept = self._host.call(FindMail(tokens), timeout=15) if tokens else []
            queued = self._host.call(ListQueue(), timeout=15)
        except ChannelLost:
            kept, queued = [], []
        outside = self._world.call(Finish(), timeout=15).arrivals
        return Arrived(letters, outside, kept, queued, greets, "opendkim" in running)

    def _listens(self) -> bool:
        """Whether something listens on port 25 in time."""
        deadline = time.monotonic() + LISTEN_SECONDS
        while time.monotonic() < deadline:
            told = self._host.call(SOCKETS, timeout=8)
            if any(port == 25 for _, port in sockets_in(told.output)):
                return True
            if not self._host.call(IsAlive(), timeout=5).master:
                return False
            time.sleep(0.1)  # between two looks, until the deadline
        return False

    def _send(self, letters: list[Letter]) -> None:
        for group in _sessions(letters):
            first = group[0]
            server = self._server(first)
            helo = first.helo or first.person.name
            session = Session(self._world, first.person.address, server, first.port, helo)
            ready = session.open(tls=first.tls, name=self._names["host"])
            if ready and first.user:
                ready = session.log_in(self._names[first.user], self._secrets[f"{first.user}_password"])
            for letter in group:
                if not ready or session.ended:
                    letter.stage, letter.reply = "session", session.ended or (session.lines[-1:] or [""])[0]
                    letter.dialogue = list(session.lines)
                    continue
                letter.stage, letter.reply = session.message(letter.sender, [letter.recipient], letter.text)
                letter.dialogue = session.lines[-6:]
            session.close()

    def _server(self, letter: Letter) -> str:
        """The address of the server that this person reaches."""
        if ":" in letter.person.address:
            return self._names["host_v6"]
        return self._names["host_lan" if letter.person.office else "host_v4"]


def _sessions(letters: list[Letter]) -> Iterator[list[Letter]]:
    """Letters that can share a session."""
    groups: dict[tuple[object, ...], list[Letter]] = {}
    for letter in letters:
        key = letter.person.address, letter.port, letter.tls, letter.user, letter.helo
        groups.setdefault(key, []).append(letter)
    yield from groups.values()

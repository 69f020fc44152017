"""One run from first to last: install, start, probe, wait until the mail has come to rest, collect."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable

import msgspec

from grader.engines.base import ChannelLost, Machines
from grader.kinds.base import Recorded
from grader.kinds.server.declare import ServerLab
from grader.kinds.server.facts import ServerFacts, ServerPlan, ServiceFacts
from grader.kinds.server.run.keys import key_names
from grader.kinds.server.run.rounds import DeadListeners, Rounds, greeted, silent
from grader.kinds.server.run.settle import Settling
from grader.model.attempt import Attempt
from grader.model.deadline import Deadline
from grader.model.dns import KeyAnswer
from grader.model.traffic import Arrival, AttemptFacts, Command, Outcome, Query, Queued, Session

START_SECONDS = 20.0
LISTEN_SECONDS = 8.0
SPARE_SECONDS = 4.0
"""Kept back from the wall time for collecting evidence."""

GREETING_SECONDS = 2.5
"""How long a greeting may take before the server's log is asked whether one is to be expected at all."""

STARTED = re.compile(r"postfix/master\[\d+\]: daemon started")
DEATH = re.compile(r"smtpd\[\d+\]: (?:fatal|panic): |: bad command startup -- throttling")


def conduct(plan: ServerPlan, lab: ServerLab, machines: Machines, overlap: Callable[[], object]) -> Recorded:
    """Run the plan on the machines and return what happened.

    A host that dies or falls silent is evidence, not an error; ``EngineError`` is raised only when the world fails.
    ``overlap`` is called once, while the machines are busy, for work that would otherwise come after.
    """
    run = _Run(plan, machines, overlap)
    run.start_up()
    if not run.host_lost:
        run.probe(lab)
    run.collect()
    return run.recorded()


class _Run:
    def __init__(self, plan: ServerPlan, machines: Machines, overlap: Callable[[], object]) -> None:
        self.plan = plan
        self.overlap = overlap
        self.places = {attempt.id: place for place, attempt in enumerate(plan.attempts)}
        self.host = machines.host
        self.world = machines.world
        self.deadline = Deadline(plan.limits.wall - SPARE_SECONDS)
        self.host_lost = ""
        self.mta = ""
        self.running: list[str] = []
        self.stopped: set[str] = set()
        self.keys: list[KeyAnswer] = []
        self.listening: list[int] = []
        self.sessions: list[Session] = []
        self.outcomes: dict[str, Outcome] = {}
        self.arrivals: list[Arrival] = []
        self.queries: list[Query] = []
        self.queued: list[Queued] = []
        self.commands: list[Command] = []
        self.log: list[str] = []
        self.notes: list[str] = []

    def start_up(self) -> None:
        """Bring up the world and the host side by side, and wait for the server's first port."""
        self.world.ask("start", world=self.plan.world)
        try:
            self.host.ask("install", files=self.plan.host.files)
            self.host.ask(
                "start",
                services=self.plan.host.services,
                config_dir=self.plan.host.config_dir,
                timeout=START_SECONDS,
            )
            self.overlap()
            self.host.answer(timeout=START_SECONDS)
        except ChannelLost as lost:
            self.lose_host(lost)
        self.world.answer(timeout=START_SECONDS)
        if self.host_lost:
            return
        try:
            answer = self.host.answer(timeout=START_SECONDS + 1)
            self.commands = msgspec.convert(answer["commands"], list[Command])
            self.mta = answer["mta"]
            self.running = answer["running"]
            self._wait_for_port()
        except ChannelLost as lost:
            self.lose_host(lost)

    def _wait_for_port(self) -> None:
        """Poll until the first port listens, or can be known never to, or the time is over."""
        deadline = self.deadline.within(LISTEN_SECONDS)
        while not self._listens(0.25) and not deadline.over:
            self._read_log()
            if (
                any(STARTED.search(line) for line in self.log)
                or not self.host.call("alive", timeout=5)["master"]
            ):
                # The master opens every port before it says that it has started.
                self._listens(0)
                return

    def _listens(self, seconds: float) -> bool:
        ports = sorted({attempt.port for attempt in self.plan.attempts})
        server = self.plan.attempts[0].server if self.plan.attempts else ""
        self.listening = self.world.call(
            "listening", server=server, ports=ports, wait_for=ports[:1], seconds=seconds, timeout=seconds + 5
        )
        return set(ports[:1]) <= set(self.listening)

    def probe(self, lab: ServerLab) -> None:
        """Try every attempt: first with all services, then with those stopped that a check wants to be stopped."""
        plain = [attempt for attempt in self.plan.attempts if not attempt.stopped]
        self._probe_in_rounds(lab, plain)
        without: dict[tuple[str, ...], list[Attempt]] = {}
        for attempt in self.plan.attempts:
            if attempt.stopped:
                without.setdefault(tuple(attempt.stopped), []).append(attempt)
        for services, attempts in without.items():
            if not self.host_lost and any(greeted(outcome) for outcome in self.outcomes.values()):
                self._with_host(functools.partial(self._probe_without, lab, services, attempts))
        if self.deadline.over:
            self.notes.append("The time for this run was over before everything had been tried.")

    def _probe_without(self, lab: ServerLab, services: Iterable[str], attempts: list[Attempt]) -> None:
        """Try attempts while services are stopped. Nobody comes back later: what becomes of them now counts."""
        for service in services:
            if service not in self.stopped:
                self.host.call("halt", service=service, timeout=10)
                self.stopped.add(service)
        fresh = self._try(attempts)
        if any(outcome.stage == "accepted" for outcome in fresh):
            Settling(self.host, self.world, self.deadline).wait([])

    def _probe_in_rounds(self, lab: ServerLab, planned: list[Attempt]) -> None:
        """What later rounds need to know, earlier ones find out."""
        settling = Settling(self.host, self.world, self.deadline)
        dead = DeadListeners(planned, self.outcomes)
        moving = False
        for attempts in Rounds(lab, planned, self.outcomes):
            tried = [attempt for attempt in attempts if not dead.spare(attempt)]
            if not tried or self.deadline.over:
                continue
            if moving and any(attempt.unless_arrived for attempt in tried):
                self._with_host(lambda: settling.wait(self.awaited(lab)))
                moving = False
            if self.host_lost:
                return
            fresh = self._try(tried) if self.outcomes else self._greet(tried)
            moving = moving or any(outcome.stage == "accepted" for outcome in fresh)
        if moving and not self.host_lost:
            self._with_host(lambda: settling.wait(self.awaited(lab)))

    def _greet(self, attempts: list[Attempt]) -> list[Outcome]:
        """The first round. A server that is silent and says in its log that it died is not waited for."""
        fresh = self._try(attempts, greeting=GREETING_SECONDS)
        gone = {outcome.attempt: outcome for outcome in fresh if silent(outcome)}
        if not gone:
            return fresh
        self._with_host(self._read_log)
        died = any(DEATH.search(line) for line in self.log)
        again = [a for a in attempts if a.id in gone and (not died or self._half_greeted(gone[a.id]))]
        return fresh + self._try(again) if again and not self.host_lost else fresh

    def _half_greeted(self, outcome: Outcome) -> bool:
        """Whether a greeting had begun and was to go on, as postscreen's does while it waits."""
        lines = next((s.lines for s in self.sessions if s.id == outcome.session), [])
        return bool(lines) and lines[-1].who == "S" and lines[-1].text.startswith("220-")

    def _try(self, attempts: list[Attempt], greeting: float | None = None) -> list[Outcome]:
        seconds = self.deadline.left
        answer = self.world.call(
            "probe", attempts=attempts, seconds=seconds, greeting=greeting, timeout=seconds + SPARE_SECONDS
        )
        self.sessions += msgspec.convert(answer["sessions"], list[Session])
        fresh = msgspec.convert(answer["outcomes"], list[Outcome])
        self.outcomes.update({outcome.attempt: outcome for outcome in fresh})
        return fresh

    def _with_host(self, work: Callable[[], None]) -> None:
        try:
            work()
        except ChannelLost as lost:
            self.lose_host(lost)

    def awaited(self, lab: ServerLab) -> list[Attempt]:
        """Attempts whose accepted message ought to arrive somewhere."""
        wanted = {
            check.code
            for check in lab.checks
            if check.expect.arrives in ("outside", "mailbox")
            or (check.expect.signature is not None and check.expect.signature.present)
        }
        return [
            attempt
            for attempt in self.plan.attempts
            if attempt.check in wanted
            and not attempt.stopped
            and (outcome := self.outcomes.get(attempt.id)) is not None
            and outcome.stage == "accepted"
        ]

    def collect(self) -> None:
        """Gather what is left to know, from the host as far as it still answers."""
        # What was sent while a service was stopped may have come back to its author, who is a user here.
        tokens = [attempt.token for attempt in self.plan.attempts if attempt.mailbox or attempt.stopped]
        if not self.host_lost:
            self._with_host(lambda: self._collect_host(tokens))
        answer = self.world.call("finish", timeout=10)
        outside = msgspec.convert(answer["arrivals"], list[Arrival])
        ordered = sorted([*outside, *self.arrivals], key=self._order)
        self.arrivals = [
            msgspec.structs.replace(arrival, id=number) for number, arrival in enumerate(ordered)
        ]
        self.queries = msgspec.convert(answer["queries"], list[Query])
        self.notes += answer["notes"]
        if self.plan.published is not None:
            names = key_names(self.arrivals, self.plan.published)
            self.keys = msgspec.convert(self.world.call("resolve", names=names, timeout=10), list[KeyAnswer])

    def _order(self, arrival: Arrival) -> tuple[object, ...]:
        """In the order of the plan, not of arrival, so that equal runs give equal numbers."""
        first = min((self.places[attempt] for attempt in arrival.attempts), default=len(self.places))
        return first, arrival.place, arrival.where, arrival.recipients, arrival.at

    def _read_log(self) -> None:
        self.log = self.host.call("log", timeout=5)

    def _collect_host(self, tokens: list[str]) -> None:
        self._read_log()
        self.queued = self._queued()
        self.arrivals = self._mailboxes(tokens)

    def _queued(self) -> list[Queued]:
        counts = self.host.call("queue", timeout=5)
        if not any(counts.values()):
            return []
        entries = msgspec.convert(self.host.call("queued", timeout=10), list[Queued])
        return [msgspec.structs.replace(entry, attempts=self._owners(entry)) for entry in entries]

    def _owners(self, entry: Queued) -> list[str]:
        recipient = entry.recipient.casefold()
        return [a.id for a in self.plan.attempts if a.token and a.token.casefold() in recipient]

    def _mailboxes(self, tokens: list[str]) -> list[Arrival]:
        owners = {attempt.token: attempt.id for attempt in self.plan.attempts}
        found = self.host.call("mail", tokens=tokens, timeout=10) if tokens else []
        return [
            Arrival(
                id=0,
                place="mailbox",
                where=message["path"],
                attempts=[owners[token] for token in message["tokens"] if token in owners],
                raw=msgspec.convert(message["raw"], bytes),
            )
            for message in found
        ]

    def lose_host(self, lost: ChannelLost) -> None:
        """Note that the student's host is gone; the world goes on."""
        self.host_lost = str(lost)
        self.notes.append(f"The run on the server's host ended early: {lost}.")

    def recorded(self) -> Recorded:
        """Everything, in a stable order."""
        facts = ServerFacts(
            attempts=[_facts(attempt) for attempt in self.plan.attempts],
            outcomes=[self.outcomes[a.id] for a in self.plan.attempts if a.id in self.outcomes],
            sessions=self.sessions,
            arrivals=self.arrivals,
            queued=self.queued,
            queries=self.queries,
            commands=self.commands,
            log=self.log,
            listening=self.listening,
            started_up=bool(self.listening),
            published=self.plan.published,
            keys=self.keys,
            services=[
                ServiceFacts(name, name in self.running, name in self.stopped)
                for name in self.plan.host.services
                if name != "postfix"
            ],
        )
        return Recorded(facts, notes=self.notes, mta=self.mta, files=self.plan.host.handed_in)


def _facts(attempt: Attempt) -> AttemptFacts:
    return AttemptFacts(
        id=attempt.id,
        check=attempt.check,
        title=attempt.title,
        source=attempt.source,
        address=attempt.address,
        listener=attempt.listener,
        token=attempt.token,
        sender=attempt.sender,
        recipients=attempt.recipients,
        user=attempt.login.user if attempt.login else None,
        say=attempt.say,
        mailbox=attempt.mailbox,
        stopped=attempt.stopped,
    )

"""One run from first to last: install, start, probe, wait until the mail has come to rest, collect."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable

import msgspec

from grader.engines.base import HostChannel, HostFailed, Machines, Pending
from grader.kinds.base import Recorded
from grader.kinds.server.declare import UNWANTED, ServerLab
from grader.kinds.server.facts import ServerFacts, ServerPlan, ServiceFacts
from grader.kinds.server.run.arrivals import in_mailboxes, numbered
from grader.kinds.server.run.attempts import attempt_facts
from grader.kinds.server.run.comeback import come_back
from grader.kinds.server.run.doors import knock
from grader.kinds.server.run.greetings import at_work, died, half_greeted, held_back, mute
from grader.kinds.server.run.lasttry import LastTry, make_last_try
from grader.kinds.server.run.ports import Ports
from grader.kinds.server.run.rounds import DeadListeners, Rounds, greeted, silent
from grader.kinds.server.run.settle import Settling
from grader.model.attempt import Attempt
from grader.model.deadline import Deadline
from grader.model.dns import KeyAnswer
from grader.model.latepattern import late_pattern
from grader.model.protocol.host import (
    CountQueue,
    FindMail,
    HaltService,
    Install,
    IsAlive,
    ListQueue,
    ReadLog,
    RunCommand,
    ServicesStarted,
    StartServices,
    StopAll,
)
from grader.model.protocol.world import Finish, ListArrivals, Probe, ResolveKeys, StartWorld
from grader.model.traffic import Arrival, Command, Outcome, OutsideMail, Query, Queued, Session

START_SECONDS = 20.0
SPARE_SECONDS = 12.0
"""How much later than it was told the world may answer: where a machine has far too much to do, a server that talks
without end leaves it work of so many seconds, and that must not end the run."""
COLLECT_SECONDS = 12.0
"""How long the host may take over what is asked at the end, before nothing more is asked."""

LAST_REST_SECONDS = 2.0
"""How long mail that was taken at the very end may take to come to rest."""

GREETING_SECONDS = 2.5
"""How long a greeting may take before the server's log is asked whether one is to be expected at all."""
WORKING_SECONDS = 12.0
"""How long where it shows that some smtpd serves that client, on whichever port."""
PATIENT_SECONDS = 30.0
"""How long a greeting may take where the log shows that somebody is at work on it (RFC 5321 section 4.5.3.2.1 gives
five minutes)."""

COME_TO_AN_END = late_pattern(r"\bdiscard\b|\bstatus=(?:bounced|expired)\b|/dev/null")


def conduct(plan: ServerPlan, lab: ServerLab, machines: Machines, overlap: Callable[[], object]) -> Recorded:
    """Run the plan on the machines and return what happened.

    A host that dies, falls silent or refuses is evidence, not an error; ``EngineError`` is raised only when the world
    fails, or the host is not as it was to be built. ``overlap`` is called once, while the machines are busy, for work
    that would otherwise come after.
    """
    run = _Run(plan, lab, machines, overlap)
    run.start_up()
    if not run.host_lost:
        run.probe(lab)
    run.collect()
    return run.recorded()


class _Run:
    def __init__(
        self, plan: ServerPlan, lab: ServerLab, machines: Machines, overlap: Callable[[], object]
    ) -> None:
        self.plan = plan
        self.nowhere = {check.code for check in lab.checks if check.expect.arrives in UNWANTED}
        self.overlap = overlap
        self.attempts = list(plan.attempts)
        self.ports = {attempt.port for attempt in plan.attempts}
        self.host = HostChannel(machines.host)
        self.world = machines.world
        self.deadline = Deadline(plan.limits.acting)
        self.open = Ports(plan, self.host, self.world, self.deadline, self._read_log)
        self.greeting: float | None = None
        self.host_lost, self.host_ended = "", False
        self._starting: Pending[ServicesStarted] | None = None
        self.mta = ""
        self.running: list[str] = []
        self.stopped: set[str] = set()
        self.keys: list[KeyAnswer] = []
        self.sessions: dict[int, Session] = {}
        self.put_off, self.shut = list[str](), list[str]()
        self.last = LastTry()
        self.outcomes: dict[str, Outcome] = {}
        self.arrivals: list[Arrival] = []
        self.outside: OutsideMail | None = None
        self.ended = self.out_of_time = False
        self.queries: list[Query] = []
        self.queued: list[Queued] = []
        self.commands: list[Command] = []
        self.log: list[str] = []
        self.notes: list[str] = []

    def start_up(self) -> None:
        """Bring up the world and the host side by side, and wait for the server's first port."""
        world = self.world.ask(StartWorld(self.plan.world))
        self._with_host(self._install_and_start)
        world.answer(timeout=START_SECONDS)
        if not self.host_lost:
            self._with_host(self._await_start)
        if not self.host_lost:
            self._with_host(self.open.wait)
        if not self.host_lost and not self.open.listening:
            self._with_host(self._ask_what_is_wrong)
        if not self.host_lost:
            self._with_host(self._find_others)

    def _ask_what_is_wrong(self) -> None:
        # It takes as long as a third of a run, and a server that listens shows more by what it does.
        argv = ["postfix", "-c", self.plan.host.config_dir, "check"]
        self.commands = [*self.commands, self.host.call(RunCommand(argv, limit=5), timeout=6)]

    def _find_others(self) -> None:
        # A port that greets nobody as it ought to, while others do, may do so in another way.
        spoken = {a.port for a in self.attempts if greeted(self.outcomes.get(a.id))}
        self.attempts += self.open.further(self.attempts, self.ports - spoken if spoken else ())

    def _install_and_start(self) -> None:
        spec = self.plan.host
        installed = self.host.ask(Install(spec.files))
        self._starting = self.host.ask(StartServices(spec.services, spec.config_dir, START_SECONDS))
        self.overlap()
        installed.answer(timeout=START_SECONDS)

    def _await_start(self) -> None:
        assert self._starting is not None
        told = self._starting.answer(timeout=START_SECONDS + 1)
        self.commands, self.mta, self.running = told.commands, told.mta, told.running

    def probe(self, lab: ServerLab) -> None:
        """Try every attempt: first with all services, then with those stopped that a check wants to be stopped."""
        plain = [attempt for attempt in self.attempts if not attempt.stopped]
        self._probe_in_rounds(lab, plain)
        known = len(self.attempts)
        if not self.host_lost:
            self._with_host(self._find_others)
        if late := self.attempts[known:]:
            self._probe_in_rounds(lab, late)
        if self.plan.changeable and not self.host_lost:
            self._with_host(lambda: self._come_back(lab))
        if not self.host_lost:
            self._try_once_more(lab)
        without: dict[tuple[str, ...], list[Attempt]] = {}
        for attempt in self.attempts:
            if attempt.stopped:
                without.setdefault(tuple(attempt.stopped), []).append(attempt)
        for services, attempts in without.items():
            if not self.host_lost and any(greeted(outcome) for outcome in self.outcomes.values()):
                self._with_host(functools.partial(self._probe_without, lab, services, attempts))
        self.out_of_time = self.deadline.over
        if self.out_of_time:
            self.notes.append("The time for this run was over before everything had been tried.")

    def _come_back(self, lab: ServerLab) -> None:
        """What was put off by a server that may say something else in a while is tried until it does."""
        taken = {outcome.attempt for outcome in self.outcomes.values() if outcome.stage == "accepted"}
        log = self._read_log()
        self.put_off = come_back(lab, self.attempts, self.outcomes, self._try, self.deadline, log)
        self.shut = knock(self.plan, self.attempts, self.outcomes, self.sessions, self._probe, self.deadline)
        if any(o.stage == "accepted" and o.attempt not in taken for o in self.outcomes.values()):
            self._let_it_rest(lab, Settling(self.host, self.world, self.deadline))

    def _try_once_more(self, lab: ServerLab) -> None:
        """What had no answer is tried again, so that a server without breath does not pass for one that refuses."""

        def again(attempts: list[Attempt], seconds: float) -> list[Outcome]:
            return self._probe(Probe(attempts, seconds, afresh=True))

        left, dead = self.deadline.left, self.ports if died(self.log) else ()
        tried = [attempt for attempt in self.attempts if attempt.id not in self.shut]
        self.last = make_last_try(lab, tried, self.outcomes, self.sessions, again, left, dead)
        self.outcomes.update(self.last.outcomes)
        if self.last.serving is not None and not self.host_lost:
            settling = Settling(self.host, self.world, Deadline(max(self.deadline.left, LAST_REST_SECONDS)))
            self._with_host(lambda: settling.wait([]))

    def _probe_without(self, lab: ServerLab, services: Iterable[str], attempts: list[Attempt]) -> None:
        """Try attempts while services are stopped. Nobody comes back later: what becomes of them now counts."""
        for service in services:
            if service not in self.stopped:
                self.host.call(HaltService(service), timeout=10)
                self.stopped.add(service)
        fresh = self._try(attempts)
        if any(outcome.stage == "accepted" for outcome in fresh):
            Settling(self.host, self.world, self.deadline).wait([])

    def _probe_in_rounds(self, lab: ServerLab, planned: list[Attempt]) -> None:
        """What later rounds need to know, earlier ones find out."""
        settling = Settling(self.host, self.world, self.deadline)
        dead = DeadListeners(planned, self.outcomes)
        moving = False
        for attempts in (rounds := Rounds(lab, planned, self.outcomes)):
            tried = [attempt for attempt in attempts if not dead.spare(attempt)]
            if not tried or self.deadline.over:
                continue
            if moving and any(attempt.unless_arrived for attempt in tried):
                self._with_host(lambda: settling.wait(self.awaited(lab)))
                moving = False
            if self.host_lost:
                return
            fresh = self._try(tried) if self.outcomes else self._greet(tried, rounds.besides)
            moving = moving or any(outcome.stage == "accepted" for outcome in fresh)
        if not self.host_lost:
            self._with_host(lambda: self._let_it_rest(lab, settling, moving))

    def _let_it_rest(self, lab: ServerLab, settling: Settling, moving: bool = True) -> None:
        if moving:
            settling.wait(self.awaited(lab))
        if any(map(self._taken_for_nobody, self.attempts)):
            settling.look_for(self._missing)

    def _missing(self) -> bool:
        """Whether mail was taken that is to arrive nowhere, and neither world nor host knows of it yet.

        This only chooses how long to wait.
        """
        taken = {attempt.token for attempt in self.attempts if self._taken_for_nobody(attempt)}
        if taken := taken - set(self.world.call(ListArrivals(), timeout=5)):
            for message in self.host.call(FindMail(sorted(taken), whole=False), timeout=5):
                taken -= set(message.tokens)
        if not taken:
            return False
        log = self._read_log()
        return not all(any(t in line and COME_TO_AN_END.search(line) for line in log) for t in taken)

    def _greet(self, attempts: list[Attempt], besides: list[Attempt]) -> list[Outcome]:
        """The first round. A server that is silent and says in its log that it died is not waited for."""
        fresh = self._try(attempts, GREETING_SECONDS, *besides)
        gone = {outcome.attempt: outcome for outcome in fresh if silent(outcome)}
        if not gone:
            return fresh
        self._with_host(self._read_log)
        ended, held, served = died(self.log), held_back(self.log), at_work(self.log)
        if held or any(attempt.address in served for attempt in attempts if attempt.id in gone):
            self.greeting = PATIENT_SECONDS if held else WORKING_SECONDS
        spoken = {(a.server, a.port) for a in attempts if a.id not in gone}
        again = [
            attempt
            for attempt in attempts
            if (outcome := gone.get(attempt.id)) is not None
            and (
                (attempt.server, attempt.port) in held
                or half_greeted(outcome, self.sessions)
                or attempt.address in served
                or (not ended and (attempt.port in self.ports or mute(attempt, outcome, spoken)))
            )
        ]
        return fresh + self._try(again) if again and not self.host_lost else fresh

    def _try(self, some: list[Attempt], greeting: float | None = None, *besides: Attempt) -> list[Outcome]:
        seconds = greeting or self.greeting
        outcomes = self._probe(Probe(some, self.deadline.left, seconds, besides=list(besides)))
        self.outcomes.update({outcome.attempt: outcome for outcome in outcomes})
        return outcomes

    def _probe(self, probe: Probe) -> list[Outcome]:
        probed = self.world.call(probe, timeout=probe.seconds + SPARE_SECONDS)
        self.sessions.update({session.id: session for session in probed.sessions})
        return probed.outcomes

    def _with_host(self, work: Callable[[], object]) -> None:
        """Do what needs the student's host. What goes wrong there is noted; the world goes on."""
        try:
            work()
        except HostFailed as failed:
            if failed.lost:
                self.host_lost, self.host_ended = str(failed), failed.ended
                self.notes.append(f"The run on the server's host ended early: {failed}.")
            else:
                self.notes.append(f"The server's host failed: {failed}.")

    def awaited(self, lab: ServerLab) -> list[Attempt]:
        """Attempts made so far, with every service running, whose accepted message ought to arrive somewhere."""
        wanted = {check.code for check in lab.checks if check.expect.awaits}
        return [
            attempt
            for attempt in self.attempts
            if attempt.check in wanted
            and (outcome := self.outcomes.get(attempt.id)) is not None
            and outcome.stage == "accepted"
        ]

    def collect(self) -> None:
        """Gather what is left to know, from the host as far as it still answers.

        Its processes are ended before: whoever keeps its processors, memory and processes to himself keeps nothing of
        what is asked for then.
        """
        # What was sent while a service was stopped may have come back to its author, who is a user here.
        tokens = [a.token for a in self.attempts if a.mailbox or a.stopped or self._taken_for_nobody(a)]
        asks = [lambda: self.open.look_again(self.attempts), self._look_whether_it_lives, self._read_log]
        asks += [self._stop, self._list_queue, lambda: self._read_mailboxes(tokens)]
        deadline = Deadline(COLLECT_SECONDS)
        for ask in [*asks, *([self._read_overrides] if self.plan.elsewhere else [])]:
            if not self.host_lost and not deadline.over:
                self._with_host(ask)
        recorded = self.world.call(Finish(), timeout=10)
        self.arrivals = numbered([*recorded.arrivals, *self.arrivals], self.attempts)
        self.outside = recorded.outside
        self.queries = recorded.queries
        self.notes += recorded.notes
        if self.plan.published is not None:
            # Few labs publish keys, and the library that reads signatures takes long to load.
            from grader.kinds.server.run.keys import key_names

            names = key_names(self.arrivals, self.plan.published)
            self.keys = self.world.call(ResolveKeys(names), timeout=10)

    def _look_whether_it_lives(self) -> None:
        self.ended = not self.host.call(IsAlive(), timeout=5).master

    def _taken_for_nobody(self, attempt: Attempt) -> bool:
        """Whether the server took a message that is to arrive nowhere: then it has to be somewhere."""
        outcome = self.outcomes.get(attempt.id)
        return attempt.check in self.nowhere and outcome is not None and outcome.stage == "accepted"

    def _read_log(self) -> list[str]:
        self.log = self.host.call(ReadLog(), timeout=5)
        return self.log

    def _stop(self) -> None:
        self.host.call(StopAll(), timeout=6)

    def _list_queue(self) -> None:
        if self.host.call(CountQueue(), timeout=5).total:
            entries = self.host.call(ListQueue(), timeout=10)
            self.queued = [msgspec.structs.replace(entry, attempts=self._owners(entry)) for entry in entries]

    def _read_overrides(self) -> None:
        """What master.cf sets for single services, which ``postconf -n`` leaves out; most were asked at the start."""
        if not any({"-P", "-Px"} & set(command.argv) for command in self.commands):
            argv = ["postconf", "-c", self.plan.host.config_dir, "-P"]
            self.commands = [*self.commands, self.host.call(RunCommand(argv, limit=5), timeout=6)]

    def _owners(self, entry: Queued) -> list[str]:
        recipient = entry.recipient.casefold()
        return [a.id for a in self.attempts if a.token and a.token.casefold() in recipient] or [
            a.id
            for a in self.attempts
            if a.sender == entry.sender and recipient in map(str.casefold, a.recipients)
        ]

    def _read_mailboxes(self, tokens: list[str]) -> None:
        owners = {attempt.token: attempt.id for attempt in self.attempts}
        found = self.host.call(FindMail(tokens), timeout=10) if tokens else []
        self.arrivals = in_mailboxes(found, owners)

    def recorded(self) -> Recorded:
        """Everything, in a stable order."""
        facts = ServerFacts(
            ended=self.ended,
            attempts=[attempt_facts(attempt) for attempt in self.attempts],
            outcomes=[self.outcomes[a.id] for a in self.attempts if a.id in self.outcomes],
            sessions=list(self.sessions.values()),
            arrivals=self.arrivals,
            outside=self.outside,
            queued=self.queued,
            out_of_time=self.out_of_time,
            queries=self.queries,
            commands=self.commands,
            log=self.log,
            listening=self.open.listening,
            sockets=self.open.sockets,
            untried=self.open.untried,
            started_up=bool(self.open.listening),
            sought=True,
            unanswered=self.last.unanswered,
            serving=self.last.serving,
            put_off=self.put_off,
            shut=self.shut,
            published=self.plan.published,
            settings=self.plan.settings,
            keys=self.keys,
            services=[
                ServiceFacts(name, name in self.running, name in self.stopped)
                for name in self.plan.host.services
                if name != "postfix"
            ],
        )
        handed_in = self.plan.host.handed_in
        return Recorded(facts, self.notes, self.mta, handed_in, host_ended=self.host_ended)

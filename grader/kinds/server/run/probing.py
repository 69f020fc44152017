"""Making the attempts of a run, in rounds, until each has its outcome and the mail has come to rest."""

from __future__ import annotations

import functools
from collections.abc import Iterable

from grader.engines.base import Channel
from grader.kinds.server.declare import UNWANTED, ServerLab
from grader.kinds.server.facts import ServerPlan
from grader.kinds.server.run.comeback import BY_A_LIMIT, come_back
from grader.kinds.server.run.doors import knock
from grader.kinds.server.run.greetings import (
    at_work,
    died,
    fell_silent,
    half_greeted,
    held_back,
    mute,
    nobody_moves,
    nobody_there,
)
from grader.kinds.server.run.host import StudentHost
from grader.kinds.server.run.lasttry import LastTry, make_last_try
from grader.kinds.server.run.load import once_more, put_under_load
from grader.kinds.server.run.ports import Ports
from grader.kinds.server.run.rounds import DeadListeners, Rounds, greeted, silent
from grader.kinds.server.run.settle import Settling
from grader.model.attempt import Attempt
from grader.model.deadline import Deadline
from grader.model.latepattern import late_pattern
from grader.model.plan import File
from grader.model.protocol.host import FindMail, HaltService
from grader.model.protocol.world import ListArrivals, Probe
from grader.model.traffic import Outcome, Session

SPARE_SECONDS = 12.0
"""How much later than it was told the world may answer: where a machine has far too much to do, a server that talks
without end leaves it work of so many seconds, and that must not end the run."""

LAST_REST_SECONDS = 2.0
"""How long mail that was taken at the very end may take to come to rest."""

GREETING_SECONDS = 2.5
"""How long a greeting may take before the server's log is asked whether one is to be expected at all."""
DOOMED_SECONDS = 1.0
"""How long where an smtpd waits for a program that master.cf does not start."""
WORKING_SECONDS = 12.0
"""How long where it shows that some smtpd serves that client, on whichever port."""
PATIENT_SECONDS = 30.0
"""How long a greeting may take where the log shows that somebody is at work on it (RFC 5321 section 4.5.3.2.1 gives
five minutes)."""

COME_TO_AN_END = late_pattern(r"\bdiscard\b|\bstatus=(?:bounced|expired)\b|/dev/null")


class Probing:
    """What is tried in a run, and what becomes of it.

    ``attempts`` are those of the plan and of the ports found since; ``outcomes`` and ``sessions`` go by their ids.
    ``put_off`` are attempts that a server put off to the end, ``shut`` those that found no program to greet them,
    ``stopped`` the services that were stopped, ``last`` what the last try came to.
    """

    def __init__(
        self,
        plan: ServerPlan,
        lab: ServerLab,
        host: StudentHost,
        world: Channel,
        ports: Ports,
        deadline: Deadline,
    ) -> None:
        self.attempts = list(plan.attempts)
        self.outcomes: dict[str, Outcome] = {}
        self.sessions: dict[int, Session] = {}
        self.put_off: list[str] = []
        self.shut: list[str] = []
        self.stopped: set[str] = set()
        self.last = LastTry()
        self.out_of_time = False
        self._plan = plan
        self._lab = lab
        self._host = host
        self._world = world
        self._ports = ports
        self._deadline = deadline
        self._planned_ports = {attempt.port for attempt in plan.attempts}
        self._nowhere = {check.code for check in lab.checks if check.expect.arrives in UNWANTED}
        self._greeting: float | None = None
        self._doomed = False

    def find_others(self) -> None:
        """Add what is to be tried on ports that only the host tells of."""
        self._host.attempt(self._add_others)

    def _add_others(self) -> None:
        # A port that greets nobody as it ought to, while others do, may do so in another way.
        spoken = {a.port for a in self.attempts if greeted(self.outcomes.get(a.id))}
        self.attempts += self._ports.further(self.attempts, self._planned_ports - spoken if spoken else ())

    def try_all(self) -> None:
        """Try every attempt: first with all services, then with those stopped that a check wants to be stopped."""
        plain = [attempt for attempt in self.attempts if not attempt.apart]
        self._probe_in_rounds(plain)
        known = len(self.attempts)
        self.find_others()
        if late := self.attempts[known:]:
            self._probe_in_rounds(late)
        if self._plan.changeable or self._plan.limited:
            self._host.attempt(self._come_back)
        if not self._host.lost:
            self._try_once_more()
        if self._plan.under_load is not None and not self._deadline.over:
            self._host.attempt(functools.partial(self._probe_under_load, self._plan.under_load))
        without: dict[tuple[str, ...], list[Attempt]] = {}
        for attempt in self.attempts:
            if attempt.stopped:
                without.setdefault(tuple(attempt.stopped), []).append(attempt)
        for services, attempts in without.items():
            if any(greeted(outcome) for outcome in self.outcomes.values()):
                self._host.attempt(functools.partial(self._probe_without, services, attempts))
        self.out_of_time = self._deadline.over
        if self.out_of_time:
            self._host.notes.append("The time for this run was over before everything had been tried.")

    def _come_back(self) -> None:
        """What was put off by a server that may say something else in a while is tried until it does."""
        taken = {outcome.attempt for outcome in self.outcomes.values() if outcome.stage == "accepted"}
        log = self._host.read_log()
        only = None if self._plan.changeable else BY_A_LIMIT
        self.put_off = come_back(
            self._lab,
            self.attempts,
            self.outcomes,
            self._try,
            self._deadline,
            log,
            only=only,
            feigned=self._plan.feigned,
        )
        self.shut = knock(
            self._plan, self.attempts, self.outcomes, self.sessions, self._probe, self._deadline
        )
        if any(o.stage == "accepted" and o.attempt not in taken for o in self.outcomes.values()):
            self._let_it_rest(self._settling())

    def _try_once_more(self) -> None:
        """What had no answer is tried again, so that a server without breath does not pass for one that refuses."""

        def again(attempts: list[Attempt], seconds: float) -> list[Outcome]:
            return self._probe(Probe(attempts, seconds, afresh=not self._doomed, doomed=self._doomed))

        left = self._deadline.left
        known = self._planned_ports | set(self._plan.explained_ports)
        dead = known if died(self._host.log) else ()
        if self._doomed:
            left = 0.0  # as long as it takes to know whether the server serves at all
        tried = [attempt for attempt in self.attempts if attempt.id not in self.shut]
        self.last = make_last_try(self._lab, tried, self.outcomes, self.sessions, again, left, dead)
        self.outcomes.update(self.last.outcomes)
        if self.last.serving is not None:
            settling = self._settling(Deadline(max(self._deadline.left, LAST_REST_SECONDS)))
            self._host.attempt(lambda: settling.wait([]))

    def _probe_under_load(self, master: File) -> None:
        """Try once more what was kept out, on the same server under load."""
        again = once_more(self._lab, self.attempts, self.outcomes)
        if not again or not any(greeted(outcome) for outcome in self.outcomes.values()):
            return
        put_under_load(
            self._host.channel, master, self._plan.host.config_dir, self._host.read_log, self._deadline
        )
        self.attempts += again
        fresh = self._try(again)
        self._let_it_rest(self._settling(), any(outcome.stage == "accepted" for outcome in fresh))

    def _probe_without(self, services: Iterable[str], attempts: list[Attempt]) -> None:
        """Try attempts while services are stopped. Nobody comes back later: what becomes of them now counts."""
        for service in services:
            if service not in self.stopped:
                self._host.channel.call(HaltService(service), timeout=10)
                self.stopped.add(service)
        fresh = self._try(attempts)
        if any(outcome.stage == "accepted" for outcome in fresh):
            self._settling().wait([])

    def _probe_in_rounds(self, planned: list[Attempt]) -> None:
        """What later rounds need to know, earlier ones find out."""
        settling = self._settling()
        dead = DeadListeners(planned, self.outcomes)
        moving = False
        for attempts in (rounds := Rounds(self._lab, planned, self.outcomes)):
            tried = [attempt for attempt in attempts if not dead.spare(attempt)]
            if not tried or self._deadline.over:
                continue
            if moving and any(attempt.unless_arrived for attempt in tried):
                self._host.attempt(lambda: settling.wait(self._awaited()))
                moving = False
            if self._host.lost:
                return
            fresh = self._try(tried) if self.outcomes else self._greet(tried, rounds.besides)
            moving = moving or any(outcome.stage == "accepted" for outcome in fresh)
        self._host.attempt(lambda: self._let_it_rest(settling, moving))

    def _let_it_rest(self, settling: Settling, moving: bool = True) -> None:
        if moving:
            settling.wait(self._awaited())
        if any(map(self.taken_for_nobody, self.attempts)):
            settling.look_for(self._missing)

    def _missing(self) -> bool:
        """Whether mail was taken that is to arrive nowhere, and neither world nor host knows of it yet.

        This only chooses how long to wait.
        """
        taken = {attempt.token for attempt in self.attempts if self.taken_for_nobody(attempt)}
        if taken := taken - set(self._world.call(ListArrivals(), timeout=5)):
            for message in self._host.channel.call(FindMail(sorted(taken), whole=False), timeout=5):
                taken -= set(message.tokens)
        if not taken:
            return False
        log = self._host.read_log()
        return not all(any(t in line and COME_TO_AN_END.search(line) for line in log) for t in taken)

    def _greet(self, attempts: list[Attempt], besides: list[Attempt]) -> list[Outcome]:
        """The first round. A server that is silent and says in its log that it died is not waited for."""
        fresh = self._try(attempts, GREETING_SECONDS, *besides)
        gone = {outcome.attempt: outcome for outcome in fresh if silent(outcome)}
        if not gone:
            return fresh
        self._host.attempt(self._host.read_log)
        ended, held, served = died(self._host.log), held_back(self._host.log), at_work(self._host.log)
        if held or any(attempt.address in served for attempt in attempts if attempt.id in gone):
            self._greeting = PATIENT_SECONDS if held else WORKING_SECONDS
        spoken = {(a.server, a.port) for a in attempts if a.id not in gone}
        again = [
            attempt
            for attempt in attempts
            if (outcome := gone.get(attempt.id)) is not None
            and (
                (attempt.server, attempt.port) in held
                or half_greeted(outcome, self.sessions)
                or attempt.address in served
                or (not ended and (attempt.port in self._planned_ports or mute(attempt, outcome, spoken)))
            )
        ]
        return fresh + self._try(again) if again and not self._host.lost else fresh

    def _try(self, some: list[Attempt], greeting: float | None = None, *besides: Attempt) -> list[Outcome]:
        # Processes that wait for what will not come leave none to greet whoever comes next.
        seconds = greeting or (DOOMED_SECONDS if self._doomed else self._greeting)
        left, aside = self._deadline.left, list(besides)
        outcomes = self._probe(Probe(some, left, seconds, besides=aside, doomed=self._doomed))
        self.outcomes.update({outcome.attempt: outcome for outcome in outcomes})
        self._host.attempt(lambda: self._note_silence(outcomes))
        return outcomes

    def _note_silence(self, outcomes: Iterable[Outcome]) -> None:
        """Where commands had no answer, the log may tell that none is to be waited for."""
        if not self._doomed and any(fell_silent(outcome, self.sessions) for outcome in outcomes):
            self._doomed = nobody_there(self._host.read_log())

    def _probe(self, probe: Probe) -> list[Outcome]:
        probed = self._world.call(probe, timeout=probe.seconds + SPARE_SECONDS)
        self.sessions.update({session.id: session for session in probed.sessions})
        return probed.outcomes

    def _awaited(self) -> list[Attempt]:
        """Attempts made so far, with every service running, whose accepted message ought to arrive somewhere."""
        wanted = {check.code for check in self._lab.checks if check.expect.awaits}
        return [
            attempt
            for attempt in self.attempts
            if attempt.check in wanted
            and (outcome := self.outcomes.get(attempt.id)) is not None
            and outcome.stage == "accepted"
        ]

    def taken_for_nobody(self, attempt: Attempt) -> bool:
        """Whether the server took a message that is to arrive nowhere: then it has to be somewhere."""
        outcome = self.outcomes.get(attempt.id)
        return attempt.check in self._nowhere and outcome is not None and outcome.stage == "accepted"

    def _settling(self, deadline: Deadline | None = None) -> Settling:
        until = deadline or self._deadline
        return Settling(self._host.channel, self._world, until, lambda: nobody_moves(self._host.read_log()))

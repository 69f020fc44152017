"""The runs of a program from first to last: bring up the world, run it against each server, collect what happened."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable

from msgspec.structs import replace

from grader.display.sentences import counted
from grader.engines.base import HostChannel, HostFailed, Machines
from grader.formats import disguise
from grader.kinds.base import Recorded
from grader.kinds.program.declare import ProgramLab
from grader.kinds.program.facts import ProgramFacts, ProgramPlan, ProgramRun, RunFacts
from grader.kinds.program.plan import beside_the_others
from grader.model.deadline import Deadline
from grader.model.exposure import Exposure
from grader.model.protocol.host import (
    ProgramEnd,
    ProgramFile,
    ProgramSpec,
    ReadLog,
    RunPrograms,
    StartServices,
)
from grader.model.protocol.world import Finish, StartWorld
from grader.model.submission_server import Conversation, ServerBehaviour
from grader.model.traffic import Arrival, AttemptFacts, Command, Outcome, Query, Session

START_SECONDS = 20.0
SPARE_SECONDS = 6.0
"""How much later than it was told the host may answer."""
TOGETHER = 4
"""Runs at a time, beside those that may only wait."""
SHARED = re.compile(rb"/tmp\b|/dev/shm\b|/run/lock\b")
SOURCE = "send"
LIMITS = re.compile(
    rb"time|alarm|kill|wait|select|poll|ulimit|sleep|\x7fELF|\s-[a-z]*[mtwT]\b", re.IGNORECASE
)
"""Words of which every way to limit a wait has one; a compiled program may have it without the word."""
BEYOND_PATIENCE = 1.5
"""Seconds that a program may take beyond the silence after which it is to give up, where nothing in it says more."""
LONGEST_FIRST_LINE = 200
LONGEST_SHOWN = 200
"""Octets of a line that tells the password."""
REDACTED = b"REDACTED"
"""What stands for a password in a message, whichever field it is in: a word, as an identifier is made of."""
DISGUISED = re.compile(disguise.NO_SIGN * 8 + b"+")


def conduct(
    plan: ProgramPlan, lab: ProgramLab, machines: Machines, overlap: Callable[[], object]
) -> Recorded:
    """Make the plan's runs on the machines and return what happened.

    Whatever the program does is evidence. Raises ``EngineError`` where a machine fails.
    """
    run = _Runs(plan, machines)
    run.make(lab, overlap)
    run.collect()
    return run.recorded(lab)


class _Runs:
    def __init__(self, plan: ProgramPlan, machines: Machines) -> None:
        self.plan = plan
        self.host, self.world = machines.host, machines.world
        self.deadline = Deadline(plan.limits.acting)
        self.secrets = [disguise.spellings(run.user, run.password) for run in plan.runs]
        self.ended: dict[str, ProgramEnd] = {}
        self.sessions: list[Session] = []
        self.conversations: dict[str, list[Conversation]] = defaultdict(list)
        self.arrivals: list[Arrival] = []
        self.told: dict[str, list[Exposure]] = defaultdict(list)
        self.queries: list[Query] = []
        self.log: list[str] = []
        self.notes: list[str] = []
        self.host_ended = False

    def make(self, lab: ProgramLab, overlap: Callable[[], object]) -> None:
        """Make the runs."""
        world = self.world.ask(StartWorld(self.plan.world))
        self.host.call(StartServices([], "/", START_SECONDS), timeout=START_SECONDS)
        world.answer(timeout=START_SECONDS)
        seconds = self.deadline.left
        runs = RunPrograms(
            files=[self._file(name, data) for name, data in self.plan.files.items()],
            runs=[
                self._spec(run, secrets, lab)
                for run, secrets in zip(self.plan.runs, self.secrets, strict=True)
            ],
            together=1 if self._uses_shared_folders() else TOGETHER,
            seconds=seconds,
        )
        host = HostChannel(self.host)
        try:
            made = host.ask(runs)
            overlap()
            self.ended = {end.id: end for end in made.answer(timeout=seconds + SPARE_SECONDS)}
            self.log = host.call(ReadLog(), timeout=5)
        except HostFailed as failed:
            self.host_ended = failed.ended
            self.notes.append(f"The runs on the workstation ended early: {failed}.")
        if len(self.ended) < len(self.plan.runs):
            self.notes.append("The time was over before every run had been made.")
        limits = {run.id: self._limit(lab.program.servers[run.server]) for run in self.plan.runs}
        if hurried := sum(end.limit < limits[end.id] for end in self.ended.values()):
            self.notes.append(
                f"So many runs did not end in time that {counted(hurried, 'later one')} given less of it."
            )

    def _uses_shared_folders(self) -> bool:
        """Whether a file handed in names a folder that everybody can write to, and so might use fixed names there."""
        return any(SHARED.search(data) for data in self.plan.files.values())

    def _limit(self, server: ServerBehaviour) -> float:
        """How long a run may take. Where the server says nothing, nobody ends who never says after how long.

        One that expects TLS at once says nothing to a client that waits for a greeting. Who does set a limit, by
        whatever means, gets all the time that the lab gives: this chooses how long to wait, and the verdict would be
        the same.
        """
        may_be_silent = server.silent is not None or server.tls == "implicit"
        if not may_be_silent or any(LIMITS.search(data) for data in self.plan.files.values()):
            return self.plan.seconds
        return min(self.plan.seconds, server.patience + BEYOND_PATIENCE)

    def _file(self, name: str, data: bytes) -> ProgramFile:
        """A file handed in. What begins with ``#!`` is meant to be run, whatever became of its permissions."""
        may_run = name in self.plan.executable or data.startswith((b"#!", b"\x7fELF"))
        return ProgramFile(name, data, 0o700 if may_run else 0o600)

    def _spec(self, run: ProgramRun, secrets: list[str], lab: ProgramLab) -> ProgramSpec:
        alone = self._uses_shared_folders()
        return ProgramSpec(
            id=run.id,
            argv=[f"./{self.plan.program}"],
            account=run.account,
            environment=run.environment,
            texts={run.body_file: run.wanted.body},
            limit=self._limit(lab.program.servers[run.server]),
            waits=beside_the_others(lab.program.servers[run.server]) and not alone,
            secrets=[form.encode() for form in secrets],
        )

    def collect(self) -> None:
        """Gather what the world recorded, in the order of the runs, so that equal work gives equal numbers."""
        recorded = self.world.call(Finish(), timeout=10)
        for run in self._in_order():
            for entry in recorded.submissions[run.id]:
                number = len(self.sessions)
                self.sessions.append(replace(entry.session, id=number, source=SOURCE))
                self.conversations[run.id].append(
                    replace(
                        entry.conversation,
                        session=number,
                        transactions=[
                            replace(
                                transaction, arrival=self._keep(recorded.submitted, transaction.arrival, run)
                            )
                            for transaction in entry.conversation.transactions
                        ],
                    )
                )
        self.queries = recorded.queries
        self.notes += recorded.notes

    def _keep(self, arrivals: list[Arrival], index: int | None, run: ProgramRun) -> int | None:
        if index is None:
            return None
        number = len(self.arrivals)
        attempts = [attempt for attempt, owner in self.plan.attempts.items() if owner == run.id]
        raw, shown = self._without_password(run, arrivals[index].raw)
        if shown is not None:
            self.told[run.id].append(Exposure("message", shown))
        self.arrivals.append(replace(arrivals[index], id=number, attempts=attempts, raw=raw))
        return number

    def _without_password(self, run: ProgramRun, data: bytes) -> tuple[bytes, str | None]:
        """Data that a program made without the password, and the first line that showed it, if one did."""
        shown = disguise.without(data, REDACTED, *disguise.of_login(run.user, run.password))
        if shown == data:
            return data, None
        known = {*data.splitlines()}
        line = next((line for line in shown.splitlines() if line not in known), b"")
        line = DISGUISED.sub(b"<password in base64>", line)[:LONGEST_SHOWN]
        return shown, line.decode("utf-8", "backslashreplace")

    def _output(self, run: ProgramRun) -> str:
        """What a run printed; the host left out what it found of the password, and knows fewer dresses of it."""
        printed = self.ended[run.id].output
        data, shown = self._without_password(run, printed.encode())
        if shown is None:
            return printed
        self.told[run.id].append(Exposure("output", shown))
        return data.decode("utf-8", "backslashreplace")

    def _in_order(self) -> list[ProgramRun]:
        return sorted(self.plan.runs, key=lambda run: int(run.id.rpartition("-")[2]))

    def recorded(self, lab: ProgramLab) -> Recorded:
        """Everything, in the order of the plan."""
        plan = self.plan
        made = [run for run in self._in_order() if run.id in self.ended]
        first = plan.files.get(plan.program, b"").split(b"\n", 1)[0][:LONGEST_FIRST_LINE]
        facts = ProgramFacts(
            attempts=[self._attempt(lab, attempt, run) for attempt, run in plan.attempts.items()],
            outcomes=[
                self._outcome(attempt, run) for attempt, run in plan.attempts.items() if run in self.ended
            ],
            sessions=self.sessions,
            arrivals=self.arrivals,
            queries=self.queries,
            commands=[
                Command([f"./{plan.program}"], self.ended[run.id].code or 0, self._output(run))
                for run in made
            ],
            log=self.log,
            listening=sorted({server.behaviour.port for server in plan.world.submission}),
            program=plan.program,
            first_line=first.decode("utf-8", "backslashreplace"),
            executable=plan.program in plan.executable,
            runs=[self._facts(lab, run, number) for number, run in enumerate(made)],
            run_of=plan.attempts,
        )
        notes = [*self._remarks(), *self.notes]
        return Recorded(facts, notes, files=list(plan.files), host_ended=self.host_ended)

    def _remarks(self) -> list[str]:
        name, found = self.plan.program, []
        if name not in self.plan.executable and self.plan.files.get(name, b"").startswith(b"#!"):
            found.append(
                f"{name} may not be executed; it was run all the same, because it begins with #!. On a system of your "
                f"own: chmod +x {name}"
            )
        if self._uses_shared_folders():
            found.append(
                "A file handed in names a folder that all users share, such as /tmp, so the runs were made one after "
                "the other, which takes longer: $TMPDIR is a folder of the run's own."
            )
        return found

    def _attempt(self, lab: ProgramLab, attempt: str, run_id: str) -> AttemptFacts:
        run = next(run for run in self.plan.runs if run.id == run_id)
        server = lab.program.servers[run.server]
        return AttemptFacts(
            id=attempt,
            check=attempt.rpartition("/")[0],
            title=server.about,
            source=run.message,
            address=self.plan.host.addresses[0].partition("/")[0],
            listener=str(server.port),
            sender=run.wanted.sender,
            recipients=run.wanted.recipients,
            user=run.user,
        )

    def _outcome(self, attempt: str, run_id: str) -> Outcome:
        """How far the run's best session came."""
        best, session = 0, None
        for conversation in self.conversations[run_id]:
            reached = _reached(conversation)
            if session is None or reached > best:
                best, session = reached, conversation.session
        stages = ("connect", "greeting", "auth", "mail", "rcpt", "accepted")
        stage = stages[best] if session is not None else "connect"
        last = len(self.sessions[session].lines) - 1 if session is not None else 0
        return Outcome(
            attempt=attempt,
            stage=stage,  # type: ignore[arg-type]  # one of the stages
            session=session,
            authenticated=any(
                auth.accepted for c in self.conversations[run_id] for auth in c.authentications
            ),
            last_line=max(0, last),
        )

    def _facts(self, lab: ProgramLab, run: ProgramRun, number: int) -> RunFacts:
        ended = self.ended[run.id]
        return RunFacts(
            id=run.id,
            server=run.server,
            message=run.message,
            wanted=run.wanted,
            command=number,
            seconds=ended.seconds,
            late=ended.late,
            limit=ended.limit,
            left=ended.left,
            exposed=[*ended.exposed, *self.told[run.id]],
            conversations=self.conversations[run.id],
            held_up=ended.held_up,
        )


def _reached(conversation: Conversation) -> int:
    """How far a session came, as an index into ``_outcome``'s stages."""
    if any(transaction.taken for transaction in conversation.transactions):
        return 5
    if any(transaction.recipients for transaction in conversation.transactions):
        return 4
    if conversation.transactions:
        return 3
    return 2 if conversation.authentications else 1

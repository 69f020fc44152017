"""The runs of a program from first to last: bring up the world, run it against each server, collect what happened."""

from __future__ import annotations

import base64
import re
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from grader.engines import guest
from grader.engines.base import ChannelLost, Machines
from grader.kinds.program.facts import Exposure, ProgramEvidence, ProgramPlan, ProgramRun, RunFacts
from grader.model.deadline import Deadline
from grader.model.evidence import AttemptFacts, Evidence
from grader.model.lab import Lab
from grader.model.plan import Plan
from grader.model.redact import redact
from grader.model.submission_server import Conversation
from grader.model.traffic import Arrival, Command, Outcome, Query, Session
from grader.world.auth import forms

START_SECONDS = 20.0
SPARE_SECONDS = 6.0
"""Kept back from the wall time for collecting evidence."""
TOGETHER = 4
"""Runs at a time, beside those whose server says nothing."""
SHARED = re.compile(rb"/tmp\b|/dev/shm\b|/run/lock\b")
SOURCE = "send"
LONGEST_FIRST_LINE = 200


def conduct_program(
    plan: Plan,
    lab: Lab,
    names: dict[str, str],
    machines: Machines,
    *,
    engine: str,
    image: str,
    meanwhile: Callable[[], object] = bool,
) -> Evidence:
    """Make the plan's runs on the machines and return what happened; arguments as of ``conduct``.

    Whatever the program does is evidence. Raises ``EngineError`` where a machine fails.
    """
    assert plan.program is not None
    run = _Runs(plan, plan.program, machines)
    run.make(lab, meanwhile)
    run.collect()
    return redact(
        run.evidence(lab, names, engine, image), [form for secret in run.secrets for form in secret]
    )


class _Runs:
    def __init__(self, plan: Plan, program: ProgramPlan, machines: Machines) -> None:
        self.plan = plan
        self.program = program
        self.host, self.world = machines.host, machines.world
        self.began = time.monotonic()
        self.started = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.deadline = Deadline(plan.limits.wall - SPARE_SECONDS)
        self.secrets = [forms(run.user, run.password) for run in program.runs]
        self.ended: dict[str, dict[str, Any]] = {}
        self.sessions: list[Session] = []
        self.conversations: dict[str, list[Conversation]] = defaultdict(list)
        self.arrivals: list[Arrival] = []
        self.queries: list[Query] = []
        self.log: list[str] = []
        self.notes: list[str] = []

    def make(self, lab: Lab, meanwhile: Callable[[], object]) -> None:
        """Make the runs."""
        self.world.ask("start", world=self.plan.world)
        self.host.ask("start", services=[], config_dir="/", timeout=START_SECONDS)
        self.host.answer(timeout=START_SECONDS)
        source = Path(guest.__file__).with_name("programs.py").read_text(encoding="utf-8")
        self.host.call("learn", source=source, timeout=START_SECONDS)
        self.world.answer(timeout=START_SECONDS)
        seconds = self.deadline.left
        try:
            self.host.ask(
                "programs",
                files=[self._file(name, data) for name, data in self.program.files.items()],
                runs=[
                    self._spec(run, secrets, lab)
                    for run, secrets in zip(self.program.runs, self.secrets, strict=True)
                ],
                together=1 if self._uses_shared_folders() else TOGETHER,
                seconds=seconds,
            )
            meanwhile()
            self.ended = {facts["id"]: facts for facts in self.host.answer(timeout=seconds + SPARE_SECONDS)}
            self.log = self.host.call("log", timeout=5)
        except ChannelLost as lost:
            self.notes.append(f"The runs on the workstation ended early: {lost}.")
        if len(self.ended) < len(self.program.runs):
            self.notes.append("The time was over before every run had been made.")

    def _uses_shared_folders(self) -> bool:
        """Whether a file handed in names a folder that everybody can write to, and so might use fixed names there."""
        return any(SHARED.search(data) for data in self.program.files.values())

    def _file(self, name: str, data: bytes) -> dict[str, object]:
        """A file handed in. What begins with ``#!`` is meant to be run, whatever became of its permissions."""
        may_run = name in self.program.executable or data.startswith((b"#!", b"\x7fELF"))
        return {"path": name, "data": data, "mode": 0o700 if may_run else 0o600}

    def _spec(self, run: ProgramRun, secrets: list[str], lab: Lab) -> dict[str, object]:
        assert lab.program is not None
        alone = self._uses_shared_folders()
        return {
            "id": run.id,
            "argv": [f"./{self.program.program}"],
            "account": run.account,
            "environment": run.environment,
            "texts": {run.body_file: base64.b64encode(run.wanted.body).decode()},
            "limit": self.program.seconds,
            "waits": lab.program.servers[run.server].silent is not None and not alone,
            "secrets": [base64.b64encode(form.encode()).decode() for form in secrets],
        }

    def collect(self) -> None:
        """Gather what the world recorded, in the order of the runs, so that equal work gives equal numbers."""
        answer = self.world.call("finish", timeout=10)
        arrivals = msgspec.convert(answer["arrivals"], list[Arrival])
        for run in self._in_order():
            for entry in answer["submissions"][run.id]:
                session = msgspec.convert(entry["session"], Session)
                conversation = msgspec.convert(entry["conversation"], Conversation)
                number = len(self.sessions)
                self.sessions.append(replace(session, id=number, source=SOURCE))
                self.conversations[run.id].append(
                    replace(
                        conversation,
                        session=number,
                        transactions=[
                            replace(transaction, arrival=self._keep(arrivals, transaction.arrival, run))
                            for transaction in conversation.transactions
                        ],
                    )
                )
        self.queries = msgspec.convert(answer["queries"], list[Query])
        self.notes += answer["notes"]

    def _keep(self, arrivals: list[Arrival], index: int | None, run: ProgramRun) -> int | None:
        if index is None:
            return None
        number = len(self.arrivals)
        attempts = [attempt for attempt, owner in self.program.attempts.items() if owner == run.id]
        raw = arrivals[index].raw
        for form in forms(run.user, run.password):
            raw = raw.replace(form.encode(), b"[redacted]")
        self.arrivals.append(replace(arrivals[index], id=number, attempts=attempts, raw=raw))
        return number

    def _in_order(self) -> list[ProgramRun]:
        return sorted(self.program.runs, key=lambda run: int(run.id.rpartition("-")[2]))

    def evidence(self, lab: Lab, names: dict[str, str], engine: str, image: str) -> Evidence:
        """Everything recorded."""
        made = [run for run in self._in_order() if run.id in self.ended]
        first = self.program.files.get(self.program.program, b"").split(b"\n", 1)[0][:LONGEST_FIRST_LINE]
        return Evidence(
            lab=lab,
            student=self.plan.student,
            variant=self.plan.variant,
            names=names,
            started=self.started,
            duration=round(time.monotonic() - self.began, 3),
            engine=engine,
            image=image,
            mta="",
            attempts=[self._attempt(lab, attempt, run) for attempt, run in self.program.attempts.items()],
            outcomes=[
                self._outcome(attempt, run)
                for attempt, run in self.program.attempts.items()
                if run in self.ended
            ],
            sessions=self.sessions,
            arrivals=self.arrivals,
            queries=self.queries,
            commands=[
                Command(
                    [f"./{self.program.program}"],
                    self.ended[run.id]["code"] or 0,
                    self.ended[run.id]["output"],
                )
                for run in made
            ],
            log=self.log,
            listening=sorted({server.behaviour.port for server in self.plan.world.submission}),
            files=list(self.program.files),
            notes=[*self._remarks(), *self.notes],
            program=ProgramEvidence(
                program=self.program.program,
                first_line=first.decode("utf-8", "backslashreplace"),
                executable=self.program.program in self.program.executable,
                runs=[self._facts(run, number) for number, run in enumerate(made)],
                attempts=self.program.attempts,
            ),
        )

    def _remarks(self) -> list[str]:
        name, found = self.program.program, []
        if name not in self.program.executable and self.program.files.get(name, b"").startswith(b"#!"):
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

    def _attempt(self, lab: Lab, attempt: str, run_id: str) -> AttemptFacts:
        assert lab.program is not None
        run = next(run for run in self.program.runs if run.id == run_id)
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
            stage=stage,  # type: ignore[arg-type]
            session=session,
            authenticated=any(
                auth.accepted for c in self.conversations[run_id] for auth in c.authentications
            ),
            last_line=max(0, last),
        )

    def _facts(self, run: ProgramRun, number: int) -> RunFacts:
        ended = self.ended[run.id]
        return RunFacts(
            id=run.id,
            server=run.server,
            message=run.message,
            wanted=run.wanted,
            command=number,
            seconds=ended["seconds"],
            late=ended["late"],
            exposed=msgspec.convert(ended["exposed"], list[Exposure]),
            conversations=self.conversations[run.id],
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

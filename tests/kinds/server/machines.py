"""Machines of a server lab that answer by a script, and what a run comes to on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.structs import replace

from grader.engines.base import Machines
from grader.kinds.server.declare import ServerCheck
from grader.kinds.server.facts import ServerFacts, ServerPlan
from grader.kinds.server.run.conduct import conduct
from grader.model.attempt import Attempt
from grader.model.protocol.host import (
    CountQueue,
    DeliveredMail,
    FindMail,
    HaltService,
    Install,
    IsAlive,
    ListQueue,
    MasterState,
    QueueCounts,
    ReadLog,
    ReadSockets,
    RunCommand,
    ServicesStarted,
    StartServices,
    StopAll,
)
from grader.model.protocol.world import (
    AwaitPorts,
    Finish,
    ListArrivals,
    Probe,
    Probed,
    ResolveKeys,
    StartWorld,
    WorldRecord,
)
from grader.model.traffic import Arrival, Command, Line, Outcome, Session
from tests.engines.fake import FakeChannel
from tests.engines.plans import plan
from tests.judge.builders import lab

EMPTY = QueueCounts(maildrop=0, hold=0, incoming=0, active=0, deferred=0, corrupt=0)
STARTED = ServicesStarted(
    commands=[Command(["postconf"], 0, "")],
    queue_directory="/var/spool/postfix",
    mta="Postfix 3.10.5",
    running=["dovecot", "postfix"],
)


def host(**script: list[Any]) -> FakeChannel:
    """A host that comes up, takes everything and keeps nothing; ``script`` replaces answers, by operation."""
    answers: dict[str, list[Any]] = {
        "Install": [None],
        "StartServices": [STARTED],
        "HaltService": [None],
        "IsAlive": [MasterState(master=True, exit=None)],
        "CountQueue": [EMPTY],
        "ListQueue": [[]],
        "FindMail": [[]],
        "ReadLog": [["5 postfix/master[7]: daemon started"]],
        "ReadSockets": [""],
        "RunCommand": [Command(["true"], 0, "")],
        "StopAll": [None],
    }
    assert script.keys() <= answers.keys()
    kinds = (
        Install,
        StartServices,
        HaltService,
        IsAlive,
        CountQueue,
        ListQueue,
        FindMail,
        ReadLog,
        ReadSockets,
        RunCommand,
        StopAll,
    )
    return FakeChannel({kind: {**answers, **script}[kind.__name__] for kind in kinds})


def world(stage: str = "accepted", **script: list[Any]) -> FakeChannel:
    """A world in which every attempt comes as far as ``stage``; ``script`` replaces answers, by operation."""
    answers: dict[str, list[Any]] = {
        "StartWorld": [None],
        "AwaitPorts": [lambda asked: asked.ports],
        "Probe": [lambda asked: probed(asked, stage)],
        "ListArrivals": [lambda _: ["every"]],
        "ResolveKeys": [[]],
        "Finish": [WorldRecord([], [], [], {})],
    }
    assert script.keys() <= answers.keys()
    kinds = (StartWorld, AwaitPorts, Probe, ListArrivals, ResolveKeys, Finish)
    return FakeChannel({kind: {**answers, **script}[kind.__name__] for kind in kinds})


def probed(asked: Probe, stage: str, *lines: str) -> Probed:
    """What became of the attempts: each came to ``stage``, in one session with these lines of the server's."""
    outcomes = [Outcome(attempt.id, stage, session=1) for attempt in asked.attempts]  # type: ignore[arg-type]
    spoken = [Line(float(at), "S", text) for at, text in enumerate(lines)]
    return Probed([Session(1, "s", "198.51.100.66", "203.0.113.10", "25", "quit", spoken)], outcomes)


def attempt(check: str = "office", number: int = 1, *, port: int = 25, **fields: Any) -> Attempt:
    """An attempt, with a token of its own."""
    known = {
        "id": f"{check}/{number}",
        "check": check,
        "title": "",
        "source": "s",
        "address": "198.51.100.66",
        "server": "203.0.113.10",
        "listener": str(port),
        "port": port,
        "tls": "none",
        "helo": "h",
        "token": f"{check}.t{number}",
    }
    return Attempt(**{**known, **fields})


def delivered(*tokens: str) -> DeliveredMail:
    """A message in a mailbox."""
    return DeliveredMail("/var/mail/alice", b"Subject: s\n\n", list(tokens))


def arrival(*attempts: str) -> Arrival:
    """A message that arrived outside."""
    return Arrival(0, "outside", "mx", [*attempts], b"Subject: s\r\n\r\n")


class Seen(msgspec.Struct):
    """What a run came to: its facts, and the remarks on it."""

    facts: ServerFacts
    notes: list[str]
    mta: str


def conducted(
    attempts: list[Attempt],
    *checks: ServerCheck,
    host: FakeChannel,
    world: FakeChannel,
    services: tuple[str, ...] = (),
    overlap: Callable[[], object] = bool,
    elsewhere: tuple[Attempt, ...] = (),
    inner_ports: tuple[int, ...] = (),
) -> Seen:
    """What is recorded of a run of the plan with these attempts, on a host with these services."""
    planned = plan()
    there = replace(planned.host, services=[*services])
    fields = {name: getattr(planned, name) for name in planned.__struct_fields__}
    more: dict[str, Any] = {"elsewhere": [*elsewhere], "inner_ports": [*inner_ports]}
    made = ServerPlan(**{**fields, "host": there, "attempts": attempts, **more})
    recorded = conduct(made, lab(*checks), Machines(host=host, world=world), overlap)
    assert isinstance(recorded.facts, ServerFacts)
    return Seen(recorded.facts, recorded.notes, recorded.mta)

"""Evidence: what was done and what happened, as data that can be judged again without a container."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from grader.kinds.program.facts import ProgramEvidence
from grader.kinds.quiz.facts import QuizFacts
from grader.kinds.server.facts import Published, ServiceFacts
from grader.kinds.zone.facts import ZoneEvidence
from grader.model.dns import KeyAnswer
from grader.model.lab import Lab
from grader.model.traffic import Arrival, Command, Outcome, Query, Queued, Session

SCHEMA = "smtplab/evidence/1"

ANY_MAILBOX = "*"
"""Stands for a user where whoever reads the mail is the server's own business (RFC 5321 section 4.5.1)."""


class AttemptFacts(Struct, frozen=True):
    """What the judge and the report need of a planned attempt; credentials and message text are left out."""

    id: str
    check: str
    title: str
    source: str
    address: str
    listener: str
    token: str = ""
    sender: str = ""
    recipients: list[str] = []
    user: str | None = None
    say: list[str] = []
    mailbox: str | None = None
    stopped: list[str] = []


class Evidence(Struct, frozen=True, kw_only=True):
    """Everything about one run. Credentials are redacted before it is stored."""

    schema: str = SCHEMA
    lab: Lab
    student: str | None
    variant: str
    names: Annotated[
        dict[str, str], Meta(description="The variant's public names, for the feedback's texts.")
    ]
    started: Annotated[str, Meta(description="UTC, ISO 8601, ends in Z.")]
    duration: Annotated[float, Meta(description="Seconds.")]
    engine: str
    image: str
    mta: str
    attempts: list[AttemptFacts]
    outcomes: list[Outcome]
    sessions: list[Session]
    arrivals: list[Arrival]
    queued: list[Queued] = []
    queries: list[Query] = []
    commands: list[Command] = []
    log: list[str] = []
    listening: Annotated[list[int], Meta(description="Ports that took a connection before probing.")] = []
    started_up: Annotated[bool, Meta(description="The server greeted in time.")] = True
    files: Annotated[list[str], Meta(description="Names of the files handed in.")] = []
    published: Annotated[
        Published | None,
        Meta(description="What the submission had DNS say, in a lab that publishes records."),
    ] = None
    keys: Annotated[
        list[KeyAnswer],
        Meta(description="What DNS answered for the keys that signatures named and those published."),
    ] = []
    services: Annotated[list[ServiceFacts], Meta(description="The services beside Postfix.")] = []
    zone: Annotated[ZoneEvidence | None, Meta(description="The zone that was handed in.")] = None
    notes: Annotated[
        list[str], Meta(description="Remarks of the grader on the run, such as a limit reached.")
    ] = []
    error: Annotated[str | None, Meta(description="The grader's own fault, which costs no points.")] = None
    program: Annotated[
        ProgramEvidence | None, Meta(description="The runs of the program, of a lab of kind 'program'.")
    ] = None
    quiz: Annotated[QuizFacts | None, Meta(description="Questions and answers, of a lab of kind 'quiz'.")] = (
        None
    )

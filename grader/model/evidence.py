"""Evidence: what was done and what happened, as data that can be judged again without a container."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from grader.model.lab import Lab
from grader.model.program import ProgramEvidence
from grader.model.quiz import QuizFacts
from grader.model.signing import KeyAnswer, Published, ServiceFacts
from grader.model.zone import ZoneEvidence

SCHEMA = "smtplab/evidence/1"

ANY_MAILBOX = "*"
"""Stands for a user where whoever reads the mail is the server's own business (RFC 5321 section 4.5.1)."""


class Line(Struct, frozen=True, array_like=True):
    """A line of a session: milliseconds since the run began, ``C``, ``S`` or ``*`` (a remark), and the text.

    Bytes that are not UTF-8 stand as ``\\xNN``; nothing is cut.
    """

    at: float
    who: Literal["C", "S", "*"]
    text: str


class Certificate(Struct, frozen=True):
    """What the server showed in TLS."""

    version: str
    cipher: str
    names: list[str] = []
    trusted: bool = False
    problem: str | None = None


class Session(Struct, frozen=True):
    """One SMTP connection, line by line."""

    id: int
    source: str
    address: str
    server: str
    listener: str
    end: Annotated[
        str, Meta(description="quit, closed, timeout, refused, or reset; who or what ended the session")
    ]
    lines: list[Line]
    tls: Certificate | None = None


class Reply(Struct, frozen=True):
    """A server's reply: its code, enhanced code if any, text, and the index of its last line in the session."""

    command: str
    code: int
    text: str
    line: int
    enhanced: str | None = None


class Outcome(Struct, frozen=True):
    """What became of one attempt in its session.

    ``stage`` names how far it came: ``connect``, ``greeting``, ``preface`` (HELO, TLS, ``before``), ``auth``,
    ``mail``, ``rcpt``, ``data``, ``accepted`` (the server took the message) or ``said`` (a dialogue was spoken),
    ``untried`` (an earlier attempt made it needless), ``examined`` (nothing was sent).
    """

    attempt: str
    stage: Literal[
        "connect",
        "greeting",
        "preface",
        "auth",
        "mail",
        "rcpt",
        "data",
        "accepted",
        "said",
        "untried",
        "examined",
    ]
    session: int | None = None
    replies: list[Reply] = []
    authenticated: bool = False
    first_line: int = 0
    last_line: int = 0


class Arrival(Struct, frozen=True):
    """A message that arrived. ``place`` is ``outside`` (a peer took it) or ``mailbox`` (a file on the host)."""

    id: int
    place: Literal["outside", "mailbox"]
    where: Annotated[str, Meta(description="The peer's name, or the path of the mailbox file.")]
    attempts: Annotated[list[str], Meta(description="The attempts whose token it carries.")]
    raw: bytes
    at: float = 0.0
    client: str = ""
    sender: str = ""
    recipients: list[str] = []


class Queued(Struct, frozen=True):
    """A message still in the server's queue when the run ended, one recipient an entry."""

    queue: str
    sender: str
    recipient: str
    reason: str
    attempts: list[str] = []


class Query(Struct, frozen=True):
    """A DNS question that the world was asked."""

    at: float
    client: str
    name: str
    type: str
    answer: str


class Command(Struct, frozen=True):
    """A command run on the student's host."""

    argv: list[str]
    code: int
    output: str


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

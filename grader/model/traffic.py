"""What passed between the student's host and the world: sessions, messages, questions, as they were recorded."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from grader.model.evidence import Facts, Tried


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
    octets: Annotated[
        int, Meta(description="Of the whole message, where only its beginning was kept; otherwise 0.")
    ] = 0
    digest: Annotated[
        str, Meta(description="SHA-256 of the whole message, where only its beginning was kept.")
    ] = ""


class OutsideMail(Struct, frozen=True):
    """All mail that arrived outside, whether it was kept or not."""

    messages: int
    octets: int
    unclaimed: Annotated[int, Meta(description="Messages that carried no attempt's token.")]
    unclaimed_octets: int
    kept: Annotated[
        int, Meta(description="Messages in the evidence: every attempt's, and of unclaimed ones a sample.")
    ]
    digest: Annotated[
        str, Meta(description="SHA-256 over the SHA-256 of every message, in the order of their arrival.")
    ]


class Queued(Struct, frozen=True):
    """A message still in the server's queue when the run ended, one recipient an entry."""

    queue: str
    sender: str
    recipient: str
    reason: str
    attempts: list[str] = []

    @property
    def in_motion(self) -> bool:
        """Whether something was about to be done with it, and nothing had kept it waiting before."""
        return self.queue in ("maildrop", "incoming", "active") and not self.reason


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


ANY_MAILBOX = "*"
"""Stands for a user where whoever reads the mail is the server's own business (RFC 5321 section 4.5.1)."""


class AttemptFacts(Tried, frozen=True, kw_only=True):
    """What the judge and the report need of a planned attempt; credentials and message text are left out."""

    address: str
    server: str = ""
    token: str = ""
    sender: str = ""
    recipients: list[str] = []
    user: str | None = None
    say: list[str] = []
    mailbox: str | None = None
    stopped: list[str] = []
    under_load: bool = False
    inside: bool = False


class Traffic(Facts, frozen=True, kw_only=True):
    """What is recorded of a run in which mail was sent, whoever sent it."""

    attempts: list[AttemptFacts] = []
    outcomes: list[Outcome] = []
    sessions: list[Session] = []
    arrivals: list[Arrival] = []
    outside: Annotated[
        OutsideMail | None,
        Meta(description="How much mail arrived outside in all; a flood is not kept whole."),
    ] = None
    queries: list[Query] = []
    commands: list[Command] = []
    log: list[str] = []
    listening: Annotated[list[int], Meta(description="Ports that took a connection before probing.")] = []

"""Labs that run a program: what their authors declare, what is planned, and what is recorded of the runs.

The program sends mail. Each run of it meets one submission server (RFC 6409), with one ``ServerBehaviour``, and is
given one ``RunMessage`` to send.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

Moment = Literal["connect", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "text"]
"""A point of a session: its beginning, a command, or the end of the message's text."""

Trust = Literal["trusted", "other-name", "self-signed", "expired"]
Mechanism = Literal["PLAIN", "LOGIN"]

Expected = Literal[
    "connects",
    "delivers",
    "encrypts",
    "keeps-secrets",
    "chooses-mechanism",
    "envelope",
    "hides-bcc",
    "header",
    "text",
    "lines",
    "tells",
    "obeys-no",
    "does-not-hammer",
    "hides-password",
    "ends",
]
"""What a lab can expect of a program's runs; ``grader.kinds.program.judge`` says what each means."""


class ServerBehaviour(Struct, frozen=True, forbid_unknown_fields=True):
    """How a submission server behaves."""

    about: Annotated[str, Meta(min_length=1, description="The server in a few words, for the report.")]
    port: Annotated[int, Meta(ge=1, le=65535, description="Where it listens.")] = 587
    tls: Annotated[
        Literal["starttls", "implicit", "stripped"],
        Meta(
            description="STARTTLS; TLS from the first byte; or, as after an attack, no TLS and AUTH in the clear."
        ),
    ] = "starttls"
    certificate: Annotated[
        Trust, Meta(description="Whether a client can trust its certificate, and why not.")
    ] = "trusted"
    mechanisms: Annotated[list[Mechanism], Meta(min_length=1, description="What it offers for AUTH.")] = (
        field(default_factory=lambda: ["PLAIN", "LOGIN"])
    )
    answers: Annotated[
        dict[Moment, Annotated[str, Meta(pattern=r"^[2-5][0-9][0-9] \S")]],
        Meta(
            description="Replies instead of the usual ones: {rcpt: '550 5.1.1 no such user'}; after 421 it hangs up."
        ),
    ] = {}
    once: Annotated[bool, Meta(description="Whether 'answers' holds for its first connection alone.")] = False
    recipient: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="Which recipient of a message 'answers: {rcpt: …}' is for; every one unless given."),
    ] = None
    silent: Annotated[Moment | None, Meta(description="From where on it says nothing more.")] = None
    size: Annotated[
        int, Meta(ge=1, description="Octets of the largest message that it takes (RFC 1870).")
    ] = 10_485_760

    @property
    def honest(self) -> bool:
        """Whether it is the server that the client wants, so that the client may log in."""
        return self.tls != "stripped" and self.certificate == "trusted"


class RunMessage(Struct, frozen=True, forbid_unknown_fields=True):
    """What a run is to send. Texts may use the variant's names, and ``{person1}`` to ``{person9}``."""

    to: Annotated[list[str], Meta(min_length=1, description="Addresses, without names.")]
    subject: Annotated[str, Meta(description="The subject, in any characters.")]
    body: Annotated[str, Meta(description="The text, in lines that end with a line feed.")]
    cc: Annotated[list[str], Meta(description="Addresses that get a copy.")] = []
    bcc: Annotated[list[str], Meta(description="Addresses that get a blind copy.")] = []
    from_name: Annotated[str, Meta(description="The author's display name.")] = field(
        name="from-name", default=""
    )
    password: Annotated[
        str, Meta(description="The password to log in with; {secret} is drawn for each run.")
    ] = "{secret}"  # noqa: S105
    file: Annotated[str, Meta(pattern=r"^[^/\0]+$", max_length=100, description="The body file's name.")] = (
        "body.txt"
    )


class Program(Struct, frozen=True, forbid_unknown_fields=True):
    """How a lab runs the program that is handed in, whom the program meets, and what it is to send."""

    environment: Annotated[
        dict[Annotated[str, Meta(pattern=r"^[A-Z][A-Z0-9_]*$")], str],
        Meta(
            description="The program's environment. Besides the variant's names there are {server}, {port}, {user}, "
            "{password}, {from}, {from_name}, {to}, {cc}, {bcc}, {subject} and {body_file}."
        ),
    ]
    servers: Annotated[
        dict[str, ServerBehaviour],
        Meta(min_length=1, description="Submission servers, by names for 'meets'."),
    ]
    messages: Annotated[
        dict[str, RunMessage], Meta(min_length=1, description="Messages, by names for 'sends'.")
    ]
    run: Annotated[str, Meta(min_length=1, description="The file handed in that is run.")] = "send"
    seconds: Annotated[float, Meta(gt=0, le=30, description="How long a run may take.")] = 10.0


class SubmissionServerSpec(Struct, frozen=True):
    """A submission server that the world plays for one run. Certificate (with its chain) and key are PEM."""

    run: str
    name: str
    address: str
    behaviour: ServerBehaviour
    certificate: bytes
    key: bytes
    user: str
    password: str


class Wanted(Struct, frozen=True):
    """What a run is asked to send."""

    sender: str
    from_name: str
    to: list[str]
    cc: list[str]
    bcc: list[str]
    subject: str
    body: bytes

    @property
    def recipients(self) -> list[str]:
        """Everybody who is to get it: the envelope's recipients (RFC 5321 section 3.3)."""
        return [*self.to, *self.cc, *self.bcc]


class ProgramRun(Struct, frozen=True):
    """One run: of ``server`` and ``message`` by their names in the lab. ``account`` is the user that it runs as."""

    id: str
    server: str
    message: str
    wanted: Wanted
    account: str
    environment: dict[str, str]
    body_file: str
    user: str
    password: str


class ProgramPlan(Struct, frozen=True):
    """All runs of a program. ``files`` are those handed in, by name; ``attempts`` gives each attempt's run."""

    program: str
    files: dict[str, bytes]
    executable: list[str]
    runs: list[ProgramRun]
    attempts: dict[str, str]
    seconds: float


class Exposure(Struct, frozen=True):
    """A place where others could read the password. ``what`` is what stood there, the password left out."""

    where: Literal["process list", "output", "log", "file"]
    what: str


class Authentication(Struct, frozen=True):
    """An AUTH command: ``line`` is its index in the session."""

    mechanism: str
    encrypted: bool
    accepted: bool
    line: int


class Transaction(Struct, frozen=True):
    """A mail transaction (RFC 5321 section 3.3), from MAIL at ``line`` to the reply at ``last_line``.

    ``recipients`` are those that the server took. ``taken`` says that it took the message for them; then ``arrival`` is
    the message's number in the evidence.
    """

    line: int
    last_line: int
    sender: str
    parameters: str = ""
    recipients: list[str] = []
    refused: list[str] = []
    taken: bool = False
    arrival: int | None = None


class Conversation(Struct, frozen=True):
    """A connection of the program to its server. ``session`` is its number in the evidence.

    ``tls`` is the protocol's version once TLS stands; ``problem`` says why it never did. ``in_the_clear`` is the line
    with which the program gave a password away unencrypted; ``bare`` are lines that did not end with CR LF.
    """

    session: int
    tls: str | None = None
    problem: str | None = None
    in_the_clear: int | None = None
    bare: list[int] = []
    authentications: list[Authentication] = []
    transactions: list[Transaction] = []


class RunFacts(Struct, frozen=True):
    """What became of a run. ``command`` is the index of its exit code and output in the evidence's commands.

    ``late`` says that it was still running when its time was over, and was killed.
    """

    id: str
    server: str
    message: str
    wanted: Wanted
    command: int
    seconds: float
    late: bool = False
    exposed: list[Exposure] = []
    conversations: list[Conversation] = []


class ProgramEvidence(Struct, frozen=True):
    """What was recorded of a program's runs. ``first_line`` is its first line, ``\\xNN`` for what is no text."""

    program: str
    first_line: str
    executable: bool
    runs: list[RunFacts]
    attempts: Annotated[dict[str, str], Meta(description="Which run each attempt is about.")]

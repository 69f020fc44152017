"""Submission servers (RFC 6409) that the world plays: how one behaves, and what it recorded of its clients."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from grader.model.traffic import Reply

Moment = Literal["connect", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "text"]
"""A point of a session: its beginning, a command, or the end of the message's text."""


Trust = Literal["trusted", "other-name", "self-signed", "expired"]


Mechanism = Literal["PLAIN", "LOGIN"]


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
    greeting: Annotated[
        str,
        Meta(
            pattern=r"^[ -~]*$",
            max_length=400,
            description="A line of text that stands in the greeting before its last line.",
        ),
    ] = ""
    pieces: Annotated[
        bool,
        Meta(
            description="Whether its replies have several lines each and arrive in pieces, as networks may have it."
        ),
    ] = False
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
        Meta(
            description="Which of a message's recipients (To, Cc and Bcc in this order) 'answers: {rcpt: …}' is for, "
            "however the client names them; every one unless given."
        ),
    ] = None
    silent: Annotated[
        Moment | None,
        Meta(
            description="From where on it says nothing more; with TLS from the first byte, 'starttls' is the handshake."
        ),
    ] = None
    hangs_up: Annotated[
        Moment | None,
        Meta(description="Where it hangs up without a word."),
    ] = field(name="hangs-up", default=None)
    size: Annotated[
        int, Meta(ge=1, description="Octets of the largest message that it takes (RFC 1870).")
    ] = 10_485_760

    patience: Annotated[
        int,
        Meta(
            ge=1,
            description="What {patience} in the program's environment says: seconds of silence. Where the server never "
            "falls silent, one more is drawn or not for each run.",
        ),
    ] = 3

    @property
    def honest(self) -> bool:
        """Whether it is the server that the client wants, so that the client may log in."""
        return self.tls != "stripped" and self.certificate == "trusted"


class SubmissionServerSpec(Struct, frozen=True):
    """A submission server that the world plays for one run. Certificate (with its chain) and key are PEM.

    ``refused`` is the recipient that the behaviour's ``recipient`` means, if it means one.
    """

    run: str
    name: str
    address: str
    behaviour: ServerBehaviour
    certificate: bytes
    key: bytes
    user: str
    password: str
    refused: str | None = None


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

    ``tls`` is the protocol's version once TLS stands, and ``encrypted`` the line that notes it; ``problem`` says why it
    never did. ``in_the_clear`` is the line with which the program gave a password away unencrypted; ``bare`` are lines
    that did not end with CR LF;
    ``credentials`` are lines that answered a challenge of AUTH. ``replies`` are the server's, each with the command
    that it answers, empty for the greeting. ``hung_up`` is the line that notes that the client went away without QUIT,
    ``unfinished`` the one that notes that it did so in the midst of a message's text; ``lone_dot`` says that a dot
    stood there on a line of its own, behind a line that LF alone ended.
    """

    session: int
    tls: str | None = None
    problem: str | None = None
    in_the_clear: int | None = None
    bare: list[int] = []
    credentials: list[int] = []
    replies: list[Reply] = []
    hung_up: int | None = None
    unfinished: int | None = None
    lone_dot: bool = False
    authentications: list[Authentication] = []
    transactions: list[Transaction] = []
    encrypted: int | None = None

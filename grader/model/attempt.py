"""One thing tried on a mail server: a mail transaction as an author writes it, and as a client makes it."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

Tls = Literal["none", "starttls", "implicit"]


class Login(Struct, frozen=True):
    """Credentials for AUTH."""

    user: str
    password: str
    mechanism: str = "PLAIN"


class Attempt(Struct, frozen=True):
    """One mail transaction, or one dialogue of commands, from one source on one listener.

    ``token`` is unique to the attempt and stands in the recipient's local part and in the message, so that the
    message is known wherever it arrives, whatever was done to its envelope. ``inside`` marks a client whose address is
    trusted. With a ``script`` that is said, and nothing else, from EHLO to DATA; each list of it goes out in one write.
    """

    id: str
    check: str
    title: str
    source: str
    address: str
    server: str
    listener: str
    port: int
    tls: Tls
    helo: str
    token: str
    sender: str = ""
    recipients: list[str] = []
    parameters: str = ""
    rcpt_parameters: str = ""
    script: list[list[str]] = []
    message: bytes = b""
    before: list[str] = []
    preamble: str | None = None
    login: Login | None = None
    say: list[str] = []
    smuggled: bytes = b""
    certificate: bool = False
    qmqp: bool = False
    milter: bool = False
    inside: bool = False
    mailbox: str | None = None
    unless_arrived: list[str] = []
    stopped: list[str] = []
    under_load: bool = False

    @property
    def apart(self) -> bool:
        """Whether it is made when all else has been: while services are stopped, or while the server is under load."""
        return bool(self.stopped) or self.under_load

    @property
    def not_smtp(self) -> bool:
        """Whether it speaks another protocol, in which the client begins."""
        return self.qmqp or self.milter


class Mail(Struct, frozen=True, forbid_unknown_fields=True):
    """One mail transaction to attempt. Every text may use the variant's names in braces: ``alice@{domain}``."""

    to: Annotated[list[str], Meta(min_length=1, description="Forward paths, without the angle brackets.")]
    sender: Annotated[
        str | None, Meta(description="Reverse path, without the brackets; empty is the null sender.")
    ] = field(name="from", default=None)
    title: Annotated[str, Meta(description="The form in a few words, for the report.")] = ""
    helo: Annotated[str | None, Meta(description="Name given in EHLO.")] = None
    parameters: Annotated[str, Meta(description="ESMTP parameters after MAIL FROM.")] = ""
    rcpt_parameters: Annotated[str, Meta(description="ESMTP parameters after each RCPT TO.")] = ""
    script: Annotated[
        list[str | list[str]],
        Meta(
            description="The whole dialogue, EHLO included, instead of the usual one. The message follows DATA, and "
            "BDAT with its size. The commands of a list within it go out in one write, and the list 'times' times."
        ),
    ] = []
    times: Annotated[int, Meta(ge=1, description="How often lists within 'script' are said.")] = 1
    times_at_most: Annotated[
        int,
        Meta(
            ge=0,
            description="How often they are said where a program of the submission counts that far: as often as the "
            "largest number in it that is no larger than this.",
        ),
    ] = 0
    before: Annotated[
        list[str], Meta(description="Commands sent after EHLO, before MAIL; EHLO is sent again afterwards.")
    ] = []
    preamble: Annotated[
        str | None, Meta(description="Lines sent before the server's greeting, such as a PROXY header.")
    ] = None
    smuggle: Annotated[
        bool, Meta(description="End the text with a bare-LF dot line and hide a second message behind it.")
    ] = False
    certificate: Annotated[bool, Meta(description="Show a client certificate in TLS.")] = False
    header_from: Annotated[str | None, Meta(description="Address in the From header field.")] = None
    fields: Annotated[
        list[Annotated[str, Meta(pattern=r"^(?:[!-9;-~]+: \S[ -~]*|\{\w+\})$")]],
        Meta(description="Header fields that stand before all others: 'DKIM-Signature: v=1; …'."),
    ] = []
    lines: Annotated[
        list[Annotated[str, Meta(pattern=r"^(?:[!-~]|[!-~][ -~]*[!-~])$")]],
        Meta(description="Lines with which the text begins, before its own."),
    ] = []
    header_to: Annotated[str | None, Meta(description="Address in the To header field.")] = None
    lifelike: Annotated[
        bool,
        Meta(
            description="The letter as many mail programs write it: in UTF-8 and in 8 bits where the server takes them "
            "(RFC 6152), a folded field, a paragraph in one long line, blanks at the end of another."
        ),
    ] = False
    octets: Annotated[
        int, Meta(ge=0, description="Size of the message, at least; its text goes on until then.")
    ] = 0
    octets_at_most: Annotated[
        int,
        Meta(
            ge=0,
            description="Its size where a program of the submission measures that far: more than the largest number in "
            "it that is no larger than this.",
        ),
    ] = 0
    qmqp: Annotated[
        bool, Meta(description="Hand the message over by QMQP (cr.yp.to/proto/qmqp.html) instead of SMTP.")
    ] = False
    milter: Annotated[
        bool,
        Meta(
            description="Hand the message to a milter itself, as a mail server on the same host would, and send on "
            "what it signs."
        ),
    ] = False

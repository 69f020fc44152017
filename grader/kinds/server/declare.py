"""What a lab of the kind ``server`` declares: what is installed, who tries what, and what must come of it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from grader.model import lab
from grader.model.attempt import Mail

OTHERS = "others"
"""Among the listeners of a ``Try``: every port that the host turns out to listen on, beyond those that labs name."""
OTHERS_CLEAR = "others+clear"
"""The same, without TLS alone."""

LISTENERS: Mapping[str, str] = MappingProxyType(
    {
        "25": "SMTP, where other servers bring mail",
        "25+starttls": "the same in TLS, after STARTTLS",
        "465": "submission in TLS from the first byte (RFC 8314)",
        "587": "submission in the clear",
        "587+starttls": "submission in TLS, after STARTTLS (RFC 6409)",
        OTHERS: "all further ports on which the host is found to listen: in the clear, after STARTTLS and in TLS",
        OTHERS_CLEAR: "the same, without TLS alone",
    }
)
"""Where a client may connect to, with what is spoken there."""
USERS: Mapping[str, str] = MappingProxyType(
    {"alice": "a user of the domain, with the right password", "bob": "another one"}
)


Absolute = Annotated[str, Meta(pattern="^/")]


BODY = "body"
"""Stands among the header fields of ``covers`` for the whole text of a message."""


class SignatureExpect(Struct, frozen=True, forbid_unknown_fields=True):
    """What must hold of the signatures that messages bear when they arrive. All given keys must hold.

    A signature is the domain's own if its ``d=`` is the student's domain or lies in it. All keys but ``present`` speak
    of own signatures, and of those that align with From in the relaxed way (RFC 9989 section 4.4): a message with
    neither says nothing to them.
    """

    present: Annotated[
        bool | None,
        Meta(
            description="Whether a message bears a signature of the domain that aligns with its From, or none."
        ),
    ] = None
    verifies: Annotated[
        bool, Meta(description="Every signature of the domain verifies with the key that DNS gives.")
    ] = False
    covers: Annotated[
        list[str],
        Meta(
            description="Header fields, and 'body' for the text: a copy in which one of them was changed, or the "
            "text continued, no longer verifies."
        ),
    ] = []
    key_bits: Annotated[
        Annotated[int, Meta(ge=512)] | None,
        Meta(
            description="Bits that the RSA key of a signature must have at least; there must be an RSA signature "
            "with SHA-256, whatever other kinds are beside it (RFC 8301, RFC 8463).",
        ),
    ] = field(name="key-bits", default=None)


Service = Literal["dovecot", "opendkim"]


class Try(Struct, frozen=True, forbid_unknown_fields=True):
    """What is attempted for a check: every mail (or dialogue) from every source on every listener."""

    sources: Annotated[
        list[str],
        Meta(min_length=1, description="Who connects; 'smtplab lab names' lists them."),
    ] = field(name="from", default_factory=lambda: ["stranger"])
    on: Annotated[
        list[int | str],
        Meta(
            min_length=1,
            description="Ports, with '+starttls' where TLS is begun: 25, 25+starttls, 465. 'others' are all further "
            "ports on which the host is found to listen, in the clear, after STARTTLS and in TLS; 'others+clear' is "
            "without TLS alone.",
        ),
    ] = field(default_factory=lambda: [25])
    user: Annotated[
        str | None, Meta(description="User who authenticates; 'alice!' gives a wrong password.")
    ] = field(name="as", default=None)
    forms: Annotated[list[str], Meta(description="Lists of mails, by their names.")] = []
    mail: Annotated[list[Mail], Meta(description="Mails to attempt, beside those of 'forms'.")] = []
    say: Annotated[
        list[str], Meta(description="Commands to send instead of a mail; replies are recorded.")
    ] = []
    unless_arrived: Annotated[
        str | list[str] | None,
        Meta(
            description="Code of a check, or several: skip the source and listener that it already got through; where "
            "it does not try that source, any source at that listener."
        ),
    ] = field(name="unless-arrived", default=None)
    if_files: Annotated[
        str | None,
        Meta(
            description="Only where the submission's files hold a text that this regular expression matches; small "
            "and capital letters are the same to it, and ^ and $ are the ends of a line.",
        ),
    ] = field(name="if-files", default=None)
    if_programs: Annotated[
        bool, Meta(description="Only where the submission brings a program of its own.")
    ] = field(name="if-programs", default=False)
    stopped: Annotated[
        list[Service],
        Meta(description="Services that are stopped before this is tried. All else has been tried by then."),
    ] = []

    @property
    def spared_by(self) -> list[str]:
        """The codes of ``unless_arrived``."""
        named = self.unless_arrived or []
        return [named] if isinstance(named, str) else named


UNWANTED = ("nowhere", "nobody")
"""Values of ``arrives`` for mail that has to be kept out."""
WANTED = ("outside", "mailbox")
"""Those for mail that somebody waits for."""


class Expect(Struct, frozen=True, forbid_unknown_fields=True):
    """What must hold for every attempt of the check. All given expectations must hold."""

    greets: Annotated[bool, Meta(description="The server answers the connection with a 220 greeting.")] = (
        False
    )
    arrives: Annotated[
        Literal["outside", "mailbox", "nowhere", "nobody"] | None,
        Meta(
            description="Where the message must end: 'outside' is the outside mailbox, and what is written to users of "
            "the server itself has to be taken; 'mailbox' is the local mailbox; 'nowhere' is no mailbox outside "
            "(neither arrived nor queued for it), 'nobody' none on the server either."
        ),
    ] = None
    accounted: Annotated[
        bool,
        Meta(
            description="With 'arrives: nowhere' or 'nobody': what the server took for other people has to be found "
            "again: sent back, in a mailbox or the queue, or thrown away by Postfix as its log says. Without this key "
            "such a message makes the check 'manual'."
        ),
    ] = False
    legible: Annotated[
        bool,
        Meta(
            description="With 'arrives: nowhere' or 'nobody': a program of the submission's that Postfix asks before "
            "it refuses strangers, and of which a run cannot tell to whom it says yes, makes the check 'manual'."
        ),
    ] = False
    refused: Annotated[bool, Meta(description="The recipient is refused in the session, by 4xx or 5xx.")] = (
        False
    )
    authenticates: Annotated[
        bool | None, Meta(description="Whether AUTH must succeed on these listeners.")
    ] = None
    replies: Annotated[
        list[Annotated[str, Meta(pattern="^[2-5][0-9]{0,2}$")]],
        Meta(description="Reply codes allowed for each command of 'say', by prefix: '5', '252'."),
    ] = []
    alike: Annotated[bool, Meta(description="All replies to 'say' carry the same code.")] = False
    arrivals_at_most: Annotated[
        Annotated[int, Meta(ge=0)] | None, Meta(description="How many messages one attempt may give.")
    ] = field(name="arrivals-at-most", default=None)
    running: Annotated[
        list[Service], Meta(description="Services that must be running when the first client comes.")
    ] = []
    published: Annotated[
        bool,
        Meta(description="The records of 'publishes' are well-formed, and at least one is a key in use."),
    ] = False
    signature: Annotated[
        SignatureExpect | None, Meta(description="What must hold of the signatures of messages that arrived.")
    ] = None
    kept: Annotated[
        bool,
        Meta(
            description="No message is lost: the server refuses it in the session, delivers it or keeps it; it "
            "neither drops what it took nor sends it back."
        ),
    ] = False
    function: Annotated[
        str | None,
        Meta(
            description="A named judge function for what the keys above cannot say, of a package's entry points "
            "'smtplab.functions'."
        ),
    ] = None

    @property
    def keeps_out(self) -> bool:
        """Whether something is met by what does not happen, which a server that is starved does not do either."""
        return bool(
            self.arrives in UNWANTED
            or self.refused
            or self.authenticates is False
            or self.replies
            or self.alike
            or self.arrivals_at_most is not None
        )

    @property
    def awaits(self) -> bool:
        """Whether a message that is taken has to arrive somewhere for this."""
        return self.arrives in WANTED or (self.signature is not None and bool(self.signature.present))


class InstallTarget(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the files of a folder go on the student's host, whose they become and who may read them."""

    to: Annotated[Absolute, Meta(description="Folder on the student's host.")]
    owner: Annotated[str, Meta(pattern="^[a-z][a-z0-9_-]*:[a-z][a-z0-9_-]*$", description="user:group")] = (
        "root:root"
    )
    mode: Annotated[
        str, Meta(pattern="^0[0-7]{3}$", description="Permissions, in octal; programs may be executed too.")
    ] = "0644"


class HostServices(Struct, frozen=True, forbid_unknown_fields=True):
    """The student's host: what runs beside Postfix."""

    services: Annotated[
        list[Literal["dovecot", "opendkim", "postfix"]], Meta(description="Started in this order.")
    ] = field(default_factory=lambda: ["dovecot", "postfix"])


class ServerCheck(lab.Check, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A check of a server: who tries what, and what must come of it."""

    attempts: list[Try] = field(name="try", default_factory=list)
    expect: Expect

    @property
    def depends_on(self) -> set[str]:
        """See ``Check.depends_on``; here also what spares attempts that already got through."""
        return {*self.needs, *self.control, *(code for a in self.attempts for code in a.spared_by)}


class ServerSubmission(lab.SubmissionRules, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which files are handed in and where they go."""

    installs: Annotated[
        Absolute | dict[str, Absolute | InstallTarget],
        Meta(
            description="Folder on the student's host. Or several: for each folder of the submission the one on "
            "the host; the longest that fits a file counts."
        ),
    ] = "/etc/postfix"
    publishes: Annotated[
        str | None,
        Meta(
            description="Folder of the submission whose files hold key records (RFC 6376 section 3.6) for DNS, in "
            "master-file format. They are published, not installed."
        ),
    ] = None


class ServerLab(lab.Lab, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="server"):
    """A lab whose students hand in the configuration of a mail server."""

    submission: ServerSubmission
    checks: Annotated[list[ServerCheck], Meta(min_length=1, description="What is judged.")]
    host: HostServices = HostServices()

    needs_engine = True


LAB = ServerLab
"""See ``grader.kinds.base.Declare``."""

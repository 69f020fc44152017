"""A lab as its author declares it in ``lab.yaml``.

The types below are the schema: ``smtplab lab schema`` prints the JSON Schema made from them, the loader refuses
what does not fit them, and the meta descriptions are what an editor shows while an author types.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from grader.model.program import Expected, Program
from grader.model.quiz import Quiz
from grader.model.signing import SignatureExpect
from grader.model.zonelab import ZoneExpect, ZoneTry, ZoneWorld

Kind = Literal["server", "program", "zone", "quiz"]
"""What is handed in: a mail server's configuration, a program that sends mail, a DNS zone, answers to questions."""

ON_MACHINES = ("server", "program")
"""Kinds whose submissions run, and so need an engine; the others are examined as the data that they are."""

Service = Literal["dovecot", "opendkim"]

Text = Annotated[str, Meta(min_length=1)]
Code = Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
Identifier = Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]


class Hints(Struct, frozen=True, forbid_unknown_fields=True):
    """Help in three tiers. The instructor caps how many a student may see."""

    nudge: Annotated[Text, Meta(description="A question or thought that points the right way.")]
    pointer: Annotated[Text, Meta(description="Which setting, section or page to read.")]
    example: Annotated[Text, Meta(description="A worked example, close to the answer.")]


class Mail(Struct, frozen=True, forbid_unknown_fields=True):
    """One mail transaction to attempt. Every text may use the variant's names in braces: ``alice@{domain}``."""

    to: Annotated[list[str], Meta(min_length=1, description="Forward paths, without the angle brackets.")]
    sender: Annotated[
        str | None, Meta(description="Reverse path, without the brackets; empty is the null sender.")
    ] = field(name="from", default=None)
    title: Annotated[str, Meta(description="The form in a few words, for the report.")] = ""
    helo: Annotated[str | None, Meta(description="Name given in EHLO.")] = None
    parameters: Annotated[str, Meta(description="ESMTP parameters after MAIL FROM.")] = ""
    before: Annotated[
        list[str], Meta(description="Commands sent after EHLO, before MAIL; EHLO is sent again afterwards.")
    ] = []
    preamble: Annotated[
        str | None, Meta(description="A line sent before the server's greeting, such as a PROXY header.")
    ] = None
    smuggle: Annotated[
        bool, Meta(description="End the text with a bare-LF dot line and hide a second message behind it.")
    ] = False
    certificate: Annotated[bool, Meta(description="Show a client certificate in TLS.")] = False
    header_from: Annotated[str | None, Meta(description="Address in the From header field.")] = None


class Try(Struct, frozen=True, forbid_unknown_fields=True):
    """What is attempted for a check: every mail (or dialogue) from every source on every listener."""

    sources: Annotated[
        list[str],
        Meta(min_length=1, description="Who connects: names of fixtures/world.yaml, or 'mentioned'."),
    ] = field(name="from", default_factory=lambda: ["stranger"])
    on: Annotated[
        list[int | str],
        Meta(min_length=1, description="Ports, with '+starttls' where TLS is begun: 25, 25+starttls, 465."),
    ] = field(default_factory=lambda: [25])
    user: Annotated[
        str | None, Meta(description="User who authenticates; 'alice!' gives a wrong password.")
    ] = field(name="as", default=None)
    forms: Annotated[list[str], Meta(description="Lists of mails in fixtures/forms.")] = []
    mail: Annotated[list[Mail], Meta(description="Mails to attempt, beside those of 'forms'.")] = []
    say: Annotated[
        list[str], Meta(description="Commands to send instead of a mail; replies are recorded.")
    ] = []
    meets: Annotated[
        list[str],
        Meta(
            description="Kind 'program': submission servers, by their names in 'program'; each is met once."
        ),
    ] = []
    sends: Annotated[
        list[str], Meta(description="Kind 'program': messages, by their names in 'program'.")
    ] = []
    unless_arrived: Annotated[
        str | None,
        Meta(description="Code of a check: skip the source and listener that it already got through."),
    ] = field(name="unless-arrived", default=None)
    stopped: Annotated[
        list[Service],
        Meta(description="Services that are stopped before this is tried. All else has been tried by then."),
    ] = []
    zone: Annotated[ZoneTry | None, Meta(description="What receivers try, in a lab of the kind 'zone'.")] = (
        None
    )


class Expect(Struct, frozen=True, forbid_unknown_fields=True):
    """What must hold for every attempt of the check. All given expectations must hold."""

    greets: Annotated[bool, Meta(description="The server answers the connection with a 220 greeting.")] = (
        False
    )
    arrives: Annotated[
        Literal["outside", "mailbox", "nowhere"] | None,
        Meta(
            description="Where the message must end: the outside mailbox, the local mailbox, or no mailbox "
            "outside (neither arrived nor queued for it)."
        ),
    ] = None
    refused: Annotated[bool, Meta(description="The recipient is refused in the session, by 4xx or 5xx.")] = (
        False
    )
    authenticates: Annotated[
        bool | None, Meta(description="Whether AUTH must succeed on these listeners.")
    ] = None
    replies: Annotated[
        list[str], Meta(description="Reply codes allowed for each command of 'say', by prefix: '5', '252'.")
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
    program: Annotated[
        list[Expected], Meta(description="Kind 'program': what must hold for every run of the program.")
    ] = []
    function: Annotated[
        str | None, Meta(description="A named judge function for what the keys above cannot say.")
    ] = None
    zone: Annotated[ZoneExpect | None, Meta(description="For what receivers try on a zone.")] = None


class Check(Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that is judged, worth points, with the feedback for its failure."""

    code: Code
    title: Annotated[Text, Meta(description="The outcome in the student's words.")]
    points: Annotated[int, Meta(ge=0, le=1000)]
    expect: Expect
    why: Annotated[Text, Meta(description="Why it matters. Names no fix.")]
    next: Annotated[Text, Meta(description="What to do next. Only here is a fix named.")]
    attempts: list[Try] = field(name="try", default_factory=list)
    needs: Annotated[
        list[Code],
        Meta(description="Checks without which this one says nothing: it is skipped if they fail."),
    ] = []
    control: Annotated[
        list[Code],
        Meta(description="Checks that prove the way open; without them an absence proves nothing."),
    ] = []
    see: Annotated[list[Text], Meta(description="RFC sections and reference sheets.")] = []
    tags: list[Code] = []
    expected: Annotated[str | None, Meta(description="The expectation in a sentence.")] = None
    hints: Hints | None = None
    explain: Annotated[
        str | None, Meta(description="The long text of 'smtplab explain CODE' (Markdown).")
    ] = None


Absolute = Annotated[str, Meta(pattern="^/")]


class InstallTarget(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the files of a folder go on the student's host, whose they become and who may read them."""

    to: Annotated[Absolute, Meta(description="Folder on the student's host.")]
    owner: Annotated[str, Meta(pattern="^[a-z][a-z0-9_-]*:[a-z][a-z0-9_-]*$", description="user:group")] = (
        "root:root"
    )
    mode: Annotated[
        str, Meta(pattern="^0[0-7]{3}$", description="Permissions, in octal; programs may be executed too.")
    ] = "0644"


class SubmissionRules(Struct, frozen=True, forbid_unknown_fields=True):
    """Which files are handed in and where they go."""

    required: Annotated[list[str], Meta(min_length=1)]
    installs: Annotated[
        Absolute | dict[str, Absolute | InstallTarget],
        Meta(
            description="Folder on the student's host, where there is a host. Or several: for each folder of the "
            "submission the one on the host; the longest that fits a file counts."
        ),
    ] = "/etc/postfix"
    publishes: Annotated[
        str | None,
        Meta(
            description="Folder of the submission whose files hold key records (RFC 6376 section 3.6) for DNS, in "
            "master-file format. They are published, not installed."
        ),
    ] = None
    optional: Annotated[list[str], Meta(description="Glob patterns of further files.")] = field(
        default_factory=lambda: ["*", "*/*"]
    )
    max_files: Annotated[int, Meta(ge=1, le=1000, description="How many files may be handed in.")] = field(
        name="max-files", default=100
    )
    max_bytes: Annotated[int, Meta(ge=1, description="How large they may be together.")] = field(
        name="max-bytes", default=1_000_000
    )


class Host(Struct, frozen=True, forbid_unknown_fields=True):
    """The student's host: what runs beside Postfix."""

    services: Annotated[
        list[Literal["dovecot", "opendkim", "postfix"]], Meta(description="Started in this order.")
    ] = field(default_factory=lambda: ["dovecot", "postfix"])


class Lab(Struct, frozen=True, forbid_unknown_fields=True):
    """A lab: what students are asked, given and judged by."""

    id: Identifier
    title: Text
    version: Annotated[str, Meta(pattern=r"^\d+(\.\d+)*$")]
    summary: Text
    submission: SubmissionRules
    checks: Annotated[list[Check], Meta(description="What is judged. A quiz has its questions instead.")] = []
    kind: Kind = "server"
    minutes: Annotated[int, Meta(ge=1, description="How long a student needs.")] = 60
    host: Host = Host()
    zone: Annotated[
        ZoneWorld | None, Meta(description="The zones around the student's, in a lab of the kind 'zone'.")
    ] = None
    teaches: list[Text] = []
    quiz: Annotated[Quiz | None, Meta(description="The questions, of a lab of kind 'quiz'.")] = None
    program: Annotated[
        Program | None, Meta(description="Whom the program meets, of a lab of kind 'program'.")
    ] = None

    @property
    def max_score(self) -> int:
        """The points of all checks together; of a quiz, of those questions that one student gets."""
        if self.quiz is not None:
            return self.quiz.points * self.quiz.number
        return sum(check.points for check in self.checks)

    @property
    def needs_engine(self) -> bool:
        """Whether a submission runs on machines of its own."""
        return self.kind in ON_MACHINES

    def check(self, code: str) -> Check:
        """The check with this code, without the lab's prefix. Raises ``KeyError``."""
        for check in self.checks:
            if check.code == code:
                return check
        raise KeyError(code)


class Wrong(Struct, frozen=True, forbid_unknown_fields=True):
    """``wrong/<fault>/expect.yaml``: what a known-wrong submission must lose, and nothing else."""

    fails: Annotated[list[Code], Meta(min_length=1)]
    about: Text
    skips: list[Code] = []
    removes: Annotated[list[Text], Meta(description="Files of the solution that are not handed in.")] = []

"""A lab as its author declares it in ``lab.yaml``.

The types below are the schema: ``smtplab lab schema`` prints the JSON Schema made from them, the loader refuses
what does not fit them, and the meta descriptions are what an editor shows while an author types.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from grader.kinds.program.declare import Program
from grader.kinds.quiz.declare import Quiz
from grader.kinds.server.declare import Absolute, Expect, Host, InstallTarget, Try
from grader.kinds.zone.declare import ZoneWorld

Kind = Literal["server", "program", "zone", "quiz"]
"""What is handed in: a mail server's configuration, a program that sends mail, a DNS zone, answers to questions."""

ON_MACHINES = ("server", "program")
"""Kinds whose submissions run, and so need an engine; the others are examined as the data that they are."""


Text = Annotated[str, Meta(min_length=1)]
Code = Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
Identifier = Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]


class Hints(Struct, frozen=True, forbid_unknown_fields=True):
    """Help in three tiers. The instructor caps how many a student may see."""

    nudge: Annotated[Text, Meta(description="A question or thought that points the right way.")]
    pointer: Annotated[Text, Meta(description="Which setting, section or page to read.")]
    example: Annotated[Text, Meta(description="A worked example, close to the answer.")]


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

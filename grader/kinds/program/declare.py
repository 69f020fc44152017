"""What a lab of the kind ``program`` declares: how the program is run, whom it meets, and what it is to send."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from grader.model import lab
from grader.model.submission_server import ServerBehaviour

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
    "whole",
    "lines",
    "tells",
    "obeys-no",
    "does-not-hammer",
    "hides-password",
    "ends",
]
"""What a lab can expect of a program's runs; ``grader.kinds.program.judge`` says what each means."""


ENVIRONMENT: Mapping[str, str] = MappingProxyType(
    {
        "server": "the server's name",
        "port": "its port",
        "user": "the user to log in as",
        "password": "the user's password",
        "from": "the author's address, which is the sender too",
        "from_name": "the author's display name",
        "to": "the recipients, with commas between them",
        "cc": "those of a copy, likewise",
        "bcc": "those of a blind copy, likewise",
        "subject": "the subject",
        "body_file": "the path of a file that holds the text",
        "patience": "how many seconds of silence the program should wait for the server",
    }
)
"""Names for the program's environment alone, with what stands for them."""


Text = str | Annotated[list[str], Meta(min_length=1)]
"""What a program is given: the same each time, or one of several, drawn for each submission."""

EVERY = "every"
"""Stands in ``meets`` and ``sends`` for every pair of server and message that the lab's other checks name."""


class RunMessage(Struct, frozen=True, forbid_unknown_fields=True):
    """What a run is to send. Texts may use the variant's names, and ``{person1}`` to ``{person9}``."""

    to: Annotated[list[str], Meta(min_length=1, description="Addresses, without names.")]
    subject: Annotated[Text, Meta(description="The subject, in any characters; of several, one is drawn.")]
    body: Annotated[str, Meta(description="The text, in lines that end with a line feed.")]
    cc: Annotated[list[str], Meta(description="Addresses that get a copy.")] = []
    bcc: Annotated[list[str], Meta(description="Addresses that get a blind copy.")] = []
    from_name: Annotated[Text, Meta(description="The author's display name; of several, one is drawn.")] = (
        field(name="from-name", default="")
    )
    password: Annotated[
        str, Meta(description="The password to log in with; {secret} is drawn for each run.")
    ] = "{secret}"  # noqa: S105 (a placeholder)
    file: Annotated[str, Meta(pattern=r"^[^/\0]+$", max_length=100, description="The body file's name.")] = (
        "body.txt"
    )


class Program(Struct, frozen=True, forbid_unknown_fields=True):
    """How a lab runs the program that is handed in, whom the program meets, and what it is to send."""

    environment: Annotated[
        dict[Annotated[str, Meta(pattern=r"^[A-Z][A-Z0-9_]*$")], str],
        Meta(
            description="The program's environment. Besides the variant's names there are {server}, {port}, {user}, "
            "{password}, {from}, {from_name}, {to}, {cc}, {bcc}, {subject}, {body_file} and "
            "{patience}."
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
    grace: Annotated[
        float,
        Meta(
            ge=0,
            le=30,
            description="Seconds beyond that before a run is killed, for a busy machine. Who sits through 'seconds' "
            "of a server's silence is late all the same.",
        ),
    ] = 0.0


class ProgramTry(Struct, frozen=True, forbid_unknown_fields=True):
    """Runs of the program: each message is sent to each server."""

    meets: Annotated[
        list[str],
        Meta(
            min_length=1,
            description="Submission servers, by their names in 'program'. 'every', in both keys, stands for each pair "
            "of server and message that the lab's other checks name.",
        ),
    ]
    sends: Annotated[list[str], Meta(min_length=1, description="Messages, by their names in 'program'.")]


class ProgramExpect(Struct, frozen=True, forbid_unknown_fields=True):
    """What must hold for every run."""

    program: Annotated[
        list[Expected], Meta(min_length=1, description="What must hold for every run of the program.")
    ]


class ProgramCheck(lab.Check, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A check of a program: its runs, and what must hold for each."""

    attempts: Annotated[list[ProgramTry], Meta(min_length=1)] = field(name="try")
    expect: ProgramExpect


class ProgramLab(lab.Lab, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="program"):
    """A lab whose students hand in a program that sends mail."""

    checks: Annotated[list[ProgramCheck], Meta(min_length=1, description="What is judged.")]
    program: Annotated[Program, Meta(description="Whom the program meets, and what it is to send.")]

    needs_engine = True


LAB = ProgramLab
"""See ``grader.kinds.base.Declare``."""

"""What requests and answers hold on the host's side of the protocol, for the type checker: never imported there.

Each is what the struct of the same name in ``grader.model.protocol`` looks like as JSON; bytes are base64.
"""

from __future__ import annotations

from typing import TypedDict


class File(TypedDict):
    """A file to install."""

    path: str
    data: str
    mode: int
    owner: str


class Command(TypedDict):
    """A command that was run."""

    argv: list[str]
    code: int
    output: str


class ServicesStarted(TypedDict):
    """What starting the services came to."""

    commands: list[Command]
    queue_directory: str
    mta: str
    running: list[str]


class MasterState(TypedDict):
    """Whether Postfix's master runs."""

    master: bool
    exit: int | None


class QueueCounts(TypedDict):
    """Messages in each queue."""

    maildrop: int
    hold: int
    incoming: int
    active: int
    deferred: int
    corrupt: int


class Queued(TypedDict):
    """A recipient of a queued message."""

    queue: str
    sender: str
    recipient: str
    reason: str


class DeliveredMail(TypedDict):
    """A message in a mailbox."""

    path: str
    raw: str
    tokens: list[str]
    octets: int


class ProgramFile(TypedDict):
    """A file for the folder in which a program runs."""

    path: str
    data: str
    mode: int


class ProgramSpec(TypedDict):
    """One run of a program."""

    id: str
    argv: list[str]
    account: str
    environment: dict[str, str]
    texts: dict[str, str]
    limit: float
    waits: bool
    secrets: list[str]


class Exposure(TypedDict):
    """A place where a secret showed."""

    where: str
    what: str


class ProgramEnd(TypedDict):
    """How a run ended."""

    id: str
    code: int | None
    output: str
    seconds: float
    held_up: float
    late: bool
    limit: float
    left: bool
    exposed: list[Exposure]

"""The runs of a program: what is planned, and what is recorded of them."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from grader.kinds.program.declare import ProgramLab
from grader.model.evidence import Evidence
from grader.model.exposure import Exposure
from grader.model.plan import MachinePlan
from grader.model.submission_server import Conversation
from grader.model.traffic import Traffic


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


class ProgramPlan(MachinePlan, frozen=True, kw_only=True):
    """All runs of a program. ``files`` are those handed in, by name; ``attempts`` gives each attempt's run.

    ``seconds`` is how long a run may take.
    """

    program: str
    files: dict[str, bytes]
    executable: list[str]
    runs: list[ProgramRun]
    attempts: dict[str, str]
    seconds: float


class RunFacts(Struct, frozen=True):
    """What became of a run. ``command`` is the index of its exit code and output in the evidence's commands.

    ``late`` says that it was still running when its time was over, after ``limit`` seconds, and was killed.
    ``left`` that it ended by itself before processes that it had started, which were killed then. ``held_up`` are
    seconds, at least, for which the machine was too busy with others to let it run.
    """

    id: str
    server: str
    message: str
    wanted: Wanted
    command: int
    seconds: float
    late: bool = False
    limit: float | None = None
    left: bool = False
    exposed: list[Exposure] = []
    conversations: list[Conversation] = []
    held_up: float = 0.0


class ProgramFacts(Traffic, frozen=True, kw_only=True, tag="program"):
    """What was recorded of a program's runs. ``first_line`` is its first line, ``\\xNN`` for what is no text."""

    program: str = ""
    first_line: str = ""
    executable: bool = False
    runs: list[RunFacts] = []
    run_of: Annotated[dict[str, str], Meta(description="Which run each attempt is about.")] = {}


ProgramEvidence = Evidence[ProgramLab, ProgramFacts]

"""What was recorded of a mail server."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from grader.kinds.server.declare import ServerLab
from grader.model.attempt import Attempt
from grader.model.diagnostic import Diagnostic
from grader.model.dns import KeyAnswer, KeyRecord
from grader.model.evidence import Evidence
from grader.model.plan import File, MachinePlan
from grader.model.traffic import Queued, Traffic


class RecordFile(Struct, frozen=True):
    """A file of records as it was handed in. A private key in it is left out."""

    name: str
    text: str


class SettingsFile(Struct, frozen=True):
    """A file of settings as it was handed in, under which name, and its place on the host.

    Of other files those alone are kept in which a character is not what it looks like.
    """

    name: str
    path: str
    text: str


class Published(Struct, frozen=True):
    """What a submission wants DNS to say: its files, the records in them, and what is wrong with them."""

    files: list[RecordFile]
    records: list[KeyRecord]
    complaints: list[Diagnostic]


class Socket(Struct, frozen=True):
    """A TCP port on which the host listens, and at which address: ``0.0.0.0`` and ``::`` are all of their family."""

    address: str
    port: int


class ServiceFacts(Struct, frozen=True):
    """A service beside Postfix: whether it ran when probing began, and whether it was stopped on purpose later."""

    name: str
    running: bool
    stopped: bool = False


class UntoldProgram(Struct, frozen=True):
    """A program of the submission's that may say yes to somebody, of which a run cannot tell to whom.

    ``services`` are those of master.cf that run it, ``words`` and ``line``, counted from one, the first sign of it.
    """

    name: str
    services: list[str]
    words: str
    line: int


class ServerPlan(MachinePlan, frozen=True, kw_only=True):
    """Everything that will be tried on a server."""

    attempts: list[Attempt]
    elsewhere: list[Attempt] = []
    """What is tried on every further port that the host turns out to listen on; see ``kinds.server.run.others``."""
    published: Published | None = None
    settings: list[SettingsFile] = []
    changeable: bool = False
    """Whether something in the submission may answer otherwise in a while: see ``kinds.server.run.comeback``."""
    feigned: bool = False
    """Whether it brings programs, and holds words with which Postfix refuses whom DNS does not know."""
    limited: bool = False
    """Whether it has limits for each client, of which Postfix tells in words of its own."""
    programs: bool = False
    """Whether the submission brings a program of its own: see ``kinds.server.run.doors``."""
    under_load: File | None = None
    """The master.cf of the same server under load, where its settings look at that: see ``kinds.server.plan.load``."""
    unheard: str = ""
    """The domain of other people that was drawn for this submission: see ``kinds.server.plan.clients``."""
    inner_ports: list[int] = []
    """Where master.cf has a program listen that none but Postfix's own can speak with."""
    untold: list[UntoldProgram] = []
    """Its programs of which a run cannot tell all that they decide."""
    explained_ports: list[int] = []
    """Where Postfix's own programs listen, as master.cf has it, and what Postfix asks there: that greets nobody."""


class ServerFacts(Traffic, frozen=True, kw_only=True, tag="server"):
    """What was recorded of a run of the student's mail server."""

    started_up: Annotated[bool, Meta(description="The server took connections in time.")] = True
    ended: Annotated[bool, Meta(description="Postfix's master had ended before probing did.")] = False
    sockets: Annotated[
        list[Socket], Meta(description="Where the host said that it listens, beyond loopback.")
    ] = []
    untried: Annotated[
        list[int],
        Meta(
            description="Further ports on which the host listened and nothing was tried: too many, or opened late."
        ),
    ] = []
    inner: Annotated[
        list[int],
        Meta(
            description="Further ports at which a program of Postfix's own listened that speaks with its others alone: "
            "nothing was tried there."
        ),
    ] = []
    unanswered: Annotated[
        list[str],
        Meta(
            description="Attempts that ought to be refused and were neither taken nor refused, not even when they were "
            "made again at the end."
        ),
    ] = []
    serving: Annotated[
        bool | None,
        Meta(
            description="Whether the server took once more, at the end, what it had taken before; asked only where "
            "attempts had no answer."
        ),
    ] = None
    put_off: Annotated[
        list[str],
        Meta(
            description="Attempts that a program of the server's may have put off: they were answered with a temporary "
            "refusal for as long as they were made again."
        ),
    ] = []
    shut: Annotated[
        list[str],
        Meta(
            description="Attempts at ports where a program of the submission's own may listen: it took the connection "
            "and greeted nobody, however long they waited and however often they came."
        ),
    ] = []
    untold: Annotated[
        list[UntoldProgram],
        Meta(
            description="Programs of the submission's that may say yes to somebody, without it showing in their text "
            "to whom: in a digest, a length, the time."
        ),
    ] = []
    queued: list[Queued] = []
    out_of_time: Annotated[
        bool,
        Meta(description="The time for the run was over: what was queued by then may have been on its way."),
    ] = False
    sought: Annotated[
        bool,
        Meta(description="Mail that was taken and was to arrive nowhere was looked for on the host too."),
    ] = False
    unheard: Annotated[
        str, Meta(description="The domain of other people that was drawn for this submission alone.")
    ] = ""
    services: Annotated[list[ServiceFacts], Meta(description="The services beside Postfix.")] = []
    published: Annotated[
        Published | None,
        Meta(description="What the submission had DNS say, in a lab that publishes records."),
    ] = None
    settings: Annotated[
        list[SettingsFile], Meta(description="The settings as they were handed in; older evidence has none.")
    ] = []
    keys: Annotated[
        list[KeyAnswer],
        Meta(description="What DNS answered for the keys that signatures named and those published."),
    ] = []


ServerEvidence = Evidence[ServerLab, ServerFacts]

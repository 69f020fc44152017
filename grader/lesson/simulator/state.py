"""What a session remembers, and the facts about it that rules ask for."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct, field

from grader.lesson.simulator.logins import LoginStep
from grader.lesson.simulator.mailing import Message, SimulatedTransaction
from grader.lesson.simulator.server import SimulatedClient, SimulatedListener
from grader.lesson.simulator.table import DecisionRule, DeclaredTable, Table, Value

Facts = dict[str, Value]
"""What is known, by the names that the table's conditions use."""

Names = dict[str, str]
"""What the names in braces of a reply stand for."""


class Chunk(Struct):
    """A chunk of BDAT on its way: ``rule`` answers it once ``missing`` octets are there."""

    rule: DecisionRule
    length: int
    missing: int
    final: bool
    text: str = ""


class State(Struct):
    """A session's memory. ``met`` is the greylist: in which transaction a sender and a recipient met first."""

    server: DeclaredTable
    listener: SimulatedListener
    client: SimulatedClient
    switches: frozenset[str]
    tls: bool
    connected: bool = True
    helo: bool = False
    esmtp: bool = False
    user: str = ""
    errors: int = 0
    idle: int = 0
    queued: int = 0
    transactions: int = 0
    met: dict[str, int] = {}
    mail: SimulatedTransaction = field(default_factory=SimulatedTransaction)
    message: Message | None = None
    chunk: Chunk | None = None
    coming: tuple[int, bool] = (0, False)
    step: LoginStep = LoginStep("")
    mechanism: str = ""
    asked: bool = False

    @property
    def mode(self) -> str:
        """What the next line is: a ``command``, an answer to a ``login``, or a line of a ``message`` or ``chunk``."""
        return "chunk" if self.chunk else "message" if self.message else "login" if self.asked else "command"

    @property
    def lenient(self) -> bool:
        """Whether lines may end in a line feed alone: Postfix looks the other way for clients in ``mynetworks``
        (smtpd_forbid_bare_newline_exclusions), and then drops every carriage return before the line feed."""
        return self.client.trusted

    @property
    def limit(self) -> int:
        """The largest message, in octets."""
        limits = self.server.limits
        return limits.small_message if "size-limit" in self.switches else limits.message

    def facts(self) -> Facts:
        """What rules may ask at any time."""
        knows_logins = self.listener.tls != "none"
        return {
            **{switch.id: switch.id in self.switches for switch in self.server.switches},
            "tls-implicit": self.listener.tls == "implicit",
            "tls-demanded": self.listener.tls == "starttls",
            "tls": self.tls,
            "logins": knows_logins,
            "helo": self.helo,
            "user": self.user != "",
            "may-relay": self.client.trusted or self.user != "",
            "client-refused": knows_logins and self.user == "",
            "transaction": self.mail.open,
            "recipients": self.mail.recipients > 0,
            "chunking": self.mail.chunking,
        }

    def names(self) -> Names:
        """What replies may say at any time."""
        return {
            "host": self.server.host,
            "client": f"{self.client.name}[{self.client.address}]",
            "user": self.user,
            "sender": self.mail.sender,
            "limit": str(self.limit),
        }


def begin(table: Table, listener: str, client: str, switches: Iterable[str]) -> State:
    """The state of a new connection. ``listener``, ``client`` and ``switches`` are ids of the table."""
    server = table.server
    chosen = next(one for one in server.listeners if one.id == listener)
    return State(
        server=server,
        listener=chosen,
        client=next(one for one in server.clients if one.id == client),
        switches=frozenset(switches),
        tls=chosen.tls == "implicit",
    )

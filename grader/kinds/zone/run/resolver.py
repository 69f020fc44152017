"""A receiver's DNS client: asks one nameserver over UDP, and over TCP where the answer does not fit."""

from __future__ import annotations

import socket
from typing import Any, NamedTuple

import dns.name

from grader import interruption
from grader.formats.dns import messages
from grader.formats.dns.names import plain
from grader.model.deadline import Deadline, Effort

SECONDS = 30.0
"""How long an answer may take: it comes from this very process, and late where the machine has others to serve."""

LOOK_SECONDS = 1.0
"""How long an interrupt may go unnoticed while an answer is waited for."""

EFFORT_SECONDS = 20.0
ALL_SECONDS = 300.0
"""What all of a run's questions may take, of the processor and by the clock: a zone can be made to be slow, and must
not hold up a class."""

PAYLOAD = 1232
"""Octets of a datagram that this client takes (DNS flag day 2020)."""

LONGEST_NAME = 253
"""Characters of a name, without the dot at its end (RFC 1035 section 2.3.4)."""


class NoAnswer(Exception):
    """The nameserver did not answer, or answered that it cannot: try later."""


class TimeOver(NoAnswer):
    """Nothing more is asked of this zone: what was not asked yet says nothing about it."""


class Found(NamedTuple):
    """An answer: its code and the data of the type that was asked for, aliases followed.

    ``values`` are addresses and names as text, names without the dot at their end; MX as preference and name; TXT as
    its strings. ``texts`` are the same as master files write them.
    """

    rcode: str
    values: list[Any]
    texts: list[str]

    @property
    def exists(self) -> bool:
        """Whether the name exists (RFC 8020)."""
        return self.rcode != "NXDOMAIN"


NOTHING = Found("NXDOMAIN", [], [])


class Resolver:
    """Asks, and remembers the answers of one run. ``seconds`` is how long an answer may take.

    Whoever goes through many names gets ``NoAnswer`` for one of which DNS cannot tell, an alias of itself say, and
    ``TimeOver`` for all that are left.
    """

    def __init__(self, address: str, port: int, *, seconds: float = SECONDS) -> None:
        self.deadline = Effort(EFFORT_SECONDS, at_most=ALL_SECONDS)
        self._server = (address, port)
        self._seconds = seconds
        self._known: dict[tuple[str, str], Found | None] = {}
        self._asked = 0

    def ask(self, name: str, type_: str) -> Found:
        """What there is of a type at a name; nothing where no name can be such. Raises ``NoAnswer``."""
        # Its nameserver may wait for what an interrupt left locked, in this process's own imports.
        interruption.end_if_interrupted()
        if self.deadline.over:
            raise TimeOver("the time for this zone is over")
        key = (name.lower().rstrip("."), type_)
        if key not in self._known:
            self._known[key] = self._found(*key)
        found = self._known[key]
        if found is None:
            raise NoAnswer(f"no answer about {name} {type_}")
        return found

    def texts(self, name: str) -> list[bytes]:
        """The TXT records of a name, the strings of each joined (RFC 7208 section 3.3). Raises ``NoAnswer``."""
        return [b"".join(strings) for strings in self.ask(name, "TXT").values]

    def _found(self, name: str, type_: str) -> Found | None:
        labels = [label.encode("utf-8", "surrogateescape") for label in name.split(".")]
        if len(b".".join(labels)) > LONGEST_NAME or not all(0 < len(label) < 64 for label in labels):
            return NOTHING
        self._asked += 1
        query = messages.question(
            dns.name.Name([*labels, b""]), type_, identity=self._asked % 65_536, payload=PAYLOAD
        )
        try:
            response = self._exchange(query)
        except (OSError, messages.BadMessage):
            return None
        if response.rcode not in ("NOERROR", "NXDOMAIN"):
            return None
        data = list(response.of(type_))
        return Found(
            response.rcode, [_value(type_, rdata) for rdata in data], [_text(type_, rdata) for rdata in data]
        )

    def _exchange(self, query: bytes) -> messages.Response:
        """The response to a query; over TCP where a datagram was too small for it (RFC 7766)."""
        deadline = Deadline(self._seconds)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            link.connect(self._server)
            link.send(query)
            packet = b""
            while packet[:2] != query[:2]:
                link.settimeout(max(min(deadline.left, LOOK_SECONDS), 0.001))
                try:
                    packet = link.recv(PAYLOAD)
                except TimeoutError:
                    interruption.end_if_interrupted()
                    if deadline.over:
                        raise
        response = messages.response(packet)
        if not response.truncated:
            return response
        with socket.create_connection(self._server, self._seconds) as link, link.makefile("rb") as stream:
            link.sendall(len(query).to_bytes(2, "big") + query)
            return messages.response(stream.read(int.from_bytes(stream.read(2), "big")))


def _text(type_: str, rdata: Any) -> str:
    """An answer as a lab's author writes it: data as in a master file, a TXT as what readers get of it.

    Its strings are joined (RFC 7208 section 3.3, RFC 8461 section 3.1), as it does not matter where they were divided.
    """
    if type_ != "TXT":
        return str(rdata.to_text())
    return b"".join(rdata.strings).decode("utf-8", "backslashreplace")


def _value(type_: str, rdata: Any) -> Any:
    if type_ in ("TXT", "SPF"):
        return rdata.strings
    if type_ == "MX":
        return rdata.preference, plain(rdata.exchange)
    if type_ in ("CNAME", "NS", "PTR"):
        return plain(rdata.target)
    return rdata.to_text()

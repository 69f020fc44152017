"""Whom the terminal talks to: the simulated server, or the real one with the simulated one listening in."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from grader.lesson.simulator.real import RealServer
from grader.lesson.simulator.session import SimulatedReply, SimulatedSession, Status
from grader.lesson.simulator.table import Table
from grader.lesson.simulator.transcript import Scene
from grader.lesson.simulator.words import typed

WAITING = {"354": "message", "334": "login"}
"""Modes by the reply that begins them."""


class Responses(Struct, frozen=True):
    """What came back: replies with their reasons, and remarks on what happened besides."""

    replies: list[SimulatedReply]
    notes: list[str] = []


class SimulatedPeer(Protocol):
    """A server at the other end."""

    def connect(self) -> Responses:
        """Connect, and hear the greeting."""

    def say(self, lines: list[str]) -> Responses:
        """Send lines at once, and hear what is said to them."""

    def status(self) -> Status:
        """Where the session stands."""

    def hang_up(self) -> None:
        """Leave without a word."""


class Simulated:
    """The simulated server."""

    def __init__(self, table: Table, scene: Scene) -> None:
        self.session = SimulatedSession(table, scene.listener, scene.client, scene.switches)

    def connect(self) -> Responses:
        """See ``SimulatedPeer``."""
        return self._heard(self.session.connect())

    def say(self, lines: list[str]) -> Responses:
        """See ``SimulatedPeer``."""
        return self._heard(self.session.say(*map(typed, lines)))

    def status(self) -> Status:
        """See ``SimulatedPeer``."""
        return self.session.status()

    def hang_up(self) -> None:
        """See ``SimulatedPeer``."""
        self.session.state.connected = False

    def _heard(self, replies: list[SimulatedReply]) -> Responses:
        notes = ["TLS begins"] if replies and replies[-1].rule == "starttls-ready" else []
        if not self.session.state.connected:
            notes.append("the server hangs up")
        return Responses(replies, notes)


class Real:
    """The real server. The simulated one hears the same lines: it knows how many replies will come, and why.

    Where the two disagree this is said, and from there on the real one goes on alone.
    """

    def __init__(self, table: Table, scene: Scene, server: RealServer) -> None:
        self.shadow = Simulated(table, scene)
        self._server, self._scene = server, scene
        self._agree = True
        self._mode = "command"
        self._ended = ""

    def connect(self) -> Responses:
        """See ``SimulatedPeer``."""
        expected = self.shadow.connect()
        state = self.shadow.session.state
        self._conversation, answer = self._server.connect(
            state.client, state.listener, frozenset(self._scene.switches)
        )
        notes = [_tls(answer.certificate.version, answer.certificate.cipher)] if answer.certificate else []
        return self._heard(answer.replies, expected, notes)

    def say(self, lines: list[str]) -> Responses:
        """See ``SimulatedPeer``."""
        data = "".join(f"{typed(line)}\r\n" for line in lines).encode("utf-8", "surrogateescape")
        if self._agree:
            expected = self.shadow.say(lines)
            spoken = sum(bool(reply.lines) for reply in expected.replies)
            answer = self._conversation.say(data, spoken, closes=not self.shadow.session.state.connected)
        else:
            expected = Responses([])
            quiet = self._mode == "message" and "." not in lines
            answer = self._conversation.say(data, 0 if quiet else 1)
        notes = []
        if any(reply[0].startswith("220 2.0.0") for reply in answer.replies):
            begun = self._conversation.encrypt()
            if begun.certificate:
                notes.append(_tls(begun.certificate.version, begun.certificate.cipher))
        return self._heard(answer.replies, expected, notes)

    def status(self) -> Status:
        """See ``SimulatedPeer``; what only the simulated server knows is of the moment in which they still agreed."""
        status = self.shadow.status()
        return Status(
            connected=not self._ended,
            greeted=status.greeted,
            tls=status.tls,
            user=status.user,
            transaction=status.transaction,
            recipients=status.recipients,
            mode=status.mode if self._agree else self._mode,
            errors=status.errors,
        )

    def hang_up(self) -> None:
        """See ``SimulatedPeer``."""
        self._conversation.hang_up()
        self._ended = "closed"

    def _heard(self, real: list[list[str]], expected: Responses, notes: list[str]) -> Responses:
        simulated = [reply for reply in expected.replies if reply.lines]
        if self._agree and [_codes(reply) for reply in real] != [_codes(one.lines) for one in simulated]:
            self._agree = False
            told = "; ".join(one.lines[-1] for one in simulated) or "nothing"
            notes = [f"the simulator would have said here: {told}", *notes]
        reasons = simulated if self._agree else [SimulatedReply([], "", "", [])] * len(real)
        replies = [
            SimulatedReply(lines, reason.rule, reason.why, reason.see)
            for lines, reason in zip(real, reasons, strict=True)
        ]
        if real:
            self._mode = WAITING.get(real[-1][-1][:3], "command")
        self._ended = self._conversation.ended
        if self._ended:
            notes = [*notes, self._conversation.remark or "the server hangs up"]
        return Responses(replies, notes)


def _codes(lines: list[str]) -> list[str]:
    """What of a reply must be the same: its codes. Queue ids and the like differ."""
    return [
        " ".join(word for word in line.replace("-", " ", 1).split(" ")[:2] if word[:1].isdigit())
        for line in lines
    ]


def _tls(version: str, cipher: str) -> str:
    return f"TLS begins: {version}, {cipher}"

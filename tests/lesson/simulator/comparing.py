"""Plays scripts against a simulator and the real server side by side, and notes every line that differs."""

from __future__ import annotations

import re
from typing import NamedTuple

from grader.lesson.simulator.real import RealServer
from grader.lesson.simulator.session import SimulatedReply, SimulatedSession
from grader.lesson.simulator.table import Table
from tests.lesson.simulator.scripts import Script

QUEUED = re.compile(r"(queued as) [0-9A-F]+")
CODES = re.compile(r"([2-5][0-9]{2})(?:[ -]([245]\.[0-9]{1,3}\.[0-9]{1,3})(?![0-9.]))?")


class Difference(NamedTuple):
    """A step whose replies differ."""

    script: Script
    step: list[str]
    simulated: list[list[str]]
    real: list[list[str]]
    rules: list[str]

    def __str__(self) -> str:
        where = " ".join([self.script.client, self.script.listener, *sorted(self.script.switches)])
        return (
            f"{self.script.title} ({where})\n  C: {self.step!r}\n  simulated: {self.simulated} {self.rules}\n"
            f"  real:      {self.real}"
        )


class Comparison:
    """The sums of a comparison: sessions, lines sent, differences in codes and in texts; and every line ``heard``."""

    def __init__(self, table: Table, real: RealServer) -> None:
        self.sessions = self.lines = 0
        self.codes: list[Difference] = []
        self.texts: list[Difference] = []
        self.rules: dict[str, int] = {}
        self.heard: set[str] = set()
        self._table, self._real = table, real

    def play(self, script: Script) -> None:
        """Play one script until it ends or differs."""
        session = SimulatedSession(self._table, script.listener, script.client, script.switches)
        conversation, greeting = self._real.connect(
            session.state.client, session.state.listener, script.switches
        )
        self.sessions += 1
        try:
            if not self._same(
                script, ["(connect)"], session, session.connect(), greeting.replies, greeting.end
            ):
                return
            steps = list(script.steps)
            while steps:
                step = steps.pop(0)
                if _is_chunk(step[-1]) and not session.state.esmtp and steps:
                    # Without EHLO nothing may be sent ahead of a reply: whether Postfix sees a chunk behind its BDAT
                    # would be a matter of time.
                    step = [*step, *steps.pop(0)]
                if not session.state.connected:
                    break
                replies = session.say(*step)
                spoken = sum(bool(reply.lines) for reply in replies)
                data = "".join(f"{line}\r\n" for line in step).encode("utf-8", "surrogateescape")
                answer = conversation.say(data, spoken, closes=not session.state.connected)
                self.lines += len(step)
                if not self._same(script, step, session, replies, answer.replies, answer.end):
                    return
                if replies and replies[-1].rule == "starttls-ready":
                    assert not conversation.encrypt().end
        finally:
            conversation.hang_up()

    def _same(
        self,
        script: Script,
        step: list[str],
        session: SimulatedSession,
        replies: list[SimulatedReply],
        real: list[list[str]],
        end: str,
    ) -> bool:
        for reply in replies:
            self.rules[reply.rule] = self.rules.get(reply.rule, 0) + 1
        simulated = [reply.lines for reply in replies if reply.lines]
        self.heard.update(QUEUED.sub(r"\1 …", line) for reply in real for line in reply)
        difference = Difference(script, step, simulated, real, [reply.rule for reply in replies])
        if codes(simulated) != codes(real) or bool(end) == session.state.connected:
            self.codes.append(difference._replace(real=[*real, [f"({end})"]] if end else real))
            return False
        if texts(simulated) != texts(real):
            self.texts.append(difference)
        return True


def _is_chunk(line: str) -> bool:
    return line.split("\0")[0].strip().upper().startswith("BDAT")


def codes(replies: list[list[str]]) -> list[list[tuple[str, ...]]]:
    """Reply code and enhanced code of every line."""
    return [
        [found.groups("") if (found := CODES.match(line)) else ("", line) for line in reply]
        for reply in replies
    ]


def texts(replies: list[list[str]]) -> list[list[str]]:
    """Every line, queue ids left out."""
    return [[QUEUED.sub(r"\1 …", line) for line in reply] for reply in replies]

"""What pointers into sessions, messages, log, queue, DNS questions and commands lead to."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from grader.display.excerpts import Excerpt, cut, window
from grader.display.text import decoded
from grader.model.pointer import Pointer
from grader.model.sources import client_called, without_article
from grader.model.traffic import Arrival, Outcome, Queued, Session, Traffic

TITLES = {"log": "the server's log", "queue": "left in the queue", "query": "DNS questions"}


class TrafficExcerpts:
    """Look-ups into what was recorded; ``queued`` is what was left in the student's queue, where there is one."""

    def __init__(self, facts: Traffic, queued: list[Queued] | None = None) -> None:
        self.facts = facts
        self.queued = queued or []

    @cached_property
    def sessions(self) -> dict[int, Session]:
        """The sessions by their number."""
        return {session.id: session for session in self.facts.sessions}

    @cached_property
    def outcomes(self) -> dict[int, list[Outcome]]:
        """What was attempted in each session, in its order."""
        found: dict[int, list[Outcome]] = {}
        for outcome in self.facts.outcomes:
            if outcome.session is not None:
                found.setdefault(outcome.session, []).append(outcome)
        return found

    def holds(self, pointer: Pointer) -> bool:
        """Whether the evidence has the piece that a pointer names."""
        if pointer.span is not None:
            return False
        if pointer.kind == "session":
            session = self.sessions.get(pointer.id)
            return session is not None and (pointer.line is None or pointer.line < len(session.lines))
        if pointer.kind == "message":
            return any(
                arrival.id == pointer.id and (pointer.line or 0) <= arrival.raw.count(b"\n")
                for arrival in self.facts.arrivals
            )
        counts = {
            "log": len(self.facts.log),
            "queue": len(self.queued),
            "query": len(self.facts.queries),
            "command": len(self.facts.commands),
        }
        return pointer.line is None and pointer.id < counts.get(pointer.kind, 0)

    def excerpt(self, pointer: Pointer, rows: int) -> Excerpt | None:
        """At most ``rows`` lines around what a pointer means; ``None`` where the evidence does not hold it."""
        if not self.holds(pointer):
            return None
        if pointer.kind == "session":
            return self._session(self.sessions[pointer.id], pointer, rows)
        if pointer.kind == "message":
            return _message(next(a for a in self.facts.arrivals if a.id == pointer.id), pointer, rows)
        if pointer.kind == "command":
            command = self.facts.commands[pointer.id]
            lines = [("", line) for line in command.output.rstrip("\n").split("\n")]
            return cut(
                pointer, f"{' '.join(command.argv)} (exit code {command.code})", lines, range(rows), None
            )
        lines = [("", line) for line in self._listed(pointer.kind)]
        shown = window(range(len(lines)), pointer.id, rows)
        return cut(pointer, TITLES[pointer.kind], lines, shown, pointer.id)

    def _listed(self, kind: str) -> list[str]:
        if kind == "log":
            return self.facts.log
        if kind == "queue":
            return [f"{q.queue}: from <{q.sender}> to <{q.recipient}>: {q.reason}" for q in self.queued]
        return [f"{q.client} asked {q.name} {q.type}: {q.answer}" for q in self.facts.queries]

    def _session(self, session: Session, pointer: Pointer, rows: int) -> Excerpt:
        lines = [(line.who, line.text) for line in session.lines]
        shown: Iterable[int] = range(rows)
        if pointer.line is not None:
            shown = self._around(session, pointer.line, rows)
        return cut(pointer, session_title(session), lines, shown, pointer.line)

    def _around(self, session: Session, line: int, rows: int) -> list[int]:
        """Lines of the attempt that ``line`` is about, as several share a session: envelope, and what decided it."""
        whole = range(len(session.lines))
        for outcome in self.outcomes.get(session.id, ()):
            if outcome.first_line <= line <= outcome.last_line:
                attempt = whole[outcome.first_line : outcome.last_line + 1]
                head = attempt[: rows * 2 // 5] if len(attempt) > rows else attempt[:0]
                return sorted({*head, *window(attempt, line, rows - len(head))})
        return list(window(whole, line, rows))


def session_title(session: Session) -> str:
    """Who connected to what: ``stranger (198.51.100.66) → 203.0.113.10, port 25``."""
    client = without_article(client_called(session.source, session.address))
    return f"{client} → {session.server}, port {session.listener}"


def lines_by_session(pointers: Iterable[Pointer]) -> dict[int, set[int]]:
    """The decisive lines of each session that is pointed to."""
    found: dict[int, set[int]] = {}
    for pointer in pointers:
        if pointer.kind == "session":
            marked = found.setdefault(pointer.id, set())
            if pointer.line is not None:
                marked.add(pointer.line)
    return found


def _message(arrival: Arrival, pointer: Pointer, rows: int) -> Excerpt:
    outside = arrival.place == "outside"
    envelope = [f"MAIL FROM:<{arrival.sender}>"] if outside else []
    envelope += [f"RCPT TO:<{recipient}>" for recipient in arrival.recipients]
    lines = [("", line) for line in (*envelope, *decoded(arrival.raw).rstrip("\n").split("\n"))]
    title = f"{'taken by' if outside else 'found in'} {arrival.where}"
    if pointer.line is None:
        return cut(pointer, title, lines, range(rows), 1 if outside and arrival.recipients else None)
    decisive = min(len(envelope) + pointer.line, len(lines) - 1)
    # The rest of a folded field follows its first line; what stands before it is of less interest.
    begin = max(0, decisive - min(2, rows // 2))
    return cut(pointer, title, lines, range(begin, begin + rows), decisive)

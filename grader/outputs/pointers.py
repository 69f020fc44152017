"""What a result's pointers lead to: the lines of the evidence that decided a check, and those around them.

A pointer is ``session:12`` (a session), ``session:12:34`` (its line at index 34), ``message:3``, ``log:7``, ``queue:2``,
``query:5`` or ``command:1``. Terminal and HTML show the same excerpts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

from grader.model.evidence import Evidence, Outcome, Session
from grader.model.result import CheckResult, Result
from grader.outputs.text import decoded

Kind = Literal["session", "message", "log", "queue", "query", "command"]


@dataclass(frozen=True)
class Pointer:
    """A pointer taken apart; ``line`` is an index, for sessions only."""

    kind: Kind
    id: int
    line: int | None = None

    @property
    def anchor(self) -> str:
        """Its place in the HTML report: ``session-12-34``."""
        return f"{self.kind}-{self.id}" + (f"-{self.line}" if self.line is not None else "")


@dataclass(frozen=True)
class Row:
    """A line of an excerpt. ``who`` is ``C``, ``S``, ``*`` or empty; ``number`` counts from 1."""

    number: int
    who: str
    text: str
    decisive: bool = False


@dataclass(frozen=True)
class Excerpt:
    """Lines around a decisive one, and how many of the same source stand before and behind them."""

    pointer: Pointer
    title: str
    rows: list[Row]
    before: int = 0
    after: int = 0

    @property
    def name(self) -> str:
        """What the hidden lines are lines of: ``session 12``."""
        return "the log" if self.pointer.kind == "log" else f"{self.pointer.kind} {self.pointer.id}"


def parse(pointer: str) -> Pointer | None:
    """A pointer taken apart, ``None`` where it is of no known form."""
    kind, _, rest = pointer.partition(":")
    if kind not in get_args(Kind):
        return None
    parts = rest.split(":")
    if not 1 <= len(parts) <= 2 or not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        return None
    return Pointer(kind, int(parts[0]), int(parts[1]) if len(parts) == 2 else None)  # type: ignore[arg-type]


class Resolver:
    """Look-ups into one evidence document, which may be missing (a result shown without it)."""

    def __init__(self, evidence: Evidence | None) -> None:
        self.evidence = evidence

    @cached_property
    def sessions(self) -> dict[int, Session]:
        """The sessions by their number."""
        return {session.id: session for session in self.evidence.sessions} if self.evidence else {}

    @cached_property
    def outcomes(self) -> dict[int, list[Outcome]]:
        """What was attempted in each session, in its order."""
        found: dict[int, list[Outcome]] = {}
        for outcome in self.evidence.outcomes if self.evidence else ():
            if outcome.session is not None:
                found.setdefault(outcome.session, []).append(outcome)
        return found

    def pointed(self, result: Result) -> list[Pointer]:
        """Everything that the result's checks point to and that the evidence holds, each once, in the result's order."""
        texts = (pointer for check in result.checks for pointer in check.evidence)
        return list(dict.fromkeys(found for text in texts if (found := parse(text)) and self._holds(found)))

    def excerpts(self, check: CheckResult, *, rows: int) -> tuple[list[Excerpt], int]:
        """Excerpts of at most ``rows`` lines for a check, and how many further pointers it has.

        Several pointers into one session give one excerpt. The first of each kind tells the story; the others repeat it.
        """
        first: dict[Kind, Pointer] = {}
        known = [found for text in check.evidence if (found := parse(text)) and self._holds(found)]
        for pointer in known:
            first.setdefault(pointer.kind, pointer)
        shown = [excerpt for pointer in first.values() if (excerpt := self.excerpt(pointer, rows=rows))]
        return shown, len(known) - len(shown)

    def excerpt(self, pointer: Pointer, *, rows: int) -> Excerpt | None:
        """At most ``rows`` lines around what a pointer means; ``None`` where the evidence does not hold it."""
        if not self._holds(pointer) or self.evidence is None:
            return None
        evidence = self.evidence
        if pointer.kind == "session":
            return self._session(self.sessions[pointer.id], pointer, rows)
        if pointer.kind == "log":
            window = _window(len(evidence.log), pointer.id, rows)
            return _cut(pointer, "the server's log", [("", line) for line in evidence.log], window, pointer.id)
        if pointer.kind == "message":
            arrival = next(arrival for arrival in evidence.arrivals if arrival.id == pointer.id)
            envelope = [("", f"MAIL FROM:<{arrival.sender}>")] if arrival.place == "outside" else []
            envelope += [("", f"RCPT TO:<{recipient}>") for recipient in arrival.recipients]
            lines = envelope + [("", line) for line in decoded(arrival.raw).rstrip("\n").split("\n")]
            place = f"arrived outside, at {arrival.where}" if arrival.place == "outside" else f"in {arrival.where}"
            return _cut(pointer, f"message {arrival.id}, {place}", lines, range(min(rows, len(lines))), None)
        if pointer.kind == "queue":
            entry = evidence.queued[pointer.id]
            text = f"{entry.queue}: from <{entry.sender}> to <{entry.recipient}>: {entry.reason}"
            return Excerpt(pointer, "left in the queue", [Row(pointer.id + 1, "", text, True)])
        if pointer.kind == "query":
            query = evidence.queries[pointer.id]
            text = f"{query.client} asked {query.name} {query.type}: {query.answer}"
            return Excerpt(pointer, "a DNS query", [Row(pointer.id + 1, "", text, True)])
        command = evidence.commands[pointer.id]
        lines = [("", line) for line in command.output.rstrip("\n").split("\n")]
        title = f"{' '.join(command.argv)} (exit code {command.code})"
        return _cut(pointer, title, lines, range(min(rows, len(lines))), None)

    def _session(self, session: Session, pointer: Pointer, rows: int) -> Excerpt:
        lines = [(line.who, line.text) for line in session.lines]
        if pointer.line is None:
            window = range(min(rows, len(lines)))
        else:
            window = self._transaction(session, pointer.line, rows)
        return _cut(pointer, session_title(session), lines, window, pointer.line)

    def _transaction(self, session: Session, line: int, rows: int) -> range:
        """The attempt's own lines where they fit; a session is shared by several attempts."""
        for outcome in self.outcomes.get(session.id, ()):
            if outcome.first_line <= line <= outcome.last_line:
                last = min(outcome.last_line, len(session.lines) - 1)
                if last - outcome.first_line < rows:
                    return range(outcome.first_line, last + 1)
        return _window(len(session.lines), line, rows)

    def _holds(self, pointer: Pointer) -> bool:
        evidence = self.evidence
        if evidence is None:
            return False
        if pointer.kind == "session":
            session = self.sessions.get(pointer.id)
            return session is not None and (pointer.line is None or pointer.line < len(session.lines))
        if pointer.kind == "message":
            return any(arrival.id == pointer.id for arrival in evidence.arrivals)
        listed: dict[str, Sequence[object]] = {
            "log": evidence.log,
            "queue": evidence.queued,
            "query": evidence.queries,
            "command": evidence.commands,
        }
        return pointer.id < len(listed[pointer.kind])


def session_title(session: Session) -> str:
    """Who connected to what: ``stranger 198.51.100.66 → 203.0.113.10, port 25``."""
    return f"{session.source} {session.address} → {session.server}, port {session.listener}"


def lines_by_session(pointers: Iterable[Pointer]) -> dict[int, set[int]]:
    """The decisive lines of each session that is pointed to."""
    found: dict[int, set[int]] = {}
    for pointer in pointers:
        if pointer.kind == "session":
            marked = found.setdefault(pointer.id, set())
            if pointer.line is not None:
                marked.add(pointer.line)
    return found


def _window(length: int, middle: int, rows: int) -> range:
    """``rows`` indexes around ``middle``, two thirds of them before it: what led there explains it."""
    first = max(0, min(middle - rows * 2 // 3, length - rows))
    return range(first, min(length, first + rows))


def _cut(
    pointer: Pointer, title: str, lines: list[tuple[str, str]], window: range, decisive: int | None
) -> Excerpt:
    rows = [Row(index + 1, *lines[index], decisive=index == decisive) for index in window]
    return Excerpt(pointer, title, rows, before=window.start, after=len(lines) - window.stop)

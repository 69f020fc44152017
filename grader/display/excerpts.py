"""What a result's pointers lead to: the lines of the evidence that decided a check, and those around them.

A pointer is ``session:12`` (a session), ``session:12:34`` (its line at index 34), ``message:3`` or ``message:3:5``,
``log:7``, ``queue:2``, ``query:5`` or ``command:1``; of keys, ``file:0:2`` (a line of a file of records) or ``key:1``
(what DNS answered); of a zone, ``zone:8:19:4`` (four characters of its line at index 8) or ``case:3`` (what receivers
made of a message). Terminal and HTML show the same excerpts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

from grader.display.text import decoded
from grader.model.evidence import Evidence
from grader.model.result import CheckResult, Result
from grader.model.traffic import Arrival, Outcome, Session

Kind = Literal["session", "message", "log", "queue", "query", "command", "zone", "case", "file", "key"]
PARTS = {"session": 2, "message": 2, "file": 2, "zone": 3}
"""How many numbers a pointer of these kinds may have; of others one."""


@dataclass(frozen=True)
class Pointer:
    """A pointer taken apart; ``line`` is an index; ``span`` column and length, for zones only."""

    kind: Kind
    id: int
    line: int | None = None
    span: tuple[int, int] | None = None

    @property
    def anchor(self) -> str:
        """Its place in the HTML report: ``session-12-34``; what is one block there has one place."""
        within = self.line is not None and self.kind == "session"
        return f"{self.kind}-{self.id}" + (f"-{self.line}" if within else "")

    @property
    def name(self) -> str:
        """In words, where lines count from 1 as people's do: ``session 12, line 35``."""
        if self.kind in ("log", "zone"):
            return f"{self.kind}, line {self.id + 1}"
        return f"{self.kind} {self.id}" + (f", line {self.line + 1}" if self.line is not None else "")


@dataclass(frozen=True)
class Row:
    """A line of an excerpt. ``who`` is ``C``, ``S``, ``*`` or empty; ``number`` counts from 1.

    ``marks`` are where marked characters begin and end, in their order.
    """

    number: int
    who: str
    text: str
    decisive: bool = False
    marks: tuple[tuple[int, int], ...] = ()

    def parts(self) -> Iterator[tuple[str, bool]]:
        """The text in pieces, each marked or not."""
        at = 0
        for start, end in self.marks:
            yield self.text[at:start], False
            yield self.text[max(at, start) : end], True
            at = max(at, end)
        yield self.text[at:], False

    @property
    def said_by(self) -> str:
        """What a transcript writes before the text: ``C:``, ``S:``, ``*`` for a remark, nothing elsewhere."""
        return f"{self.who}:" if self.who in ("C", "S") else self.who


@dataclass(frozen=True)
class Excerpt:
    """Lines around a decisive one, out of ``total`` lines of the same source; between them some may be left out."""

    pointer: Pointer
    title: str
    rows: list[Row]
    total: int

    @property
    def name(self) -> str:
        """What the hidden lines are lines of: ``session 12``."""
        names = {"log": "the log", "zone": "the zone"}
        return names.get(self.pointer.kind, f"{self.pointer.kind} {self.pointer.id}")

    def with_gaps(self) -> Iterator[Row | int]:
        """The rows, and between them how many lines are left out there."""
        next_number = 1
        for row in self.rows:
            if row.number > next_number:
                yield row.number - next_number
            yield row
            next_number = row.number + 1
        if self.total >= next_number:
            yield self.total - next_number + 1


def parse(pointer: str) -> Pointer | None:
    """A pointer taken apart, ``None`` where it is of no known form."""
    kind, _, rest = pointer.partition(":")
    if kind not in get_args(Kind):
        return None
    parts = rest.split(":")
    if len(parts) > PARTS.get(kind, 1) or not all(
        part.isascii() and part.isdigit() and len(part) < 10 for part in parts
    ):
        return None
    if kind == "zone":
        return (
            Pointer("zone", int(parts[0]), span=(int(parts[1]), int(parts[2]))) if len(parts) == 3 else None
        )
    return Pointer(kind, int(parts[0]), int(parts[1]) if len(parts) == 2 else None)  # type: ignore[arg-type]


class Excerpts:
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
        """What the result's checks point to and the evidence holds, each once, in the result's order."""
        texts = (pointer for check in result.checks for pointer in check.evidence)
        return list(dict.fromkeys(found for text in texts if (found := parse(text)) and self.holds(found)))

    def excerpts(self, check: CheckResult, *, rows: int) -> tuple[list[Excerpt], int]:
        """Excerpts of at most ``rows`` lines for a check, and how many further pointers it has.

        The first pointer of each kind tells the story; the others tell it again for other forms and listeners.
        """
        first: dict[Kind, Pointer] = {}
        known = [found for text in check.evidence if (found := parse(text)) and self.holds(found)]
        for pointer in known:
            first.setdefault(pointer.kind, pointer)
        shown = [excerpt for pointer in first.values() if (excerpt := self.excerpt(pointer, rows=rows))]
        if "zone" in first and self.evidence is not None and self.evidence.zone is not None:
            from grader.kinds.zone.show.parts import file_excerpt

            marked = [pointer for pointer in known if pointer.kind == "zone"]
            whole = file_excerpt(self.evidence.zone, marked, rows)
            shown = [whole if excerpt.pointer.kind == "zone" else excerpt for excerpt in shown]
            known = [pointer for pointer in known if pointer not in marked[1:]]
        return shown, len(known) - len(shown)

    def excerpt(self, pointer: Pointer, *, rows: int) -> Excerpt | None:
        """At most ``rows`` lines around what a pointer means; ``None`` where the evidence does not hold it."""
        if not self.holds(pointer) or self.evidence is None:
            return None
        evidence = self.evidence
        if pointer.kind in ("zone", "case"):
            from grader.kinds.zone.show import parts as zoneparts

            return zoneparts.excerpt(evidence, pointer, rows)
        if pointer.kind in ("file", "key"):
            from grader.kinds.server.show import dkim as signparts

            return signparts.excerpt(evidence, pointer, rows)
        if pointer.kind == "session":
            return self._session(self.sessions[pointer.id], pointer, rows)
        if pointer.kind == "message":
            return _message(next(a for a in evidence.arrivals if a.id == pointer.id), pointer, rows)
        if pointer.kind == "command":
            command = evidence.commands[pointer.id]
            lines = [("", line) for line in command.output.rstrip("\n").split("\n")]
            title = f"{' '.join(command.argv)} (exit code {command.code})"
            return cut(pointer, title, lines, range(rows), None)
        lines = [("", line) for line in _listed(evidence, pointer.kind)]
        title = {"log": "the server's log", "queue": "left in the queue", "query": "DNS questions"}[
            pointer.kind
        ]
        return cut(pointer, title, lines, window(range(len(lines)), pointer.id, rows), pointer.id)

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

    def holds(self, pointer: Pointer) -> bool:
        """Whether the evidence has what a pointer means."""
        evidence = self.evidence
        if evidence is None:
            return False
        if pointer.kind == "session":
            session = self.sessions.get(pointer.id)
            return session is not None and (pointer.line is None or pointer.line < len(session.lines))
        if pointer.kind == "message":
            return any(
                arrival.id == pointer.id and (pointer.line or 0) <= arrival.raw.count(b"\n")
                for arrival in evidence.arrivals
            )
        listed: dict[str, Sequence[object]] = {
            "log": evidence.log,
            "queue": evidence.queued,
            "query": evidence.queries,
            "command": evidence.commands,
            "zone": evidence.zone.lines if evidence.zone else [],
            "case": evidence.zone.receptions if evidence.zone else [],
            "key": evidence.keys,
            "file": evidence.published.files if evidence.published else [],
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


def _listed(evidence: Evidence, kind: Kind) -> list[str]:
    if kind == "log":
        return evidence.log
    if kind == "queue":
        return [f"{q.queue}: from <{q.sender}> to <{q.recipient}>: {q.reason}" for q in evidence.queued]
    return [f"{q.client} asked {q.name} {q.type}: {q.answer}" for q in evidence.queries]


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
    begin = max(0, decisive - 2)
    return cut(pointer, title, lines, range(begin, begin + rows), decisive)


def window(within: range, middle: int, rows: int) -> range:
    """``rows`` indexes around ``middle``, three quarters of them before it: what led there explains it."""
    offset = max(0, min(middle - within.start - rows * 3 // 4, len(within) - rows))
    return within[offset : offset + rows]


def cut(
    pointer: Pointer, title: str, lines: Sequence[tuple[str, str]], shown: Iterable[int], decisive: int | None
) -> Excerpt:
    """An excerpt of the ``lines`` (who, text) at the indexes ``shown``, the one at ``decisive`` marked."""
    wanted = {index for index in shown if index < len(lines)}
    # To say that one line is left out takes a line.
    known = wanted | {-1, len(lines)}
    wanted |= {index for index in range(len(lines)) if {index - 1, index + 1} <= known}
    rows = [Row(index + 1, *lines[index], decisive=index == decisive) for index in sorted(wanted)]
    return Excerpt(pointer, title, rows, len(lines))

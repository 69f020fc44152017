"""Evidence arranged for the HTML report: what a check points to line by line, the rest folded and compact.

A run has some 150 sessions. What does not fit into the report is counted there, never dropped without a word.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape
from msgspec import Struct

from grader.display.excerpts import ExcerptRow
from grader.display.sentences import count
from grader.display.text import decoded, visible
from grader.kinds.traffic.excerpts import TrafficExcerpts, lines_by_session, session_title
from grader.kinds.traffic.narrative import TROUBLE
from grader.model.pointer import Pointer
from grader.model.traffic import Arrival, Command, Outcome, Query, Queued, Session

BUDGET = 600_000
"""Characters of transcripts, messages, log and command output in one report."""
LONGEST_LINE = 2_000
LONGEST_BLOCK = 60_000
MOST_NOTED = 20
_SAID = {"C": "C: ", "S": "S: ", "*": "* "}
"""How a transcript writes who said a line."""


class SessionView(Struct, frozen=True):
    """A session; ``rows`` line by line where a check points to it, otherwise ``text`` as one block."""

    session: Session
    title: str
    outcome: str
    rows: list[ExcerptRow] = []
    text: str = ""
    open: bool = False


class MessageView(Struct, frozen=True):
    """A message that arrived, its text, and whether a check points to it."""

    arrival: Arrival
    title: str
    text: str
    decisive: bool


class TrafficView(Struct, frozen=True):
    """Everything that the report's second half shows."""

    pointed: list[SessionView]
    others: list[SessionView]
    messages: list[MessageView]
    queued: list[tuple[Queued, bool]]
    queries: list[tuple[Query, bool]]
    commands: list[tuple[Command, str, bool]]
    noted: list[tuple[int, str]]
    noted_more: int
    log: Markup
    log_lines: int


class ReportBudget:
    """How much text may still go into the report."""

    def __init__(self, characters: int) -> None:
        self.left = characters

    def line(self, text: str) -> str:
        """A line, with a remark where its end is left out."""
        if (more := len(text) - LONGEST_LINE) > 0:
            text = f"{text[:LONGEST_LINE]} … {more:,} more characters in the evidence document"
        self.left -= len(text)
        return text

    def block(self, lines: Iterable[str]) -> str:
        """Lines as one text, with a remark where the last ones are left out."""
        all_lines = list(lines)
        left, whole = min(self.left, LONGEST_BLOCK), "\n".join(all_lines)
        if len(whole) < left and max(map(len, all_lines), default=0) <= LONGEST_LINE:
            self.left -= len(whole) - max(0, len(all_lines) - 1)
            return whole
        kept: list[str] = []
        for text in all_lines:
            line = self.line(text)
            left -= len(line) + 1
            if left < 0:
                self.left += len(line)
                break
            kept.append(line)
        if more := len(all_lines) - len(kept):
            kept.append(f"… {count(more, 'more line')} in the evidence document")
        return "\n".join(kept)


def traffic_view(known: TrafficExcerpts, pointers: Sequence[Pointer]) -> TrafficView:
    """Arrange evidence; what ``pointers`` lead to is taken first, so that it fits in any case."""
    facts, budget = known.facts, ReportBudget(BUDGET)
    marked = lines_by_session(pointers)
    wanted = {
        kind: {p.id for p in pointers if p.kind == kind}
        for kind in ("message", "log", "queue", "query", "command")
    }
    opened = set(list(marked)[:1])
    pointed = [
        _line_by_line(known.sessions[number], marked[number], known, budget, number in opened)
        for number in marked
    ]
    messages = sorted(facts.arrivals, key=lambda arrival: arrival.id not in wanted["message"])
    shown = [_message(arrival, arrival.id in wanted["message"], budget) for arrival in messages]
    noted = [
        (index, line)
        for index, line in enumerate(facts.log)
        if TROUBLE.search(line) or index in wanted["log"]
    ]
    commands = [
        (
            command,
            budget.block(command.output.rstrip("\n").split("\n")) if command.output else "",
            n in wanted["command"],
        )
        for n, command in enumerate(facts.commands)
    ]
    log = _log(facts.log, wanted["log"], budget)
    return TrafficView(
        pointed=pointed,
        others=[_compact(s, known, budget) for s in facts.sessions if s.id not in marked],
        messages=shown,
        queued=[(entry, n in wanted["queue"]) for n, entry in enumerate(known.queued)],
        queries=[(query, n in wanted["query"]) for n, query in enumerate(facts.queries)],
        commands=commands,
        noted=[(index, budget.line(line)) for index, line in noted[:MOST_NOTED]],
        noted_more=max(0, len(noted) - MOST_NOTED),
        log=log,
        log_lines=len(facts.log),
    )


def _line_by_line(
    session: Session, marked: set[int], known: TrafficExcerpts, budget: ReportBudget, opened: bool
) -> SessionView:
    rows: list[ExcerptRow] = []
    left = LONGEST_BLOCK
    last = max(marked, default=0)
    for index, line in enumerate(session.lines):
        text = budget.line(line.text)
        left -= len(text)
        if (left < 0 or budget.left < 0) and index > last:
            more = len(session.lines) - index
            rows.append(ExcerptRow(index + 1, "*", f"{count(more, 'more line')} in the evidence document"))
            break
        rows.append(ExcerptRow(index + 1, line.who, text, index in marked))
    return SessionView(session, session_title(session), _became(session, known), rows=rows, open=opened)


def _compact(session: Session, known: TrafficExcerpts, budget: ReportBudget) -> SessionView:
    text = budget.block([f"{_SAID[line.who]}{line.text}" for line in session.lines])
    return SessionView(session, session_title(session), _became(session, known), text=text)


def _became(session: Session, known: TrafficExcerpts) -> str:
    """What became of a session's attempts: ``5 attempts: 1 accepted``."""
    outcomes = known.outcomes.get(session.id, [])
    if not outcomes:
        return session.end
    return f"{count(len(outcomes), 'attempt')}{_accepted(outcomes)}"


def _accepted(outcomes: list[Outcome]) -> str:
    mail = [outcome for outcome in outcomes if outcome.stage != "said"]
    if not mail:
        return ""
    accepted = sum(outcome.stage == "accepted" for outcome in mail)
    return f", {accepted} accepted" if accepted else ", none accepted"


def _message(arrival: Arrival, decisive: bool, budget: ReportBudget) -> MessageView:
    title = f"taken by {arrival.where}" if arrival.place == "outside" else f"found in {arrival.where}"
    return MessageView(arrival, title, budget.block(decoded(arrival.raw).rstrip("\n").split("\n")), decisive)


def _log(lines: list[str], marked: set[int], budget: ReportBudget) -> Markup:
    """The log as one block, in which the lines that a check points to are marked and have anchors."""
    kept = budget.block(lines)
    # Escaped as a whole, which leaves line feeds as they are: most of its lines stay as they come of that.
    parts = str(escape(visible(kept))).split("\n")
    for index, line in enumerate(kept.split("\n")):
        if index in marked:
            parts[index] = f'<mark id="log-{index}">{parts[index]}</mark>'
        elif TROUBLE.search(line):
            parts[index] = f"<b>{parts[index]}</b>"
    return Markup("\n".join(parts))  # noqa: S704

"""What reports draw of a program's runs: an annotated dialogue, sessions, messages, output."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from grader.display.excerpts import Excerpt, of_each_kind
from grader.display.sentences import count, counted
from grader.kinds.base import Section, in_no_file
from grader.kinds.program.facts import ProgramEvidence, ProgramFacts
from grader.kinds.traffic.dialogue import annotated
from grader.kinds.traffic.excerpts import TrafficExcerpts
from grader.model.pointer import Pointer
from grader.model.traffic import Session

if TYPE_CHECKING:
    from rich.console import RenderableType

    from grader.display.screen import Screen

__all__ = ["TEMPLATES", "excerpts", "exemplary", "holds", "narrative", "place", "screen", "sections"]

TEMPLATES = None
place = in_no_file


def narrative(evidence: ProgramEvidence) -> Iterator[str]:
    """See ``grader.kinds.base.Show``."""
    facts = evidence.facts
    servers = count(len({run.server for run in facts.runs}), "submission server")
    yield f"{facts.program} was run {count(len(facts.runs), 'time')}, against {servers}."
    if late := sum(run.late for run in facts.runs):
        yield f"{counted(late, 'run')} still going when the time was over, and killed."
    if facts.sessions:
        yield (
            f"It made {count(len(facts.sessions), 'connection')}, and the servers took "
            f"{count(len(facts.arrivals), 'message')}."
        )


def holds(evidence: ProgramEvidence, pointer: Pointer) -> bool:
    """See ``grader.kinds.base.Show``."""
    return TrafficExcerpts(evidence.facts).holds(pointer)


def excerpts(evidence: ProgramEvidence, pointers: Sequence[Pointer], rows: int) -> tuple[list[Excerpt], int]:
    """See ``grader.kinds.base.Show``."""
    known = TrafficExcerpts(evidence.facts)
    return of_each_kind(pointers, lambda pointer: known.excerpt(pointer, rows))


def exemplary(facts: ProgramFacts) -> Session | None:
    """The session to show line by line: the first in which a message was taken, or else the longest."""
    sessions = {session.id: session for session in facts.sessions}
    for run in facts.runs:
        for conversation in run.conversations:
            if any(transaction.taken for transaction in conversation.transactions):
                return sessions.get(conversation.session)
    return max(facts.sessions, key=lambda session: len(session.lines), default=None)


def sections(evidence: ProgramEvidence, pointers: Sequence[Pointer]) -> Iterable[Section]:
    """See ``grader.kinds.base.Show``."""
    from grader.kinds.traffic.views import traffic_view

    facts = evidence.facts
    if (session := exemplary(facts)) is not None:
        yield Section("dialogue.html.j2", {"dialogue": annotated(session)})
    view = traffic_view(TrafficExcerpts(facts), pointers)
    yield Section("traffic.html.j2", {"evidence": view, "commands": "Runs of the program"})


def screen(evidence: ProgramEvidence, screen: Screen) -> Iterator[RenderableType]:
    """See ``grader.kinds.base.Show``: a dialogue, step by step."""
    from grader.kinds.traffic.terminal import dialogue

    if (session := exemplary(evidence.facts)) is not None:
        yield from dialogue(annotated(session))

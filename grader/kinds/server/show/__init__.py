"""What reports draw of a run of the student's server: sessions, messages, log, queue; and of signatures and keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from grader.display.excerpts import Excerpt, of_each_kind
from grader.display.sentences import count
from grader.kinds.base import Section
from grader.kinds.server.facts import ServerEvidence
from grader.kinds.traffic import narrative as told
from grader.kinds.traffic.excerpts import TrafficExcerpts
from grader.model.diagnostic import FilePlace, Span
from grader.model.pointer import Pointer

if TYPE_CHECKING:
    from rich.console import RenderableType

    from grader.display.screen import Screen

__all__ = ["TEMPLATES", "excerpts", "holds", "narrative", "place", "screen", "sections"]

TEMPLATES = None
OF_DNS = ("file", "key")
"""Pieces that only labs have that publish records."""


def narrative(evidence: ServerEvidence) -> Iterator[str]:
    """See ``grader.kinds.base.Show``."""
    facts = evidence.facts
    yield from told.listening(facts)
    yield from told.probing(facts)
    if facts.published is not None:
        from grader.kinds.server.show.dkim import sentences

        yield from sentences(evidence, facts)
    if facts.queued:
        yield f"{count(len(facts.queued), 'recipient')} still waited in the queue at the end."
    yield from told.aftermath(facts)


def holds(evidence: ServerEvidence, pointer: Pointer) -> bool:
    """See ``grader.kinds.base.Show``."""
    facts = evidence.facts
    if pointer.kind in OF_DNS and pointer.span is None:
        files = facts.published.files if facts.published else []
        return pointer.id < len(files if pointer.kind == "file" else facts.keys)
    return TrafficExcerpts(facts, facts.queued).holds(pointer)


def place(evidence: ServerEvidence, pointer: Pointer) -> FilePlace | None:
    """See ``grader.kinds.base.Show``: of the files handed in, the evidence holds those with records for DNS."""
    published = evidence.facts.published
    if published is None or pointer.kind != "file" or not holds(evidence, pointer):
        return None
    span = None if pointer.line is None else Span(pointer.line, 0, 0)
    return FilePlace(published.files[pointer.id].name, span)


def excerpts(evidence: ServerEvidence, pointers: Sequence[Pointer], rows: int) -> tuple[list[Excerpt], int]:
    """See ``grader.kinds.base.Show``."""
    facts = evidence.facts
    known = TrafficExcerpts(facts, facts.queued)

    def excerpt(pointer: Pointer) -> Excerpt | None:
        if pointer.kind not in OF_DNS:
            return known.excerpt(pointer, rows)
        from grader.kinds.server.show.dkim import excerpt as of_dns

        return of_dns(facts, pointer, rows)

    return of_each_kind(pointers, excerpt)


def sections(evidence: ServerEvidence, pointers: Sequence[Pointer]) -> Iterable[Section]:
    """See ``grader.kinds.base.Show``."""
    from grader.kinds.traffic.views import traffic_view

    facts = evidence.facts
    if facts.published is not None:
        from grader.kinds.server.show.dkim import view

        yield Section("signatures.html.j2", {"signing": view(evidence, facts, pointers)}, "zone.css")
    shown = traffic_view(TrafficExcerpts(facts, facts.queued), pointers)
    yield Section("traffic.html.j2", {"evidence": shown, "commands": "Commands on the server"})


def screen(evidence: ServerEvidence, screen: Screen) -> Iterator[RenderableType]:
    """See ``grader.kinds.base.Show``: the whole log."""
    from grader.kinds.traffic.terminal import log

    yield from log(evidence.facts.log)

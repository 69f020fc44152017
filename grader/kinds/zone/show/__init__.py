"""What reports draw of a zone: its file, marked, and what receivers made of each message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from grader.display.excerpts import Excerpt, of_each_kind
from grader.display.sentences import count, counted, listed
from grader.kinds.base import Section
from grader.kinds.zone.facts import ZoneEvidence
from grader.kinds.zone.judge.table import table
from grader.kinds.zone.show.parts import case_excerpt, file_excerpt, view
from grader.model.diagnostic import FilePlace, Span
from grader.model.pointer import Pointer

if TYPE_CHECKING:
    from rich.console import RenderableType

    from grader.display.screen import Screen

__all__ = ["TEMPLATES", "excerpts", "holds", "narrative", "place", "screen", "sections"]

TEMPLATES = None


def narrative(evidence: ZoneEvidence) -> Iterator[str]:
    """See ``grader.kinds.base.Show``."""
    zone = evidence.facts
    if zone.faults:
        found = count(len(zone.faults), "fault")
        yield f"{zone.file}, {count(len(zone.lines), 'line')}, could not be read as a zone: {found}."
        return
    records = count(len(zone.records), "record")
    yield f"{zone.file}, {count(len(zone.lines), 'line')}, was served over DNS: {records} for {zone.origin}."
    if zone.receptions:
        results = Counter(reception.spf.result for reception in zone.receptions)
        spf = listed(f"{number} {result}" for result, number in results.most_common())
        wanted = Counter(reception.dmarc.disposition for reception in zone.receptions)
        asked = listed(f"{number} {disposition}" for disposition, number in wanted.most_common())
        yield f"Receivers judged {count(len(zone.receptions), 'message')}: SPF {spf}; asked for {asked}."
    if zone.queries:
        yield f"{counted(len(zone.queries), 'DNS question')} asked."


def holds(evidence: ZoneEvidence, pointer: Pointer) -> bool:
    """See ``grader.kinds.base.Show``."""
    zone = evidence.facts
    counts = {"zone": len(zone.lines), "case": len(zone.receptions), "query": len(zone.queries)}
    fits = pointer.line is None and (pointer.span is not None) == (pointer.kind == "zone")
    return fits and pointer.id < counts.get(pointer.kind, 0)


def place(evidence: ZoneEvidence, pointer: Pointer) -> FilePlace | None:
    """See ``grader.kinds.base.Show``."""
    if pointer.kind != "zone" or pointer.span is None or not holds(evidence, pointer):
        return None
    return FilePlace(evidence.facts.file, Span(pointer.id, *pointer.span))


def excerpts(evidence: ZoneEvidence, pointers: Sequence[Pointer], rows: int) -> tuple[list[Excerpt], int]:
    """See ``grader.kinds.base.Show``. All places in the file are marked in one excerpt of it."""
    zone = evidence.facts
    places = [pointer for pointer in pointers if pointer.kind == "zone"]

    def excerpt(pointer: Pointer) -> Excerpt | None:
        if pointer.kind == "zone":
            return file_excerpt(zone, places, rows)
        judged = next((row for row in table(evidence) if row.number == pointer.id), None)
        return case_excerpt(judged, pointer) if judged and pointer.kind == "case" else None

    return of_each_kind([p for p in pointers if p not in places[1:]], excerpt)


def sections(evidence: ZoneEvidence, pointers: Sequence[Pointer]) -> Iterable[Section]:
    """See ``grader.kinds.base.Show``."""
    zone = evidence.facts
    yield Section("zone.html.j2", {"zone": view(evidence, zone, pointers)}, "zone.css")
    wanted = {pointer.id for pointer in pointers if pointer.kind == "query"}
    yield Section("dns.html.j2", {"queries": [(query, n in wanted) for n, query in enumerate(zone.queries)]})


def screen(evidence: ZoneEvidence, screen: Screen) -> Iterator[RenderableType]:
    """See ``grader.kinds.base.Show``: the table of messages."""
    from rich.padding import Padding
    from rich.text import Text

    from grader.kinds.zone.show.terminal import judged

    yield Text()
    yield Padding(judged(screen, evidence), (0, 0, 0, 3))

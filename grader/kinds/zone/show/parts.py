"""A zone in reports: its file, with marks where a check or a remark points, and the table of messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from grader.display.excerpts import Excerpt, ExcerptRow, window
from grader.kinds.zone.facts import ZoneEvidence, ZoneFacts
from grader.kinds.zone.judge.lint import lint
from grader.kinds.zone.judge.table import JudgedMessage, table
from grader.model.pointer import Pointer


class Listed(Struct, frozen=True):
    """A line of the file, its marked characters, and what is said of them. ``failing``: a failing check points here."""

    row: ExcerptRow
    sayings: list[str]
    failing: bool


class ZoneView(Struct, frozen=True):
    """What the HTML report shows of a zone."""

    file: str
    lines: list[Listed]
    rows: list[JudgedMessage]


def file_excerpt(zone: ZoneFacts, pointers: Sequence[Pointer], rows: int) -> Excerpt:
    """Lines around the first place, with the characters of all places in them marked."""
    chosen = window(range(len(zone.lines)), pointers[0].id, min(rows, 5))
    marked = {pointer.id for pointer in pointers}
    shown = sorted({*chosen, *list(marked)[:rows]})
    lines = [_line(zone, index, pointers, decisive=index in marked) for index in shown]
    return Excerpt(pointers[0], zone.file, lines, len(zone.lines))


def _line(zone: ZoneFacts, index: int, pointers: Iterable[Pointer], *, decisive: bool) -> ExcerptRow:
    spans = (pointer.span for pointer in pointers if pointer.id == index and pointer.span)
    return ExcerptRow(index + 1, "", zone.lines[index], decisive, _joined(spans))


def _joined(spans: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Where marked characters begin and end; of those that overlap the narrower ones, as they say more."""
    found: list[tuple[int, int]] = []
    for column, length in sorted(set(spans), key=lambda span: (span[1], span[0])):
        if not any(start < column + length and column < end for start, end in found):
            found.append((column, column + length))
    return tuple(sorted(found))


def case_excerpt(judged: JudgedMessage, pointer: Pointer) -> Excerpt:
    """A message as receivers saw it, what they made of it, and what was expected."""
    lines = [
        ("client", f"{judged.client}, EHLO {judged.helo}", False),
        ("MAIL FROM", f"<{judged.sender}>", False),
        ("From", judged.author, False),
        ("DKIM", judged.dkim, "dkim" in judged.misses),
        ("SPF", judged.spf, "spf" in judged.misses),
        ("DMARC", f"{judged.dmarc}, aligned: {judged.aligned}", bool({"dmarc", "aligned"} & judged.misses)),
        ("asked for", judged.disposition, "disposition" in judged.misses),
        ("expected", judged.expected, False),
    ]
    rows = [
        ExcerptRow(number, "", f"{what:<9}  {text}", decisive)
        for number, (what, text, decisive) in enumerate(lines, 1)
    ]
    return Excerpt(pointer, judged.title, rows, len(rows))


def view(evidence: ZoneEvidence, zone: ZoneFacts, pointers: Sequence[Pointer]) -> ZoneView:
    """All that is known of the zone that was handed in."""
    sayings: dict[int, list[tuple[tuple[int, int], str]]] = {}
    for fault in zone.faults:
        span = (fault.place.column, fault.place.length)
        sayings.setdefault(fault.place.line, []).append((span, fault.sentence))
    for remark in [] if zone.faults else lint(zone):
        span = (remark.place.column, remark.place.length)
        sayings.setdefault(remark.place.line, []).append((span, remark.sentence))
    failing = [pointer for pointer in pointers if pointer.kind == "zone"]
    lines = []
    for index, text in enumerate(zone.lines):
        said = sayings.get(index, [])
        spans = [span for span, _ in said] + [p.span for p in failing if p.id == index and p.span]
        is_failing = any(pointer.id == index for pointer in failing)
        row = ExcerptRow(index + 1, "", text, is_failing, _joined(spans))
        lines.append(Listed(row, list(dict.fromkeys(sentence for _, sentence in said)), is_failing))
    return ZoneView(zone.file, lines, list(table(evidence)))

"""Which remarks on a zone file explain a failing check, and which are left for the end of the report."""

from __future__ import annotations

from collections.abc import Sequence

from grader.kinds.zone.declare import ZoneCheck, ZoneLab
from grader.kinds.zone.facts import ZoneFacts
from grader.kinds.zone.judge.lint import lint
from grader.kinds.zone.judge.source import About, Remark, pointer, spoken
from grader.model.diagnostic import Span
from grader.model.pointer import Pointer
from grader.model.result import CheckResult

MOST_LEFT_OVER = 12

HIDING = frozenset(
    {
        "after-all", "backslash", "cut", "delegation", "doubled-origin", "equals", "given-away", "idle-authorization",
        "idle-escape", "idle-redirect", "joined", "not-ascii", "not-recognized", "type-spf", "wrong-name",
    }
)  # fmt: skip
"""Remarks that explain why a record is not found although the file seems to hold it."""


TOLD = frozenset({"equals", "finds-nothing", "not-recognized", "unusable"})
"""Remarks that say what a failing check says itself where it points to the same characters."""


def attached(
    lab: ZoneLab, check: ZoneCheck, remarks: list[Remark], pointers: Sequence[Pointer]
) -> list[tuple[Pointer, str]]:
    """The remarks that explain why a check failed: pointers, each with its sentence.

    ``pointers`` are the check's own; where they name no characters, what it needs was not found at all.
    """
    places = [Span(known.id, *known.span) for known in pointers if known.kind == "zone" and known.span]
    about = _about(lab, check)
    chosen = [
        remark
        for remark in remarks
        if remark.about in about
        and not (remark.code in TOLD and pointer(remark.place) in pointers)
        and (any(_touches(remark, place) for place in places) or (not places and remark.code in HIDING))
    ]
    return [(pointer(remark.place), _line(remark)) for remark in chosen]


def _touches(remark: Remark, place: Span) -> bool:
    """Whether a remark is about some of the characters, or hides what stands in their line."""
    mine = remark.place
    if mine.line != place.line:
        return False
    overlap = mine.column < place.column + place.length and place.column < mine.column + mine.length
    return overlap or remark.code in HIDING


def left_over(zone: ZoneFacts, results: Sequence[CheckResult]) -> list[str]:
    """The remarks that no failing check has told."""
    if zone.faults:
        return []
    told = {line for result in results for line in result.remarks}
    pointed = {place for result in results for place in result.evidence}
    lines = [
        line
        for remark in lint(zone)
        if (line := _line(remark)) not in told
        and not (remark.code in TOLD and str(pointer(remark.place)) in pointed)
    ]
    if len(lines) > MOST_LEFT_OVER:
        more = len(lines) - MOST_LEFT_OVER
        lines = [*lines[:MOST_LEFT_OVER], f"and {more} more remarks, in the report on the zone"]
    return lines


def _line(remark: Remark) -> str:
    return f"{spoken(remark.place)}: {remark.sentence}"


def _about(lab: ZoneLab, check: ZoneCheck) -> set[About]:
    """What a check's expectations depend on."""
    expect, tries = check.expect, check.attempts
    about: set[About] = {*expect.aligned}
    if expect.spf or any(entry.records or entry.senders for entry in tries):
        about.add("spf")
    if expect.dkim:
        about.add("dkim")
    own_reports = any(report.domain == lab.zone.origin for entry in tries for report in entry.reports)
    if expect.dmarc or expect.disposition or own_reports or any(entry.policies for entry in tries):
        about.add("dmarc")
    return about | {"names"}

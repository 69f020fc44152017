"""What receivers made of each message, as a table on a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from grader.display.looks import LOOKS, QUIET
from grader.display.screen import Screen, grid, words
from grader.kinds.zone.facts import ZoneEvidence
from grader.kinds.zone.judge.table import JudgedMessage, table

HEADINGS = ("", "message", "SPF", "aligned", "asked for")


def judged(screen: Screen, evidence: ZoneEvidence) -> RenderableType:
    """A line for each message with what was concluded, and beneath it who sent what, and what was expected instead."""
    found = grid(
        {"width": 1},
        {"ratio": 1},
        {"no_wrap": True},
        {"no_wrap": True},
        {"no_wrap": True, "justify": "right"},
    )
    found.add_row(*(Text(heading, QUIET) for heading in HEADINGS))
    for row in table(evidence):
        message = words(row.title, single=True)
        for line in _beneath(row):
            message.append_text(words(f"\n{line}", QUIET))
        found.add_row(
            screen.sign("pass" if row.met else "fail"),
            message,
            _cell(row, row.spf, "spf"),
            _cell(row, row.aligned.replace(" and ", ", "), "aligned", "dkim"),
            _cell(row, row.disposition, "disposition", "dmarc"),
        )
    return found


def _beneath(row: JudgedMessage) -> Iterator[str]:
    yield f"{row.client}, EHLO {row.helo}"
    yield f"MAIL FROM:<{row.sender}>"
    yield f"From: {row.author}"
    if row.dkim != "none":
        yield f"DKIM: {row.dkim}"
    if not row.met:
        yield f"expected: {row.expected}"


def _cell(row: JudgedMessage, value: str, *keys: str) -> Text:
    return words(value, LOOKS["fail"].style if row.misses & set(keys) else "", single=True)

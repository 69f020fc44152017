"""Where a message's header ends: what keeps readers from finding that place, and which check tells of it."""

from __future__ import annotations

import re
from collections import Counter

from grader.formats.message import Fault
from grader.formats.message.parse import parse
from grader.formats.message.report import Report
from grader.kinds.program.judge.runs import JudgedRun
from grader.model.finding import Finding, unproven
from grader.model.traffic import Arrival

FORM_RULES = frozenset(
    {"missing-separator", "continuation-first", "mbox-from", "field-name", "space-before-colon", "fold-blank"}
)
"""Rules of the header section's form, of which other faults come: a field that became text is missing."""
SPOILS_TEXT = frozenset({"missing-separator", "field-name", "space-before-colon"})
"""Those of them at which readers end the header, each where it likes."""
_OF_TEXT = re.compile(r"content-.*|mime-version", re.IGNORECASE)
_FIELD = re.compile(
    rb"(date|from|to|cc|subject|message-id|mime-version|content-[a-z-]{1,30})[ \t]*:", re.IGNORECASE
)


def ends_early(run: JudgedRun, arrival: Arrival) -> str:
    """What is wrong where an empty line stands before a field of the header; empty where none does."""
    body = parse(arrival.raw, Report(arrival.raw)).body
    field = _FIELD.match(body)
    if field is None or run.facts.wanted.body.startswith(_first_line(body)):
        return ""
    name = field[1].decode("ascii")
    return f"An empty line ends the header before {name}, so that this field is text. (RFC 5322 section 2.1)"


def _first_line(body: bytes) -> bytes:
    return body.partition(b"\n")[0].rstrip(b"\r")


def left_to_header(run: JudgedRun, faults: list[tuple[Arrival, Fault]]) -> Finding | None:
    """Where the header keeps readers from the text, the finding that leaves it to the check about the header.

    ``None`` where the text can be found, or where no check looks at this run's header.
    """
    check = _told_by(run)
    told = next((fault.sentence for _, fault in faults if _spoils_text(fault)), "") or next(
        (early for arrival in run.arrivals if (early := ends_early(run, arrival))), ""
    )
    if not (check and told):
        return None
    return unproven(run.case, told, because=None if check == run.case.facts.check else check)


def _spoils_text(fault: Fault) -> bool:
    twice = fault.rule == "repeated-field" and _OF_TEXT.fullmatch(fault.field) is not None
    return fault.rule in SPOILS_TEXT or twice


def _told_by(run: JudgedRun) -> str:
    """The check that is about the header of this run's messages: the one with the most runs, if several are."""
    about = {check.code for check in run.evidence.lab.checks if "header" in check.expect.program}
    runs = Counter(facts.check for facts in run.program.attempts)
    owners = [
        facts.check
        for facts in run.program.attempts
        if facts.check in about and run.program.run_of.get(facts.id) == run.facts.id
    ]
    return max(owners, key=lambda code: runs[code], default="")

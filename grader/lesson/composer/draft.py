"""What the builder gives back: finished fields, complaints, the envelope and the message."""

from __future__ import annotations

from msgspec import Struct

from grader.formats.message.report import shown
from grader.formats.message.rules import RULES, Severity
from grader.lesson.composer.tables import tables

LONGEST_QUOTE = 60


class Complaint(Struct, frozen=True):
    """What is wrong with a field that was typed. ``field`` is the field's id; ``rule`` names the fault."""

    field: str
    rule: str
    severity: Severity
    sentence: str
    reference: str


class Finished(Struct, frozen=True):
    """A header field as it is sent: its lines without their ends, its reference entry, and ids of notes on its form."""

    name: str
    lines: list[str]
    entry: str
    notes: list[str]


class Draft(Struct, frozen=True):
    """What became of the fields. ``message`` has CR LF line ends, and is ``None`` while there is an error.

    ``sender`` and ``recipients`` are the envelope's: those of To, Cc and Bcc, each once.
    """

    fields: list[Finished]
    complaints: list[Complaint]
    message: bytes | None
    body_notes: list[str]
    sender: str
    recipients: list[str]


class UnusableText(Exception):
    """Text that cannot be made a field: the fault's id, and what fills its sentence."""

    def __init__(self, rule: str, /, **values: object) -> None:
        super().__init__(rule)
        self.rule = rule
        self.values = values


def complaint(field: str, label: str, rule: str, /, **values: object) -> Complaint:
    """A complaint in the words of the builder's table, or of the header rule of that name."""
    if rule in RULES:
        found = RULES[rule]
        words = {name: _escaped(value) if isinstance(value, str) else value for name, value in values.items()}
        return Complaint(
            field, rule, found.severity, found.sentence.format(field=label, **words), found.reference
        )
    text = tables().fault(rule)
    words = {name: brief(value) if isinstance(value, str) else value for name, value in values.items()}
    return Complaint(field, rule, text.severity, text.sentence.format(field=label, **words), text.reference)


def _escaped(text: str) -> str:
    return shown(text.encode("utf-8", "surrogateescape").decode("ascii", "surrogateescape"))


def brief(text: str) -> str:
    """Typed text for a sentence, cut to a length that a reader takes in."""
    return text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - 1] + "…"

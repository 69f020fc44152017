"""Faults: rules broken at a place, and how they are gathered."""

from __future__ import annotations

from bisect import bisect_right

from msgspec import Struct

from grader.formats.message.rules import RULES, Severity


class Fault(Struct, frozen=True):
    """A rule broken at a place.

    ``offset`` counts bytes from the message's first, from zero; ``line`` counts from one. ``field`` is the header
    field's name as the RFC spells it, or empty where the fault is not in one.
    """

    rule: str
    severity: Severity
    field: str
    offset: int
    line: int
    sentence: str
    reference: str


LONGEST_SHOWN = 60


def shown(text: str) -> str:
    """Strange text for a sentence: escaped to printable ASCII, and cut to a length that a reader takes in."""
    text = text[: LONGEST_SHOWN + 1]
    plain = text.encode("ascii", "surrogateescape").decode("latin-1") if not text.isascii() else text
    safe = plain.encode("unicode_escape").decode("ascii")
    return safe if len(safe) <= LONGEST_SHOWN else safe[: LONGEST_SHOWN - 3] + "..."


class Report:
    """Gathers the faults of one message."""

    def __init__(self, raw: bytes) -> None:
        self.faults: list[Fault] = []
        self._starts = [0]
        position = raw.find(b"\n")
        while position >= 0:
            self._starts.append(position + 1)
            position = raw.find(b"\n", position + 1)

    def add(self, rule: str, offset: int, field: str = "", /, **values: object) -> None:
        """Note that ``rule`` is broken at ``offset``. ``values`` fill the braces of its sentence."""
        found = RULES[rule]
        field = shown(field)
        words = {name: shown(value) if isinstance(value, str) else value for name, value in values.items()}
        self.faults.append(
            Fault(
                rule=rule,
                severity=found.severity,
                field=field,
                offset=offset,
                line=bisect_right(self._starts, offset),
                sentence=found.sentence.format(field=field, **words),
                reference=found.reference,
            )
        )

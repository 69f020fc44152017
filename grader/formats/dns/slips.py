"""What people's editors and other formats leave in a master file, where it explains a fault better than the fault."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from grader.model.diagnostic import Diagnostic, Span, fault_in

_COMMENT = re.compile(r"[ \t]*(#|//|/\*|\*/|--|<!--)")
"""How comments begin elsewhere."""
_OTHERS = (
    (re.compile(r"[ \t]*(<(?:!doctype|html|head|body|pre|table|\?xml)\b)", re.IGNORECASE), "a web page"),
    (
        re.compile(r'[ \t]*((?:zone|options|include|acl|view|key|logging)\b[^;]*[{"]|\}[ \t]*;)'),
        "configuration of a nameserver (named.conf), which names the file of a zone",
    ),
    (re.compile(r"([Z.&=+@'^C][^ \t:]*:[^ \t]*)$"), "the format of tinydns-data"),
)
"""How lines of other formats look, which people hand in for a zone."""
_UNSEEN = ("Zs", "Zl", "Zp", "Cf")
"""Kinds of signs that nobody sees: blanks, ends of lines, and those that only say how others are shown."""
_MARKS = (b"\xff\xfe", b"\xfe\xff")


def explained(faults: Iterable[Diagnostic], lines: Sequence[str]) -> list[Diagnostic]:
    """The faults, each told by the slip that it comes from, if from one; a slip is told once."""
    found: dict[tuple[Span, str], Diagnostic] = {}
    for fault in faults:
        place = fault.place
        line = lines[place.line] if place.line < len(lines) else ""
        slip = _comment(place.line, line) or _other(place.line, line) or _unseen(place, line) or fault
        found.setdefault((slip.place, slip.sentence), slip)
    return list(found.values())


def _comment(number: int, line: str) -> Diagnostic | None:
    found = _COMMENT.match(line)
    if found is None:
        return None
    place = Span(number, found.start(1), len(found[1]))
    return fault_in(
        place, f"{found[1]} begins no comment here: in a master file a semicolon does (RFC 1035 section 5.1)"
    )


def _other(number: int, line: str) -> Diagnostic | None:
    for pattern, format_ in _OTHERS:
        if found := pattern.match(line):
            place = Span(number, found.start(1), len(found[1]))
            return fault_in(
                place,
                f"this is {format_}, and no record of a zone in master-file format (RFC 1035 section 5)",
            )
    return None


def _unseen(place: Span, line: str) -> Diagnostic | None:
    """A sign among the characters at fault that looks like a blank, or like nothing at all."""
    for column in range(place.column, min(place.column + place.length, len(line))):
        if line[column].isascii() or (kind := unicodedata.category(line[column])) not in _UNSEEN:
            continue
        name = f"{unicodedata.name(line[column]).lower()}, U+{ord(line[column]):04X}"
        if kind == "Cf":
            return fault_in(Span(place.line, column), f"an invisible sign ({name}) stands here: delete it")
        sentence = (
            f"what looks like a blank here is another sign ({name}): put an ordinary blank in its place"
        )
        return fault_in(Span(place.line, column), sentence)
    return None


def wide_text(data: bytes) -> list[str] | None:
    """The lines of a file in UTF-16, with a mark at its beginning or without; ``None`` for any other."""
    order = "utf-16" if data.startswith(_MARKS) else ""
    if _mostly_zero(data[1::2]) and not _mostly_zero(data[::2]):
        order = order or "utf-16-le"
    if _mostly_zero(data[::2]) and not _mostly_zero(data[1::2]):
        order = order or "utf-16-be"
    return data.decode(order, "replace").splitlines() if order else None


def _mostly_zero(data: bytes) -> bool:
    return data.count(0) * 2 > len(data)

"""Takes a message apart into header fields and body, noting what breaks the header section's form on the way."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from grader.formats.message.report import Report

_LINE = re.compile(rb"[^\n]*\n|[^\n]+\Z")
_FIELD = re.compile(rb"([^\x00-\x20:]+)([ \t]*):")
_NAME = re.compile(rb"[!-9;-~]+")
_FOLD = re.compile(r"\r?\n(?=[ \t])")


class Field(Struct, frozen=True):
    """A header field. ``text`` is its body with the folds taken out; bytes beyond ASCII stand as surrogates."""

    name: str
    text: str
    offset: int

    @property
    def key(self) -> str:
        """The name as names are compared: without regard to case (RFC 5322 section 1.2.2)."""
        return self.name.lower()


class Part(Struct, frozen=True):
    """A message, or a part of one: its fields, its body, and where both begin in the whole."""

    fields: list[Field]
    body: bytes
    offset: int
    body_offset: int

    def all(self, key: str) -> list[Field]:
        """The fields of a name, which is given in lower case."""
        return [field for field in self.fields if field.key == key]

    def first(self, key: str) -> Field | None:
        """The first field of a name, which is given in lower case."""
        return next((field for field in self.fields if field.key == key), None)


def header_fields(data: bytes) -> list[Field]:
    """The fields of a message's header, for a reader who asks for no faults; see ``parse``."""
    return parse(data, Report(b"")).fields


def line_of(data: bytes, offset: int) -> int:
    """The line in which an octet stands, from zero."""
    return data.count(b"\n", 0, offset)


def parse(data: bytes, report: Report, offset: int = 0) -> Part:
    """``data`` as fields and body (RFC 5322 section 2.1). ``offset`` is where it begins in the whole message."""
    fields: list[Field] = []
    pending: tuple[str, int, int] | None = None
    end = body = len(data)
    for start, line in _lines(data):
        if not line:
            newline = data.find(b"\n", start)
            end, body = start, newline + 1 if newline >= 0 else len(data)
            break
        if line[:1] in (b" ", b"\t"):
            _continued(line, start + offset, pending, report)
            continue
        found = _FIELD.match(line)
        if found is None and start == 0 and line.startswith(b"From "):
            report.add("mbox-from", offset)
            continue
        if found is None:
            report.add("missing-separator", start + offset, text=_text(line))
            end = body = start
            break
        if pending:
            fields.append(_field(data, pending, start, offset))
        name = _text(found[1])
        _check_name(found, name, start + offset, report)
        pending = (name, start, start + found.end())
    if pending:
        fields.append(_field(data, pending, end, offset))
    return Part(fields, data[body:], offset, body + offset)


def _lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Each line's beginning, and the line without its end. A bare LF ends a line too; that is reported elsewhere."""
    for found in _LINE.finditer(data):
        yield found.start(), found[0].removesuffix(b"\n").removesuffix(b"\r")


def _continued(line: bytes, offset: int, pending: tuple[str, int, int] | None, report: Report) -> None:
    if pending is None:
        report.add("continuation-first", offset)
    elif not line.strip(b" \t"):
        report.add("fold-blank", offset, pending[0])


def _check_name(found: re.Match[bytes], name: str, offset: int, report: Report) -> None:
    if not _NAME.fullmatch(found[1]):
        report.add("field-name", offset, text=name)
    elif found[2]:
        report.add("space-before-colon", offset, name)


def _field(data: bytes, pending: tuple[str, int, int], end: int, offset: int) -> Field:
    name, start, value = pending
    text = _text(data[value:end].removesuffix(b"\n").removesuffix(b"\r"))
    return Field(name, _FOLD.sub("", text), start + offset)


def _text(data: bytes) -> str:
    return data.decode("ascii", "surrogateescape")

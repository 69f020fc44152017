"""The fields of a header as they stand, for who puts together or hands on a message that was written here."""

from __future__ import annotations

from grader.model.latepattern import late_pattern

_FIELDS = late_pattern(rb"[^\r\n]+\r\n(?:[ \t][^\r\n]*\r\n)*")


def raw_fields(header: bytes) -> list[bytes]:
    """Each field with the lines that continue it (RFC 5322 section 2.2.3), CR LF at the end of each line."""
    return _FIELDS.findall(header)

"""Where a reference can be read: an RFC at the RFC Editor's, at the section that is meant, or a sheet of the lesson."""

from __future__ import annotations

from grader.model.latepattern import late_pattern

SHEET = "sheet "
"""What a reference to the lesson begins with; its entry's name follows."""

_RFC = late_pattern(r"RFC (\d{1,5})(?: (section|appendix) ([A-Z0-9]+(?:\.\d+)*))?")


def link(reference: str) -> str:
    """The address of ``RFC 5321 section 4.1.1.3`` or ``RFC 5321 appendix D``; empty for what is no RFC."""
    found = _RFC.fullmatch(reference)
    if found is None:
        return ""
    number, kind, section = found.groups()
    anchor = f"#{kind}-{section}" if section else ""
    return f"https://www.rfc-editor.org/rfc/rfc{number}{anchor}"


def readable(reference: str) -> str:
    """The reference for people who read: of a sheet, the command that shows it."""
    return f"smtplab explain {reference}" if reference.startswith(SHEET) else reference

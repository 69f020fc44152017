"""Dates of header fields (RFC 5322 section 3.3)."""

from __future__ import annotations

import re
from datetime import date

from grader.formats.message.lexer import Malformed, without_comments
from grader.formats.message.report import Report

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_DATE = re.compile(
    rf"(?:(?P<weekday>{'|'.join(DAYS)})[ \t]*,)?[ \t]*(?P<day>[0-9]{{1,2}})[ \t]+(?P<month>{'|'.join(MONTHS)})"
    r"[ \t]+(?P<year>[0-9]{2,9})[ \t]+(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?"
    r"[ \t]+(?P<zone>[+-][0-9]{4}|[A-Za-z]{1,5})",
    re.IGNORECASE,
)


def check_date(text: str, offset: int, field: str, report: Report) -> None:
    """Hold a date against the grammar, the calendar and its own weekday."""
    if fault := date_fault(text):
        report.add(fault[0], offset, field, **fault[1])


def date_fault(text: str) -> tuple[str, dict[str, str]] | None:
    """The rule that a date breaks, and what fills its sentence; ``None`` where it breaks none."""
    found = _found(text)
    if found is None:
        return "date-syntax", {"text": text.strip()}
    if old := _obsolete(found):
        return "date-obsolete", {"what": old}
    if wrong := _impossible(found):
        return "date-impossible", {"what": wrong}
    really = DAYS[_day(found).weekday()]
    if found["weekday"] and found["weekday"].capitalize() != really:
        return "date-weekday", {"said": found["weekday"], "really": really}
    return None


def _found(text: str) -> re.Match[str] | None:
    try:
        return _DATE.fullmatch(without_comments(text).strip(" \t"))
    except Malformed:
        return None


def _obsolete(found: re.Match[str]) -> str:
    if len(found["year"]) < 4:
        return f"the year {found['year']} of fewer than four digits"
    return "" if found["zone"][0] in "+-" else f"the zone {found['zone']} instead of hours and minutes"


def _day(found: re.Match[str]) -> date:
    return date(int(found["year"]), MONTHS.index(found["month"].capitalize()) + 1, int(found["day"]))


def _impossible(found: re.Match[str]) -> str:
    year = int(found["year"])
    if not 1900 <= year <= 9999:
        return f"the year {found['year']}"
    try:
        _day(found)
    except ValueError:
        return f"{found['day']} {found['month']} {year}"
    # 60 is a leap second.
    if int(found["hour"]) > 23 or int(found["minute"]) > 59 or int(found["second"] or 0) > 60:
        return f"the time {found['hour']}:{found['minute']}:{found['second'] or '00'}"
    # A zone of letters is another rule's matter.
    return (
        f"the zone {found['zone']}" if found["zone"][3:].isdecimal() and int(found["zone"][3:]) > 59 else ""
    )

"""Dates of header fields (RFC 5322 section 3.3)."""

from __future__ import annotations

import re
from datetime import date

from grader.judge.headers.lexer import Malformed, without_comments
from grader.judge.headers.report import Report

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
    try:
        plain = without_comments(text).strip(" \t")
    except Malformed:
        plain = ""
    found = _DATE.fullmatch(plain)
    if found is None:
        report.add("date-syntax", offset, field, text=text.strip())
        return
    if old := _obsolete(found):
        report.add("date-obsolete", offset, field, what=old)
        return
    if wrong := _impossible(found):
        report.add("date-impossible", offset, field, what=wrong)
        return
    really = DAYS[_day(found).weekday()]
    if found["weekday"] and found["weekday"].capitalize() != really:
        report.add("date-weekday", offset, field, said=found["weekday"], really=really)


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
    return f"the zone {found['zone']}" if int(found["zone"][3:]) > 59 else ""

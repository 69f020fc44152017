"""Moments as servers and programs write them: dates of every form, read leniently.

What may be written is another matter: ``dates.py`` holds dates against the rule. Here a date is read as widely as it
can be read in one way only; where it names no moment for sure, nothing is known (RFC 5322 section 4.3).
"""

from __future__ import annotations

import re
from datetime import date
from typing import Literal

from msgspec import Struct

from grader.formats.message.lexer import Malformed, without_comments

DAYS = "mon|tue|wed|thu|fri|sat|sun"
MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_WEEKDAY = f"(?:{DAYS})[a-z]{{0,6}}"
_TIME = r"(?P<hour>[0-9]{1,2}) ?: ?(?P<minute>[0-9]{1,2})(?: ?: ?(?P<second>[0-9]{1,2})(?:[.,][0-9]{1,9})?)?"
_ZONE = r"(?P<zone>[+-][0-9]{2}:?[0-9]{2}|[a-z]{1,5}(?![a-z0-9+-]))"
PATTERNS = (
    # RFC 5322, of today or obsolete: Sat, 21 Feb 2026 10:00:00 +0000
    rf"(?:{_WEEKDAY} ?,? ?)?(?P<day>[0-9]{{1,2}})[ -](?P<month>{MONTHS})[a-z]{{0,6}}[ -](?P<year>[0-9]{{2,4}})"
    rf",? {_TIME}(?: ?{_ZONE})?",
    # asctime and date(1): Sat Feb 21 10:00:00 2026, with a zone before or behind the year
    rf"{_WEEKDAY},? (?P<month>{MONTHS})[a-z]{{0,6}} (?P<day>[0-9]{{1,2}}),? {_TIME}(?: (?P<before>[a-z]{{1,5}}))?"
    rf" (?P<year>[0-9]{{4}})(?: {_ZONE})?",
    # ISO 8601: 2026-02-21T10:00:00Z
    rf"(?P<year>[0-9]{{4}})-(?P<month>[0-9]{{2}})-(?P<day>[0-9]{{2}})[t ]{_TIME}(?: ?{_ZONE})?",
)
"""In lower case, for text in lower case whose white space is one space: a browser's script takes the same ones."""
ZONES = {
    "z": 0, "ut": 0, "utc": 0, "gmt": 0,
    "est": -300, "edt": -240, "cst": -360, "cdt": -300, "mst": -420, "mdt": -360, "pst": -480, "pdt": -420,
}  # fmt: skip
"""Minutes east of UTC of the zones that RFC 5322 section 4.3 gives a meaning; of others nothing is known."""
STRICT = re.compile(
    r"(?:[A-Za-z]{3}, ?)?[0-9]{1,2} [A-Za-z]{3} [0-9]{4} [0-9]{2}:[0-9]{2}(?::[0-9]{2})? [+-][0-9]{4}"
)
_BEHIND = re.compile(r"|;.*| (?:id|for|envelope-from) .*", re.DOTALL)
"""What some servers write behind the date."""
LONGEST = 200
_PATTERNS = [re.compile(pattern) for pattern in PATTERNS]
_SPACE = re.compile(r"[ \t\r\n]+")

Reading = Literal["plain", "lenient", "zone", "impossible", "none"]
"""How a date was read: as it should be written; in another form; all but its zone; as no moment; not at all."""


class Moment(Struct, frozen=True):
    """What a date tells. ``seconds`` since 1970 where the moment is known; ``text`` is the date alone."""

    seconds: int | None
    reading: Reading
    text: str


def read_moment(text: str) -> Moment:
    """The moment that a date at the text's beginning names. Comments are left out, the weekday is not looked at.

    Never raises. Takes time linear in the text's length.
    """
    written = _plain(text)
    found = next(filter(None, (pattern.match(written.lower()) for pattern in _PATTERNS)), None)
    if found is None:
        return Moment(None, "none", written)
    shown = written[: found.end()]
    seconds = _seconds(found)
    if seconds is None:
        return Moment(None, "impossible", shown)
    minutes = _minutes(found["zone"] or found.groupdict().get("before") or "")
    if minutes is None:
        return Moment(None, "zone", shown)
    plain = STRICT.fullmatch(shown) and _BEHIND.fullmatch(written, found.end())
    return Moment(seconds - minutes * 60, "plain" if plain else "lenient", shown)


def find_moment(text: str) -> int | None:
    """Where the last date in a text begins, for lines that forget the semicolon before it; ``None`` without one."""
    places = [found.start() for found in _BEGINS.finditer(text[-LONGEST:].lower())]
    for place in places:
        at = max(0, len(text) - LONGEST) + place
        if read_moment(text[at:]).reading != "none":
            return at
    return None


BEGINS = rf"(?<![^ \t\r\n;])(?:(?:{DAYS})[a-z]{{0,6}}[ ,]|[0-9]{{1,2}} (?:{MONTHS})|[0-9]{{4}}-[0-9]{{2}}-)"
_BEGINS = re.compile(BEGINS)


def _plain(text: str) -> str:
    cut = text[: 4 * LONGEST]
    try:
        cut = without_comments(cut)
    except Malformed:
        cut = cut.partition("(")[0]
    return _SPACE.sub(" ", cut).strip(" ")[:LONGEST]


def _seconds(found: re.Match[str]) -> int | None:
    """The moment as if it were in UTC; ``None`` where no clock shows it. 60 is a leap second."""
    year, month = int(found["year"]), found["month"]
    if len(found["year"]) < 4:
        # Two digits are years from 1950 to 2049, three count from 1900 (RFC 5322 section 4.3).
        year += 2000 if len(found["year"]) == 2 and year < 50 else 1900
    try:
        number = int(month) if month.isdigit() else MONTHS.split("|").index(month) + 1
        day = date(year, number, int(found["day"]))
    except ValueError:
        return None
    hour, minute, second = int(found["hour"]), int(found["minute"]), int(found["second"] or 0)
    if year < 1900 or hour > 23 or minute > 59 or second > 60:
        return None
    return (day - date(1970, 1, 1)).days * 86400 + hour * 3600 + minute * 60 + second


def _minutes(zone: str) -> int | None:
    """How far a zone is east of UTC; ``None`` where that is not known."""
    if zone[:1] not in ("+", "-"):
        return ZONES.get(zone)
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    if hours > 23 or minutes > 59:
        return None
    return (-1 if zone[0] == "-" else 1) * (hours * 60 + minutes)

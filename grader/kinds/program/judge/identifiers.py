"""Whether a Message-ID is the message's own (RFC 5322 section 3.6.4), whichever second two messages fall into."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from grader.kinds.program.facts import Wanted
from grader.kinds.program.judge.runs import JudgedRun
from grader.kinds.traffic.sentences import quoted
from grader.model.traffic import Arrival

WINDOW = range(-5, 6)
"""Seconds around a message's arrival in which its program may have looked at the clock."""
_SIGN = "[^0-9A-Za-z<>@]?"
_DATES = [_SIGN.join(f"%{part}" for part in parts) for parts in ("Ymd", "ymd", "dmY", "mdY", "dbY", "bdY")]
_TIMES = [_SIGN.join(f"%{part}" for part in parts) for parts in ("HMS", "HM")]
FORMS = [*_DATES, *(f"{date}T?{_SIGN}{time}" for date in _DATES for time in _TIMES), _TIMES[0]]
"""Ways of writing a moment of which nothing is finer than a second, as patterns for ``strftime``.

Shorter ones, such as the second alone, are none: a process's number looks like them, and is each run's own.
"""
MOMENT, GIVEN = "\N{WATCH}", "\N{WHITE HEAVY CHECK MARK}"
"""What stands for the moment, and for what was given, where two identifiers are compared."""
_IDENTIFIER = re.compile(rb"^message-id:\s*(<[^>\r\n]*>)", re.IGNORECASE | re.MULTILINE)


def repeated(run: JudgedRun, arrival: Arrival) -> str:
    """Why a message's identifier may be another message's as well; empty where it is its own.

    That two messages were made within one second is chance, and so is that they were not: an identifier that differs
    from another run's in nothing but the second, and in what was to be sent, is refused either way.
    """
    own = identifier(arrival)
    mine = {other.id for other in run.arrivals}
    others = [other for other in run.program.arrivals if own and other.id not in mine]
    wanted = _wanted(run)
    rest = _without_moment(run, arrival, wanted)
    if MOMENT in rest and any(_without_moment(run, other, wanted) == rest for other in others):
        return (
            f"The Message-ID {quoted(own)} is made of the time, to the second, and of what every message has: two "
            "messages of one second bear the same one (RFC 5322 section 3.6.4)."
        )
    if any(identifier(other) == own for other in others):
        return f"Two messages bear the same Message-ID {quoted(own)} (RFC 5322 section 3.6.4)."
    return ""


def identifier(arrival: Arrival) -> str:
    """The Message-ID with its angle brackets; empty where there is none."""
    found = _IDENTIFIER.search(arrival.raw)
    return found[1].decode("ascii", "backslashreplace") if found else ""


def _wanted(run: JudgedRun) -> dict[int, Wanted]:
    """What each message that arrived was to be, by its number."""
    return {
        transaction.arrival: facts.wanted
        for facts in run.program.runs
        for conversation in facts.conversations
        for transaction in conversation.transactions
        if transaction.arrival is not None
    }


def _without_moment(run: JudgedRun, arrival: Arrival, wanted: dict[int, Wanted]) -> str:
    """An identifier without the moment of sending and without what was given to the program."""
    text = identifier(arrival)
    asked = wanted.get(arrival.id, run.facts.wanted)
    for given in (asked.sender, *asked.recipients, asked.subject):
        for part in filter(None, (given, given.partition("@")[0])):
            text = re.sub(rf"(?<![0-9A-Za-z]){re.escape(part)}(?![0-9A-Za-z])", GIVEN, text)
    return _moments(run.evidence.started, arrival.at).sub(MOMENT, text)


def _moments(started: str, at: float) -> re.Pattern[str]:
    """Every way of writing the seconds around ``at`` milliseconds after the run began, longest forms first."""
    try:
        moment = datetime.fromisoformat(started).astimezone(UTC) + timedelta(milliseconds=at)
    except ValueError:
        return re.compile(r"(?!)")
    seconds = [moment + timedelta(seconds=offset) for offset in WINDOW]
    numbers = [int(second.timestamp()) for second in seconds]
    found = [second.strftime(form) for form in sorted(FORMS, key=len, reverse=True) for second in seconds]
    found += map(str, numbers)
    return re.compile(
        rf"(?<!\d)(?:{'|'.join(found)})(?!\d)|(?<![0-9a-f])(?:{'|'.join(f'{n:x}' for n in numbers)})(?![0-9a-f])",
        re.IGNORECASE,
    )

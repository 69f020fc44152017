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
FORMS = ("%Y%m%d%H%M%S", "%Y%m%d", "%Y%m%d%H%M", "%y%m%d%H%M%S", "%H%M%S", "%Y", "%m", "%d", "%H", "%M", "%S")
"""Ways of writing a moment of which nothing is finer than a second; with dashes or colons, its parts stand alone."""
MOMENT, GIVEN = "\N{WATCH}", "\N{WHITE HEAVY CHECK MARK}"
"""What stands for the moment, and for what was given, where two identifiers are compared."""
_IDENTIFIER = re.compile(rb"^message-id:\s*(<[^>\r\n]*>)", re.IGNORECASE | re.MULTILINE)
_WORD = re.compile(r"[0-9A-Za-z]+")


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
    known = _moments(run.evidence.started, arrival.at)
    return _WORD.sub(lambda word: MOMENT if word[0].lower() in known else word[0], text)


def _moments(started: str, at: float) -> set[str]:
    """Every way of writing the seconds around ``at`` milliseconds after the run began."""
    try:
        moment = datetime.fromisoformat(started).astimezone(UTC) + timedelta(milliseconds=at)
    except ValueError:
        return set()
    found: set[str] = set()
    for offset in WINDOW:
        second = moment + timedelta(seconds=offset)
        number = int(second.timestamp())
        found |= {second.strftime(form) for form in FORMS} | {str(number), f"{number:x}"}
        found |= {second.strftime("%Y%m%dT%H%M%S").lower(), second.strftime("%b").lower()}
    return found

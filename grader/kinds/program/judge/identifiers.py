"""Whether a Message-ID is the message's own (RFC 5322 section 3.6.4), whichever second two messages fall into."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache

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
_SIGNS, _WORD = re.compile("[^0-9A-Za-z]"), re.compile("[0-9A-Za-z]")
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
            text = _without(text, part)
    try:
        moment = datetime.fromisoformat(run.evidence.started).astimezone(UTC) + timedelta(
            milliseconds=arrival.at
        )
    except ValueError:
        return text
    known = _moments(int(moment.timestamp()))
    for shape in _shapes():
        text = _replaced(text, shape, known)
    return text


def _without(text: str, given: str) -> str:
    """The text with a mark for what was given, where that is not a part of something longer."""
    at = text.find(given)
    while at >= 0:
        end = at + len(given)
        if not _WORD.match(text[at - 1 : at]) and not _WORD.match(text[end : end + 1]):
            text = text[:at] + GIVEN + text[end:]
            end = at + len(GIVEN)
        else:
            end = at + 1
        at = text.find(given, end)
    return text


def _replaced(text: str, shape: re.Pattern[str], known: frozenset[str]) -> str:
    """The text with a mark for what has this shape and is one of the known moments; shapes may overlap."""
    at = 0
    while found := shape.search(text, at):
        at = found.start() + 1
        if _SIGNS.sub("", found[0]).lower() in known:
            text = text[: found.start()] + MOMENT + text[found.end() :]
    return text


@cache
def _shapes() -> list[re.Pattern[str]]:
    """What every way of writing a moment looks like, whichever it is, those with most digits first.

    Compiled once: patterns of the moments themselves would be new ones for each message, and large.
    """
    long, short, month = r"\d{4}", r"\d{2}", "[A-Za-z]{3}"
    shapes = {
        re.sub("%[mdyHMS]", lambda _: short, form).replace("%Y", long).replace("%b", month) for form in FORMS
    }
    by_digits = sorted(shapes, key=lambda shape: (-2 * shape.count(long) - shape.count(short), shape))
    patterns = [*(rf"(?<!\d){shape}(?!\d)" for shape in by_digits), r"(?<!\d)\d{9,11}(?!\d)"]
    return [*map(re.compile, patterns), re.compile("(?<![0-9a-f])[0-9a-f]{8}(?![0-9a-f])", re.IGNORECASE)]


@lru_cache(maxsize=64)
def _moments(second: int) -> frozenset[str]:
    """Every way of writing the seconds around a moment, in small letters and without the signs between its parts."""
    near = [datetime.fromtimestamp(second + offset, UTC) for offset in WINDOW]
    plain = [form.replace(_SIGN, "").replace("T?", some) for form in FORMS for some in ("", "T")]
    found = {moment.strftime(form).lower() for moment in near for form in dict.fromkeys(plain)}
    for offset in WINDOW:
        found |= {f"{second + offset}", f"{second + offset:x}"}
    return frozenset(found)

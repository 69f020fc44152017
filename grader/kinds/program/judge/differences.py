"""What of a message that arrived differs from what was to be said: addresses, names, subject, date, text."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email import message_from_string, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from itertools import zip_longest

from grader.formats.message.addresses import parse_addresses
from grader.formats.message.lexer import Malformed
from grader.formats.message.parse import parse
from grader.formats.message.report import Report
from grader.kinds.program.judge.reading import (
    UNREADABLE,
    as_shown,
    decoded,
    head,
    look_at_fields,
    parsed,
    unlike,
)
from grader.kinds.program.judge.runs import JudgedRun, address
from grader.kinds.traffic.sentences import quoted
from grader.model.traffic import Arrival

MOST_OFF = timedelta(minutes=10)
QUOTED_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
QUOTED_PAIR = re.compile(r"\\(.)")


def _header(arrival: Arrival) -> EmailMessage:
    """The header alone, as UTF-8, which SMTPUTF8 allows there and the library does not expect in bytes (RFC 6532).

    Raises one of ``UNREADABLE``.
    """
    look_at_fields(head(arrival))
    message = message_from_string(head(arrival).decode("utf-8", "surrogateescape"), policy=policy.SMTP)
    assert isinstance(message, EmailMessage)
    return message


def _addresses(arrival: Arrival, name: str) -> list[str]:
    """The addresses of all fields of that name; of fields that no strict reader understands, none."""
    found: list[str] = []
    for field in parse(arrival.raw, Report(arrival.raw)).all(name):
        with suppress(Malformed):
            found += [
                f"{mailbox.local}@{mailbox.domain}" for mailbox in parse_addresses(field.text).mailboxes
            ]
    return found


def header_differs(run: JudgedRun, arrival: Arrival) -> str:
    """What of the addresses, and of names and subject in ASCII, is other than was asked for."""
    wanted = run.facts.wanted
    for name, expected in (("From", [wanted.sender]), ("To", wanted.to), ("Cc", wanted.cc)):
        shown = _addresses(arrival, name.lower())
        # Capitals of a local part are the envelope's affair, where they decide who gets the message.
        if sorted(map(str.lower, shown)) != sorted(map(str.lower, expected)):
            listed = ", ".join(map(address, shown)) or "nobody"
            return (
                f"{name} names {quoted(listed)}, and should name {quoted(', '.join(expected) or 'nobody')}."
            )
    # How characters beyond ASCII arrive is the text's affair.
    return _words_differ(run, arrival) if (wanted.subject + wanted.from_name).isascii() else ""


def _words_differ(run: JudgedRun, arrival: Arrival) -> str:
    """What of name and subject is other than was asked for."""
    return _subject_differs(run, arrival) or _name_differs(run, arrival)


def alters_words(run: JudgedRun) -> bool:
    """Whether a name or a subject in ASCII arrived otherwise too: then it is no matter of characters."""
    wanted = run.facts.wanted
    plain = (wanted.subject + wanted.from_name).isascii()
    return plain and any(_words_differ(run, arrival) for arrival in run.arrivals)


def beyond_ascii_differs(run: JudgedRun, arrival: Arrival) -> str:
    """What of name and subject is other than was asked for, where they are there and hold more than ASCII."""
    wanted = run.facts.wanted
    wrong = ""
    if not wanted.subject.isascii() and _subject(arrival):
        wrong = _subject_differs(run, arrival)
    if not wanted.from_name.isascii() and _author(arrival):
        wrong = wrong or _name_differs(run, arrival)
    return wrong


def _name_differs(run: JudgedRun, arrival: Arrival) -> str:
    wanted, shown = run.facts.wanted.from_name, _author(arrival)
    if shown.strip() != wanted.strip():
        return f"The author's name arrived as {quoted(shown)} instead of {quoted(wanted)}."
    return ""


def _author(arrival: Arrival) -> str:
    """The author's display name.

    Not as the library reads it, which leaves a blank between encoded words (RFC 2047 section 6.2).
    """
    field = parse(arrival.raw, Report(arrival.raw)).first("from")
    try:
        name = parse_addresses(field.text).mailboxes[0].name if field else ""
    except (Malformed, LookupError):
        return ""
    name = name.encode("ascii", "surrogateescape").decode("utf-8", "replace")
    if '"' in name:
        # Within quotation marks there are no encoded words.
        return QUOTED_STRING.sub(lambda found: QUOTED_PAIR.sub(r"\1", found[1]), name)
    return decoded(name)


def _subject(arrival: Arrival) -> str:
    """The subject as readers see it, empty where there is none that can be read."""
    try:
        return str(_header(arrival)["Subject"] or "")
    except Exception:
        return ""


def _subject_differs(run: JudgedRun, arrival: Arrival) -> str:
    wanted, shown = run.facts.wanted.subject, _subject(arrival)
    if shown.strip() != wanted.strip():
        return f"The subject arrived as {quoted(shown)} instead of {quoted(wanted)}."
    return ""


def date_differs(run: JudgedRun, arrival: Arrival) -> str:
    """Whether Date is the time of sending."""
    try:
        said = parsedate_to_datetime(str(_header(arrival)["Date"]))
        began = datetime.fromisoformat(run.evidence.started)
    except UNREADABLE:
        return ""
    said = said if said.tzinfo else said.replace(tzinfo=UTC)
    if abs(said - began) <= MOST_OFF:
        return ""
    return f"Date says {said:%Y-%m-%d %H:%M %z}, and the message was sent at {began:%Y-%m-%d %H:%M %z}."


def body_differs(run: JudgedRun, arrival: Arrival) -> str:
    """The first line of the text that arrived otherwise. An end of line more or less at the end is none."""
    try:
        message = parsed(arrival)
        part = _plain(message)
        if part is None:
            return _no_text(message)
        arrived = as_shown(part).rstrip("\n")
    except UNREADABLE as error:
        return f"The text cannot be read: {error}."
    sent = run.facts.wanted.body.decode().replace("\r\n", "\n").rstrip("\n")
    if sent == arrived:
        return ""
    pairs = enumerate(zip_longest(sent.split("\n"), arrived.split("\n")), 1)
    number, (expected, got) = next((n, pair) for n, pair in pairs if pair[0] != pair[1])
    if got is None:
        rest = enumerate(sent.split("\n")[number - 1 :], number)
        number, expected = next((n, line) for n, line in rest if line)
        return f"The text ends before its line {number}, {quoted(expected)}."
    if expected is None:
        got = next(line for line in arrived.split("\n")[number - 1 :] if line)
        return f"Behind the text's end there is a line {quoted(got)}."
    if got.replace("\r", "") == expected:
        return (
            f"Line {number} of the text, {quoted(expected)}, arrived with a carriage return more than ends it: its "
            "end of line was made CR LF twice."
        )
    said = f"Line {number} of the text arrived as {quoted(got)} instead of {quoted(expected)}."
    return said + unlike(got, expected)


def more_text(arrival: Arrival) -> str:
    """What a reader is shown besides the part that holds the text, or instead of it; empty where there is nothing."""
    message = parsed(arrival)
    text = _plain(message)
    for part in message.walk():
        if part is text or part.get_content_maintype() != "text" or part.is_attachment():
            continue
        with suppress(*UNREADABLE):
            if said := str(part.get_content()).strip():
                begins = quoted(said.split("\n")[0].strip())
                return (
                    f"Besides the text the message has a part with another one ({part.get_content_type()}), which "
                    f"begins with {begins}. What was to be sent is plain text, and nothing else."
                )
    return ""


def holds_text(arrival: Arrival) -> bool:
    """Whether a message has a part that holds the text."""
    try:
        return _plain(parsed(arrival)) is not None
    except UNREADABLE:
        return False


def _plain(message: EmailMessage) -> EmailMessage | None:
    """The part that holds the text; none where there is none, or the parts are too broken to be told apart."""
    try:
        return message.get_body(("plain",))  # type: ignore[return-value]  # typeshed has the older class
    except UNREADABLE:
        return None


def _no_text(message: EmailMessage) -> str:
    """What a message without a part of plain text holds instead."""
    kinds = [part.get_content_type() for part in message.walk() if not part.is_multipart()]
    if "text/html" in kinds:
        return (
            "The message holds HTML alone (Content-Type: text/html), and what was to be sent is plain text: its lines, "
            "and every < and & in it, are shown otherwise."
        )
    if "text/plain" in kinds:
        return "The text is an attachment (Content-Disposition) and not the message's text."
    return f"The message holds no plain text: its Content-Type is {quoted(', '.join(kinds) or 'missing')}."

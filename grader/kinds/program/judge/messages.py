"""What the messages look like that the server took: header, text, lines."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email import message_from_string, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from itertools import zip_longest

from grader.formats.message import Fault, check_message
from grader.formats.message.addresses import parse_addresses
from grader.formats.message.lexer import Malformed
from grader.formats.message.parse import parse
from grader.formats.message.report import Report
from grader.kinds.program.judge.form import FORM_RULES, ends_early, left_to_header
from grader.kinds.program.judge.identifiers import repeated
from grader.kinds.program.judge.reading import (
    UNREADABLE,
    as_shown,
    decoded,
    head,
    look_at_fields,
    parsed,
    unlike,
)
from grader.kinds.program.judge.runs import JudgedRun, address, nothing, of_runs, where_too
from grader.kinds.traffic.sentences import quoted
from grader.model.finding import Finding, Verdict, broken, met, unproven
from grader.model.pointer import Pointer
from grader.model.traffic import Arrival

LINE_RULES = frozenset({"bare-cr", "bare-lf", "nul", "line-too-long"})
TEXT_RULES = re.compile(
    r"header-8bit|header-not-utf8|encoded-.*|mime-.*|content-type-.*|encoding-.*|body-8bit|base64-.*|quoted-.*|"
    r"charset-.*|boundary-.*|multipart-.*"
)
"""Rules about how characters beyond ASCII are carried."""
ENCODED_RULES = re.compile(r"encoded-(?!line-).*")
"""Those of them about encoded words (RFC 2047)."""
DECODING_RULES = re.compile(r"mime-.*|content-type-.*|encoding-.*|body-8bit|base64-.*|quoted-.*|charset-.*")
"""Those of them about what decodes a text."""
ENCODED_LINE = "encoded-line-length"
"""Lines of base64 or quoted-printable beyond 76; where some are beyond 998 as well, that is the same cause."""
ENCODED_WORD = "=?"
"""How an encoded word begins. No name or subject that is asked for in ASCII holds it."""
ALSO_WRONG = frozenset({"missing-message-id"})
"""Rules that the standard only recommends, and a submitted message must keep (RFC 6409 section 8.3)."""
OTHERS_AFFAIR = frozenset({"bcc-left"})
MOST_OFF = timedelta(minutes=10)
QUOTED_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
QUOTED_PAIR = re.compile(r"\\(.)")
UTF8_ASKED = re.compile(r"(?:^|\s)SMTPUTF8(?:\s|$)", re.IGNORECASE)
EIGHT_BIT_ASKED = re.compile(r"(?:^|\s)BODY=8BITMIME(?:\s|$)", re.IGNORECASE)


@of_runs
def header(run: JudgedRun) -> Finding:
    """Date, From, To, Cc, Subject and Message-ID are what was asked for, and keep RFC 5322."""
    if not run.arrivals:
        return nothing(run)
    faults = _faults(run)
    if wrong := _form(run, faults):
        return wrong
    for arrival, fault in faults:
        known = fault.rule in LINE_RULES | OTHERS_AFFAIR or TEXT_RULES.fullmatch(fault.rule)
        if (fault.severity == "error" and not known) or fault.rule in ALSO_WRONG:
            return broken(run.case, f"{fault.sentence} ({fault.reference})", [Pointer("message", arrival.id)])
    for arrival in run.arrivals:
        if differs := _differs(run, arrival) or _date(run, arrival) or repeated(run, arrival):
            if ENCODED_WORD in differs and (told := where_too(run, "text", _encodes_wrongly)):
                return unproven(run.case, differs, because=told)
            return broken(run.case, differs, [Pointer("message", arrival.id)])
    return met(run.case)


def _encodes_wrongly(run: JudgedRun) -> bool:
    """Whether an encoded word of a run's messages cannot be decoded, which says why one stands in a name."""
    return any(f.severity == "error" and ENCODED_RULES.fullmatch(f.rule) for _, f in _faults(run))


def _form(run: JudgedRun, faults: list[tuple[Arrival, Fault]]) -> Finding | None:
    """What is wrong with the header section's form, from which other faults may come."""
    for arrival, fault in faults:
        if fault.rule in FORM_RULES:
            return broken(run.case, f"{fault.sentence} ({fault.reference})", [Pointer("message", arrival.id)])
    for arrival in run.arrivals:
        if early := ends_early(run, arrival):
            return broken(run.case, early, [Pointer("message", arrival.id)])
    return None


@of_runs
def text(run: JudgedRun) -> Finding:
    """Subject, the author's name and the body arrive as they were given (RFC 2045, RFC 2047)."""
    return _or_headers_affair(run, _text(run))


def _text(run: JudgedRun) -> Finding:
    if not run.arrivals:
        return nothing(run)
    for arrival, fault in _faults(run):
        if fault.severity == "error" and TEXT_RULES.fullmatch(fault.rule):
            said = f"{fault.sentence} ({fault.reference})"
            if fault.rule == ENCODED_LINE and (told := where_too(run, "lines", _line_faults)):
                return unproven(run.case, said, because=told)
            return broken(run.case, said, [Pointer("message", arrival.id)])
    remark = ""
    for arrival, (_, transaction) in zip(run.arrivals, run.taken, strict=True):
        if wrong := _body_differs(run, arrival):
            if told := where_too(run, "whole", _loses_lines):
                return unproven(run.case, wrong, because=told)
            return broken(run.case, wrong, [Pointer("message", arrival.id)])
        if wrong := _more_text(arrival):
            return broken(run.case, wrong, [Pointer("message", arrival.id)])
        if wrong := _beyond_ascii_differs(run, arrival):
            if told := where_too(run, "header", _alters_words):
                return unproven(run.case, wrong, because=told)
            return broken(run.case, wrong, [Pointer("message", arrival.id)])
        if not arrival.raw.isascii() and not EIGHT_BIT_ASKED.search(transaction.parameters):
            remark = "The text went as 8-bit bytes, which MAIL did not announce (BODY=8BITMIME, RFC 6152)."
    return met(run.case, remark)


@of_runs
def whole(run: JudgedRun) -> Finding:
    """Every line of a text in ASCII arrives, and arrives as it was. Where no plain text came, ``text`` says so."""
    return _or_headers_affair(run, _whole(run))


def _or_headers_affair(run: JudgedRun, found: Finding) -> Finding:
    """What was found of the text. Where the header keeps it from being found, another check tells of that."""
    return (found.verdict is Verdict.BROKEN and left_to_header(run, _faults(run))) or found


def _whole(run: JudgedRun) -> Finding:
    if not run.arrivals:
        return nothing(run)
    if lost := _lost_lines(run):
        arrival, wrong = lost
        if _decodes_wrongly(run) and (told := where_too(run, "text", _decodes_wrongly)):
            return unproven(run.case, wrong, because=told)
        return broken(run.case, wrong, [Pointer("message", arrival.id)])
    return met(run.case)


def _decodes_wrongly(run: JudgedRun) -> bool:
    """Whether a run's text is not what its fields say of it, so that whoever decodes it reads another one."""
    return any(f.severity == "error" and DECODING_RULES.fullmatch(f.rule) for _, f in _faults(run))


def _lost_lines(run: JudgedRun) -> tuple[Arrival, str] | None:
    """The first message whose text, in ASCII, arrived otherwise, and what is other."""
    for arrival in run.arrivals if run.facts.wanted.body.isascii() else []:
        if _holds_text(arrival) and (wrong := _body_differs(run, arrival)):
            return arrival, wrong
    return None


def _loses_lines(run: JudgedRun) -> bool:
    """Whether a text in ASCII arrived otherwise too: then it is no matter of characters."""
    return _lost_lines(run) is not None


@of_runs
def lines(run: JudgedRun) -> Finding:
    """Every line, of commands and of the message, ends with CR LF, and none has more than 998 bytes."""
    for conversation in run.facts.conversations:
        for line in conversation.bare:
            said = run.session(conversation).lines[line].text
            return broken(
                run.case,
                f"The line {quoted(said)} of the session ends with LF alone (RFC 5321 section 2.3.8).",
                run.pointers(conversation, line),
            )
    if not run.arrivals:
        return nothing(run)
    for arrival, fault in _line_faults(run):
        return broken(run.case, f"{fault.sentence} ({fault.reference})", [Pointer("message", arrival.id)])
    return met(run.case)


def _line_faults(run: JudgedRun) -> list[tuple[Arrival, Fault]]:
    return [(arrival, fault) for arrival, fault in _faults(run) if fault.rule in LINE_RULES]


def _faults(run: JudgedRun) -> list[tuple[Arrival, Fault]]:
    """What is wrong with the form of the run's messages."""
    found = []
    for arrival, (_, transaction) in zip(run.arrivals, run.taken, strict=True):
        utf8 = UTF8_ASKED.search(transaction.parameters) is not None
        found += [(arrival, fault) for fault in check_message(arrival.raw, smtputf8=utf8)]
    return found


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


def _differs(run: JudgedRun, arrival: Arrival) -> str:
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


def _alters_words(run: JudgedRun) -> bool:
    """Whether a name or a subject in ASCII arrived otherwise too: then it is no matter of characters."""
    wanted = run.facts.wanted
    plain = (wanted.subject + wanted.from_name).isascii()
    return plain and any(_words_differ(run, arrival) for arrival in run.arrivals)


def _beyond_ascii_differs(run: JudgedRun, arrival: Arrival) -> str:
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


def _date(run: JudgedRun, arrival: Arrival) -> str:
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


def _body_differs(run: JudgedRun, arrival: Arrival) -> str:
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


def _more_text(arrival: Arrival) -> str:
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


def _holds_text(arrival: Arrival) -> bool:
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

"""What the messages look like that the server took: header, text, lines."""

from __future__ import annotations

import re

from grader.formats.message import Fault, check_message
from grader.kinds.program.judge import differences
from grader.kinds.program.judge.form import FORM_RULES, ends_early, left_to_header
from grader.kinds.program.judge.identifiers import repeated
from grader.kinds.program.judge.runs import JudgedRun, nothing, of_runs, where_too
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
WORD_LIMIT = "encoded-word-limit"
"""Encoded words a little longer than they may be, as common libraries make them: every reader takes them."""
ALSO_WRONG = frozenset({"missing-message-id"})
"""Rules that the standard only recommends, and a submitted message must keep (RFC 6409 section 8.3)."""
OTHERS_AFFAIR = frozenset({"bcc-left"})
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
            return broken(run.case, f"{fault.sentence} ({fault.reference})", [_place(arrival, fault)])
    for arrival in run.arrivals:
        if (
            differs := differences.header_differs(run, arrival)
            or differences.date_differs(run, arrival)
            or repeated(run, arrival)
        ):
            if ENCODED_WORD in differs and (told := where_too(run, "text", _encodes_wrongly)):
                return unproven(run.case, differs, because=told)
            return broken(run.case, differs, [Pointer("message", arrival.id)])
    return met(run.case)


def _place(arrival: Arrival, fault: Fault) -> Pointer:
    """The line of a fault; the message, where what is wrong is that a line is not there."""
    absent = fault.rule.startswith("missing-")
    return Pointer("message", arrival.id, None if absent else fault.line - 1)


def _encodes_wrongly(run: JudgedRun) -> bool:
    """Whether an encoded word of a run's messages cannot be decoded, which says why one stands in a name."""
    return any(f.severity == "error" and ENCODED_RULES.fullmatch(f.rule) for _, f in _faults(run))


def _form(run: JudgedRun, faults: list[tuple[Arrival, Fault]]) -> Finding | None:
    """What is wrong with the header section's form, from which other faults may come."""
    for arrival, fault in faults:
        if fault.rule in FORM_RULES:
            return broken(run.case, f"{fault.sentence} ({fault.reference})", [_place(arrival, fault)])
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
            return broken(run.case, said, [_place(arrival, fault)])
    remark = next((f"{f.sentence} ({f.reference})" for _, f in _faults(run) if f.rule == WORD_LIMIT), "")
    for arrival, (_, transaction) in zip(run.arrivals, run.taken, strict=True):
        if wrong := differences.body_differs(run, arrival):
            if told := where_too(run, "whole", _loses_lines):
                return unproven(run.case, wrong, because=told)
            return broken(run.case, wrong, [Pointer("message", arrival.id)])
        if wrong := differences.more_text(arrival):
            return broken(run.case, wrong, [Pointer("message", arrival.id)])
        if wrong := differences.beyond_ascii_differs(run, arrival):
            if told := where_too(run, "header", differences.alters_words):
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
        if differences.holds_text(arrival) and (wrong := differences.body_differs(run, arrival)):
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
        return broken(run.case, f"{fault.sentence} ({fault.reference})", [_place(arrival, fault)])
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

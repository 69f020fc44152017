"""``check_message``, and the rules about bytes, lines and the header's fields."""

from __future__ import annotations

import re
from collections.abc import Iterator

from grader.formats.message import words
from grader.formats.message.addresses import Addresses, parse_addresses
from grader.formats.message.charsets import fits
from grader.formats.message.dates import check_date
from grader.formats.message.lexer import ENCODED_WORD, Malformed, comment_end, without_comments
from grader.formats.message.mime import check_mime
from grader.formats.message.parse import Field, Part, parse
from grader.formats.message.report import Fault, Report

LONGEST_LINE = 998
LONGEST_COMFORTABLE_LINE = 78

REQUIRED = ("Date", "From")
SINGLE = (
    "Date", "From", "Sender", "Reply-To", "To", "Cc", "Bcc", "Message-ID", "In-Reply-To", "References", "Subject",
    "Return-Path", "MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Content-ID", "Content-Description",
    "Content-Disposition",
)  # fmt: skip
ADDRESSES = {
    "from", "sender", "reply-to", "to", "cc",
    "resent-from", "resent-sender", "resent-to", "resent-cc",
}  # fmt: skip
IDENTIFIERS = {"message-id", "in-reply-to", "references", "resent-message-id", "content-id"}
UNSTRUCTURED = {"subject", "comments", "content-description"}
PLAIN = {
    "date", "resent-date", "received", "message-id", "in-reply-to", "references", "mime-version", "content-type",
    "content-transfer-encoding", "content-disposition", "content-id",
}  # fmt: skip

_LINE = re.compile(rb"[^\n]*\n|[^\n]+\Z")
_BARE_CR = re.compile(rb"\r(?!\n)")
_BARE_LF = re.compile(rb"(?<!\r)\n")
_CONTROL = re.compile(rb"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\udc80-\udcff]+"
_DOTTED = rf"{_ATOM}(?:\.{_ATOM})*"
_IDENTIFIER = re.compile(rf"<{_DOTTED}@(?P<right>{_DOTTED}|\[[^\[\]\\\s]*\])>")
_NOT_UNIQUE = re.compile(r"localhost(?:\.localdomain)?|local|\[127\..*\]", re.IGNORECASE)


def check_message(raw: bytes, *, smtputf8: bool = False) -> list[Fault]:
    """What is wrong with a message as it is sent, in the order of the bytes; empty where nothing is.

    ``smtputf8`` says that it is sent with that extension, which allows UTF-8 in the header (RFC 6532). Where
    the message is broken so that later bytes cannot be understood, they are not looked at. Never raises.
    """
    report = Report(raw)
    _check_lines(raw, report)
    message = parse(raw, report)
    _check_characters(raw, message, report, smtputf8=smtputf8)
    _check_presence(message, report)
    for field in message.fields:
        check_field(field, report)
    _check_authors(message, report)
    check_mime(message, report)
    return sorted(report.faults, key=lambda fault: fault.offset)


def check_field(field: Field, report: Report) -> None:
    """Hold one field's body against its own grammar."""
    key = field.key
    if key in ADDRESSES:
        _check_addresses(field, report)
        words.check_phrases(field, report)
    elif key in UNSTRUCTURED:
        words.check_text(field, report)
    elif key in PLAIN:
        words.check_absent(field, report)
    if key in ("date", "resent-date"):
        check_date(field.text, field.offset, field.name, report)
    elif key == "received":
        _check_received(field, report)
    elif key in IDENTIFIERS:
        _check_identifiers(field, report)


def _check_lines(raw: bytes, report: Report) -> None:
    for rule, pattern in (("bare-cr", _BARE_CR), ("bare-lf", _BARE_LF), ("nul", re.compile(rb"\x00"))):
        first = pattern.search(raw)
        if first:
            report.add(rule, first.start(), count=sum(1 for _ in pattern.finditer(raw)))
    too_long, long = [], []
    for found in _LINE.finditer(raw):
        line = found[0].removesuffix(b"\n").removesuffix(b"\r")
        if len(line) > LONGEST_LINE:
            too_long.append((found.start(), len(line)))
        elif len(line) > LONGEST_COMFORTABLE_LINE:
            # The shorter limit is about what a reader sees, so it counts characters.
            characters = len(line) - sum(1 for byte in line if byte & 0xC0 == 0x80)
            if characters > LONGEST_COMFORTABLE_LINE:
                long.append((found.start(), characters))
    for rule, lines in (("line-too-long", too_long), ("line-long", long)):
        if lines:
            report.add(rule, lines[0][0], length=lines[0][1], count=len(lines))


def _check_characters(raw: bytes, message: Part, report: Report, *, smtputf8: bool) -> None:
    if control := _CONTROL.search(raw, 0, message.body_offset):
        report.add("control-character", control.start(), code=f"0x{control[0][0]:02X}")
    for field in message.fields:
        if field.text.isascii():
            continue
        data = field.text.encode("ascii", "surrogateescape")
        if not smtputf8:
            byte = next(byte for byte in data if byte > 127)
            report.add("header-8bit", field.offset, field.name, byte=f"0x{byte:02X}")
        elif not fits(data, "utf-8"):
            report.add("header-not-utf8", field.offset, field.name)


def _check_presence(message: Part, report: Report) -> None:
    for name in REQUIRED:
        if not message.first(name.lower()):
            report.add("missing-field", 0, name)
    if not message.first("message-id"):
        report.add("missing-message-id", 0, "Message-ID")
    for name in SINGLE:
        same = message.all(name.lower())
        if len(same) > 1:
            report.add("repeated-field", same[1].offset, name, count=len(same))
    for bcc in message.all("bcc") + message.all("resent-bcc"):
        if bcc.text.strip():
            report.add("bcc-left", bcc.offset, bcc.name)
    _check_resent(message, report)


def _check_resent(message: Part, report: Report) -> None:
    resent = next((field for field in message.fields if field.key.startswith("resent-")), None)
    for name in ("Resent-Date", "Resent-From"):
        if resent and not message.first(name.lower()):
            report.add("resent-incomplete", resent.offset, resent.name, missing=name)
            return


def _check_authors(message: Part, report: Report) -> None:
    author = message.first("from")
    if author is None or message.first("sender"):
        return
    found = _parsed(author)
    if found and len(found.mailboxes) > 1:
        report.add("sender-missing", author.offset, "From", count=len(found.mailboxes))


def _parsed(field: Field) -> Addresses | None:
    try:
        return parse_addresses(field.text)
    except Malformed:
        return None


def _check_addresses(field: Field, report: Report) -> None:
    try:
        found = parse_addresses(field.text)
    except Malformed as error:
        near = field.text[max(0, error.position - 10) : error.position + 20].strip()
        report.add(
            "address-syntax", field.offset, field.name, what=error.what, text=near or field.text.strip()
        )
        return
    for mailbox in found.mailboxes:
        if mailbox.dotted:
            report.add("display-name-dot", field.offset, field.name, text=mailbox.name)
            break
    for mailbox in found.mailboxes:
        if "." not in mailbox.domain and not mailbox.domain.startswith("["):
            report.add("address-unqualified", field.offset, field.name, text=mailbox.domain)
            break
    if field.key in ("sender", "resent-sender") and found.count != 1:
        report.add("one-address", field.offset, field.name, count=found.count)
    elif field.key in ("from", "sender", "resent-from", "resent-sender") and found.groups:
        report.add("from-group", field.offset, field.name)


def _check_received(field: Field, report: Report) -> None:
    try:
        plain = without_comments(field.text)
    except Malformed:
        plain = field.text
    # Before the semicolon a comment is enough, as in qmail's own lines, or nothing (RFC 5322, erratum 3979).
    _, semicolon, moment = plain.rpartition(";")
    if semicolon:
        check_date(moment, field.offset, field.name, report)
    else:
        report.add("received-syntax", field.offset, field.name)


def _check_identifiers(field: Field, report: Report) -> None:
    if ENCODED_WORD.search(field.text):
        return
    count = 0
    for text, found in _identifiers(field.text):
        if found is None:
            report.add("message-id-syntax", field.offset, field.name, text=text, what=_what_is_wrong(text))
            return
        count += 1
        if _NOT_UNIQUE.fullmatch(found["right"]) and field.key.endswith("message-id"):
            report.add("message-id-local", field.offset, field.name, text=found["right"])
    if count == 0 or (count > 1 and field.key not in ("in-reply-to", "references")):
        what = "it is empty" if count == 0 else "it holds more than one identifier"
        report.add("message-id-syntax", field.offset, field.name, text=field.text.strip(), what=what)


def _identifiers(text: str) -> Iterator[tuple[str, re.Match[str] | None]]:
    """Each identifier's text and match; ``None`` for the first that is none, which ends it."""
    position = 0
    while position < len(text):
        if text[position] in " \t\r\n":
            position += 1
            continue
        if text[position] == "(":
            try:
                position = comment_end(text, position)
            except Malformed:
                yield text[position:], None
                return
            continue
        found = _IDENTIFIER.match(text, position)
        yield (found[0] if found else text[position:].strip()), found
        if found is None:
            return
        position = found.end()


def _what_is_wrong(text: str) -> str:
    if not text.startswith("<"):
        return "no angle bracket begins it"
    inside, closed, _ = text[1:].partition(">")
    if not closed:
        return "no angle bracket ends it"
    if re.search(r"\s", inside):
        return "it holds white space"
    if inside.count("@") != 1:
        return "it needs exactly one @"
    return "a side of the @ is no row of words with single dots between them"

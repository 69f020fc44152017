"""Encoded words in header fields (RFC 2047): their form, their place and what they decode to."""

from __future__ import annotations

import binascii
import re

from grader.formats.message.charsets import fits, hides_control, known_charset
from grader.formats.message.lexer import ENCODED_WORD, Malformed, tokens, without_comments
from grader.formats.message.parse import Field
from grader.formats.message.report import Report

LONGEST = 75
OF_LIBRARIES = 78
"""To which length encoded words are made by libraries that count no more than the line (RFC 5322 section 2.1.1)."""
_PARTING = re.compile(r'[()<>@,;:\\"\[\]]')
"""Signs that an encoded word in a phrase must not hold (RFC 2047 section 5, rule 3), as far as readers stumble over
them: who looks for the addresses of a list first, and decodes then, ends one there. A dot does no harm."""
_START = re.compile(r"=\?[^\s?=]+\?[^\s?]?\?")
_WORD = re.compile(r"=\?([^\s?]+)\?([^\s?])\?([^\s?]*)\?=")
_Q = re.compile(r"(?:[!-<>@-~]|=[0-9A-Fa-f]{2})*")
_B = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


def check_text(field: Field, report: Report) -> None:
    """Hold the encoded words of an unstructured field against RFC 2047."""
    _check_words(field, field.text, set(" \t\r\n"), report)


def check_phrases(field: Field, report: Report) -> None:
    """Hold the encoded words of an address field, whose display names may hold some, against RFC 2047."""
    try:
        found = tokens(field.text)
    except Malformed:
        return
    if any(token.kind in ("quoted", "literal") and ENCODED_WORD.search(token.text) for token in found):
        report.add("encoded-word-place", field.offset, field.name, where="a quoted string")
        return
    for place, token in enumerate(found):
        beside = [other.kind for other in found[max(0, place - 1) : place + 2] if other is not token]
        if ENCODED_WORD.fullmatch(token.text) and "@" in beside:
            report.add("encoded-word-place", field.offset, field.name, where="an address")
            return
        word = _WORD.fullmatch(token.text)
        if word is not None and word[2] in "qQ" and (sign := _PARTING.search(word[3])) is not None:
            code = f"{ord(sign[0]):02X}"
            report.add("encoded-word-phrase", field.offset, field.name, sign=sign[0], code=code)
            return
    _check_words(field, field.text, set(" \t\r\n()"), report)


def check_absent(field: Field, report: Report) -> None:
    """Report encoded words in a structured field that has no phrases; comments may hold some."""
    try:
        plain = without_comments(field.text)
    except Malformed:
        return
    if ENCODED_WORD.search(plain):
        report.add("encoded-word-place", field.offset, field.name, where="a structured field")


def _check_words(field: Field, text: str, apart: set[str], report: Report) -> None:
    """One fault of each kind a field: the first."""
    told: set[str] = set()
    position = 0
    while start := _START.search(text, position):
        found = _WORD.match(text, start.start())
        rule, values = _wrong(text, start, found, apart)
        if rule and rule not in told:
            told.add(rule)
            report.add(rule, field.offset, field.name, **values)
        position = found.end() if found else start.end()


def _wrong(
    text: str, start: re.Match[str], found: re.Match[str] | None, apart: set[str]
) -> tuple[str, dict[str, object]]:
    """The rule that an encoded word breaks, and what fills its sentence; an empty rule where it breaks none."""
    if found is None:
        shown = text[start.start() : start.start() + 40]
        return "encoded-word-syntax", {"text": shown, "what": "it has no end, or a space or '?' inside"}
    before, after = text[max(0, found.start() - 1) : found.start()], text[found.end() : found.end() + 1]
    if (before and before not in apart) or (after and after not in apart):
        return "encoded-word-joined", {}
    if len(found[0]) > OF_LIBRARIES:
        return "encoded-word-length", {"length": len(found[0])}
    charset = found[1].partition("*")[0]
    if not known_charset(charset):
        return "charset-unknown", {"text": charset}
    data = decode_word(found[2], found[3])
    if isinstance(data, str):
        return "encoded-word-syntax", {"text": found[0], "what": data}
    if not fits(data, charset):
        return "encoded-word-charset", {"charset": charset}
    if hides_control(data, charset):
        return "encoded-word-control", {}
    return ("encoded-word-limit", {"length": len(found[0])}) if len(found[0]) > LONGEST else ("", {})


def decode_word(encoding: str, text: str) -> bytes | str:
    """The bytes of an encoded word, or what is wrong with it."""
    if encoding in "qQ":
        if not _Q.fullmatch(text):
            return "'=' must be followed by two hexadecimal digits"
        return binascii.a2b_qp(text.encode("ascii"), header=True)
    if encoding in "bB":
        if not _B.fullmatch(text):
            return "the text is not base64"
        return binascii.a2b_base64(text)
    return f"the encoding is {encoding}, neither Q nor B"

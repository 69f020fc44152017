"""The rules of MIME: that a body is what its Content-Type and Content-Transfer-Encoding say it is (RFC 2045, 2046)."""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable

from grader.formats.message.charsets import fits, known_charset
from grader.formats.message.contenttype import ContentType, boundary_fault, parse_content_type
from grader.formats.message.lexer import Malformed, without_comments
from grader.formats.message.parse import Part, parse
from grader.formats.message.report import Report

DEEPEST = 20
MOST_PARTS = 500
LONGEST_ENCODED_LINE = 76

_MIME_FIELDS = ("content-type", "content-transfer-encoding")
_ENCODINGS = ("7bit", "8bit", "binary", "quoted-printable", "base64")
_TOKEN = re.compile(r"[^\s()<>@,;:\\\"/\[\]?=\x00-\x1f\x7f]+")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=\r\n]")
_EIGHT_BIT = re.compile(rb"[\x80-\xff]")
_QP_LINE = re.compile(rb"(?:[!-<>-~ \t]|=[0-9A-F]{2})*=?")
_PLAIN = ContentType("text/plain", {})


def check_mime(message: Part, report: Report) -> None:
    """Hold a message's MIME fields and all its parts against the rules."""
    version = message.first("mime-version")
    described = next((field for field in message.fields if field.key in _MIME_FIELDS), None)
    if version:
        _check_version(version.text, version.offset, report)
    elif described:
        report.add("mime-version-missing", described.offset, described.name)
    _Checker(report).check(message, 0, _PLAIN)


def _check_version(text: str, offset: int, report: Report) -> None:
    try:
        plain = "".join(without_comments(text).split())
    except Malformed:
        plain = ""
    if plain != "1.0":
        report.add("mime-version-value", offset, "MIME-Version", text=text.strip())


class _Checker:
    """Walks a message's parts, at most ``MOST_PARTS`` of them and ``DEEPEST`` deep."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._parts = 0
        self._given_up = False

    def check(self, part: Part, depth: int, default: ContentType) -> None:
        """Check a part and what it holds. ``default`` is its type where it names none (RFC 2046 section 5.1.5)."""
        self._parts += 1
        if depth > DEEPEST or self._parts > MOST_PARTS:
            if not self._given_up:
                self._report.add("mime-nesting", part.offset)
            self._given_up = True
            return
        type_ = self._type(part, default)
        encoding = self._encoding(part)
        if type_ is None or encoding is None:
            return
        encoded = encoding in ("quoted-printable", "base64")
        # RFC 6532 section 3.7 lets message/global be encoded; then it is a leaf to all that look from outside.
        if (
            type_.main == "multipart"
            or type_.name == "message/rfc822"
            or (type_.name == "message/global" and not encoded)
        ):
            self._composite(part, type_, encoding, depth)
        else:
            self._leaf(part, type_, encoding)

    def _type(self, part: Part, default: ContentType) -> ContentType | None:
        field = part.first("content-type")
        if field is None:
            return default
        try:
            return parse_content_type(field.text)
        except Malformed as error:
            text = field.text.strip()
            self._report.add("content-type-syntax", field.offset, field.name, text=text, what=error.what)
            return None

    def _encoding(self, part: Part) -> str | None:
        """The Content-Transfer-Encoding in lower case; empty where there is none, ``None`` where it is unknown."""
        field = part.first("content-transfer-encoding")
        if field is None:
            return ""
        try:
            name = without_comments(field.text).strip().lower()
        except Malformed:
            name = ""
        if name not in _ENCODINGS and not (name.startswith("x-") and _TOKEN.fullmatch(name)):
            self._report.add("encoding-unknown", field.offset, field.name, text=field.text.strip())
            return None
        if name == "binary":
            self._report.add("encoding-binary", field.offset, field.name)
        return name

    def _composite(self, part: Part, type_: ContentType, encoding: str, depth: int) -> None:
        if encoding in ("quoted-printable", "base64"):
            self._report.add(
                "encoding-composite", part.offset, "Content-Type", type=type_.name, encoding=encoding
            )
            return
        before = len(self._report.faults)
        if type_.main == "multipart":
            self._multipart(part, type_, depth)
        else:
            self.check(parse(part.body, self._report, part.body_offset), depth + 1, _PLAIN)
        told = any(fault.rule in ("body-8bit", "multipart-8bit") for fault in self._report.faults[before:])
        eight = _EIGHT_BIT.search(part.body)
        if eight and encoding in ("", "7bit") and not told:
            self._report.add("multipart-8bit", part.body_offset + eight.start(), type=type_.name)

    def _multipart(self, part: Part, type_: ContentType, depth: int) -> None:
        boundary = type_.parameters.get("boundary", "")
        if not boundary:
            self._report.add("boundary-missing", part.offset, "Content-Type", type=type_.name)
            return
        if fault := boundary_fault(boundary):
            self._report.add("boundary-syntax", part.offset, "Content-Type", text=boundary, what=fault)
            return
        delimiter = re.compile(
            rb"(?:\A|(?<=\n))--" + re.escape(boundary.encode()) + rb"(--)?[ \t]*(?:\r?\n|\Z)"
        )
        found = list(delimiter.finditer(part.body))
        if not found or found[0][1]:
            self._report.add("boundary-absent", part.offset, "Content-Type", text=boundary)
            return
        default = ContentType("message/rfc822", {}) if type_.name == "multipart/digest" else _PLAIN
        for place, start in enumerate(found):
            if start[1]:
                return
            end = found[place + 1].start() if place + 1 < len(found) else len(part.body)
            # The line end before a delimiter belongs to the delimiter.
            data = part.body[start.end() : end].removesuffix(b"\n").removesuffix(b"\r")
            self.check(parse(data, self._report, part.body_offset + start.end()), depth + 1, default)
        self._report.add("boundary-unclosed", part.offset, "Content-Type", text=boundary)

    def _leaf(self, part: Part, type_: ContentType, encoding: str) -> None:
        if encoding in ("", "7bit") and (eight := _EIGHT_BIT.search(part.body)):
            default = "" if encoding else " (the default)"
            byte = f"0x{eight[0][0]:02X}"
            self._report.add("body-8bit", part.body_offset + eight.start(), byte=byte, default=default)
            return
        decode = _DECODERS.get(encoding)
        data = decode(part, self._report) if decode else part.body
        if data is not None and type_.main == "text":
            self._charset(part, type_, data)

    def _charset(self, part: Part, type_: ContentType, data: bytes) -> None:
        charset = type_.parameters.get("charset")
        if charset is None:
            if not data.isascii():
                self._report.add("charset-missing", part.body_offset)
        elif not known_charset(charset):
            self._report.add("charset-unknown", part.offset, "Content-Type", text=charset)
        elif not fits(data, charset):
            self._report.add("charset-mismatch", part.body_offset, charset=charset)


def _from_base64(part: Part, report: Report) -> bytes | None:
    """The body decoded; ``None`` after a fault (RFC 2045 section 6.8)."""
    if strange := _NOT_BASE64.search(part.body):
        what = f"it holds the byte 0x{strange[0][0]:02X}"
        report.add("base64-broken", part.body_offset + strange.start(), what=what)
        return None
    _check_lengths(part, "base64", report)
    text = b"".join(part.body.split())
    if what := _base64_fault(text):
        report.add("base64-broken", part.body_offset, what=what)
        return None
    return binascii.a2b_base64(text)


def _base64_fault(text: bytes) -> str:
    plain = text.rstrip(b"=")
    if b"=" in plain:
        return "it goes on behind the = that ends it"
    if len(text) % 4 or len(text) - len(plain) > 2:
        return "its letters and signs do not come out even at four"
    return ""


def _from_quoted_printable(part: Part, report: Report) -> bytes | None:
    """The body decoded; ``None`` after a fault (RFC 2045 section 6.7)."""
    position = part.body_offset
    for line in part.body.split(b"\n"):
        text = line.removesuffix(b"\r")
        if what := _quoted_printable_fault(text):
            report.add("quoted-printable-broken", position, what=what)
            return None
        position += len(line) + 1
    _check_lengths(part, "quoted-printable", report)
    return binascii.a2b_qp(part.body)


def _quoted_printable_fault(line: bytes) -> str:
    if line.endswith((b" ", b"\t")):
        return "a line ends with white space, which gets lost on the way"
    if _QP_LINE.fullmatch(line):
        return ""
    if eight := _EIGHT_BIT.search(line):
        return f"it holds the byte 0x{eight[0][0]:02X}"
    return "'=' must be followed by two capital hexadecimal digits or the end of the line"


def _check_lengths(part: Part, encoding: str, report: Report) -> None:
    position = part.body_offset
    for line in part.body.split(b"\n"):
        length = len(line.removesuffix(b"\r"))
        if length > LONGEST_ENCODED_LINE:
            report.add("encoded-line-length", position, encoding=encoding, length=length)
            return
        position += len(line) + 1


_DECODERS: dict[str, Callable[[Part, Report], bytes | None]] = {
    "base64": _from_base64,
    "quoted-printable": _from_quoted_printable,
}

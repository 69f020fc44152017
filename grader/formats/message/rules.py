"""All rules: what each says where it is broken, how grave that is, and where the RFCs have it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Severity = Literal["error", "warning"]


class Rule(Struct, frozen=True):
    """A rule. ``sentence`` says what is wrong where it is broken; its braces are filled with what was found."""

    id: str
    severity: Severity
    reference: str
    sentence: str


_ALL = (
    # Lines and bytes
    Rule(
        "bare-cr",
        "error",
        "RFC 5322 section 2.3",
        "A CR stands without its LF ({count} in all); lines end with both.",
    ),
    Rule(
        "bare-lf",
        "error",
        "RFC 5322 section 2.3",
        "A line ends with LF alone ({count} in all); lines end with CR and LF.",
    ),
    Rule(
        "nul",
        "error",
        "RFC 2045 section 2.7",
        "The message holds a NUL byte ({count} in all).",
    ),
    Rule(
        "line-too-long",
        "error",
        "RFC 5322 section 2.1.1",
        "A line is {length} bytes long; none may be longer than 998 ({count} in all).",
    ),
    Rule(
        "control-character",
        "error",
        "RFC 5322 section 2.2",
        "The header holds the control character {code}.",
    ),
    Rule(
        "header-8bit",
        "error",
        "RFC 5322 section 2.2",
        "{field} holds the byte {byte}, which is not ASCII, and SMTPUTF8 is not used.",
    ),
    Rule(
        "header-not-utf8",
        "error",
        "RFC 6532 section 3.1",
        "{field} holds bytes that are not UTF-8.",
    ),
    # The header section's form
    Rule(
        "continuation-first",
        "error",
        "RFC 5322 section 2.2.3",
        "The first line begins with white space, and there is no field that it could continue.",
    ),
    Rule(
        "mbox-from",
        "error",
        "RFC 5322 section 2.2",
        "The line 'From ' of a mailbox file stands before the header; it is no part of a message.",
    ),
    Rule(
        "missing-separator",
        "error",
        "RFC 5322 section 2.1",
        "The line '{text}' is no header field: an empty line belongs before the body.",
    ),
    Rule(
        "field-name",
        "error",
        "RFC 5322 section 2.2",
        "The field name '{text}' holds characters other than printable ASCII.",
    ),
    Rule(
        "space-before-colon",
        "error",
        "RFC 5322 section 4.5",
        "White space stands between the name {field} and its colon.",
    ),
    Rule(
        "fold-blank",
        "error",
        "RFC 5322 section 3.2.2",
        "A folded line of {field} holds nothing but white space.",
    ),
    # Which fields, and how often
    Rule(
        "missing-field",
        "error",
        "RFC 5322 section 3.6",
        "The field {field} is missing; every message needs it.",
    ),
    Rule(
        "repeated-field",
        "error",
        "RFC 5322 section 3.6",
        "{field} stands {count} times; it may stand once.",
    ),
    Rule(
        "sender-missing",
        "error",
        "RFC 5322 section 3.6.2",
        "From names {count} authors, so Sender must say which of them sent the message.",
    ),
    Rule(
        "bcc-left",
        "error",
        "RFC 5322 section 3.6.3",
        "Bcc still names the blind copies' recipients; everybody who gets the message can read it.",
    ),
    Rule(
        "resent-incomplete",
        "error",
        "RFC 5322 section 3.6.6",
        "{field} is there without {missing}.",
    ),
    # Dates
    Rule(
        "date-syntax",
        "error",
        "RFC 5322 section 3.3",
        "{field} '{text}' is no date of the form 'Sat, 21 Feb 2026 10:00:00 -0500'.",
    ),
    Rule(
        "date-obsolete",
        "error",
        "RFC 5322 section 4.3",
        "{field} has {what}, a form that may be read but no longer be written.",
    ),
    Rule(
        "date-impossible",
        "error",
        "RFC 5322 section 3.3",
        "{field} names a moment that does not exist: {what}.",
    ),
    Rule(
        "date-weekday",
        "error",
        "RFC 5322 section 3.3",
        "{field} says {said}, but that day is a {really}.",
    ),
    Rule(
        "received-syntax",
        "error",
        "RFC 5322 section 3.6.7",
        "Received has no semicolon with the date behind it.",
    ),
    # Identifiers
    Rule(
        "message-id-syntax",
        "error",
        "RFC 5322 section 3.6.4",
        "{field} '{text}' is not of the form <left@right>: {what}.",
    ),
    # Addresses
    Rule(
        "address-syntax",
        "error",
        "RFC 5322 section 3.4",
        "{field} is no list of addresses: {what} at '{text}'.",
    ),
    Rule(
        "display-name-dot",
        "error",
        "RFC 5322 section 4.1",
        "{field} has a dot in the display name '{text}' outside quotes.",
    ),
    Rule(
        "one-address",
        "error",
        "RFC 5322 section 3.6.2",
        "{field} holds {count} addresses; it takes exactly one.",
    ),
    # Encoded words
    Rule(
        "encoded-word-syntax",
        "error",
        "RFC 2047 section 2",
        "{field} has a broken encoded word '{text}': {what}.",
    ),
    Rule(
        "encoded-word-length",
        "error",
        "RFC 2047 section 2",
        "{field} has an encoded word of {length} characters; 75 is the most.",
    ),
    Rule(
        "encoded-word-limit",
        "warning",
        "RFC 2047 section 2",
        "{field} has an encoded word of {length} characters; 75 is the most, and libraries that fill a line make more.",
    ),
    Rule(
        "encoded-word-charset",
        "error",
        "RFC 2047 section 5",
        "{field} has an encoded word whose bytes are not whole characters of {charset}.",
    ),
    Rule(
        "encoded-word-joined",
        "error",
        "RFC 2047 section 5",
        "{field} has an encoded word that touches the text beside it; white space must part them.",
    ),
    Rule(
        "encoded-word-place",
        "error",
        "RFC 2047 section 5",
        "{field} has an encoded word inside {where}, where it is not decoded.",
    ),
    Rule(
        "encoded-word-phrase",
        "error",
        "RFC 2047 section 5",
        "{field} has an encoded word with '{sign}' in it, at which readers part addresses; there Q writes ={code}.",
    ),
    # MIME
    Rule(
        "mime-version-missing",
        "error",
        "RFC 2045 section 4",
        "{field} is there without MIME-Version.",
    ),
    Rule(
        "mime-version-value",
        "error",
        "RFC 2045 section 4",
        "MIME-Version is '{text}'; the only version is 1.0.",
    ),
    Rule(
        "content-type-syntax",
        "error",
        "RFC 2045 section 5.1",
        "Content-Type '{text}' is not of the form type/subtype; name=value: {what}.",
    ),
    Rule(
        "encoding-unknown",
        "error",
        "RFC 2045 section 6.1",
        "Content-Transfer-Encoding '{text}' is none of 7bit, 8bit, binary, quoted-printable and base64.",
    ),
    Rule(
        "encoding-composite",
        "error",
        "RFC 2045 section 6.4",
        "A {type} is encoded as {encoding}; only its parts may be.",
    ),
    Rule(
        "body-8bit",
        "error",
        "RFC 2045 section 2.7",
        "The body holds the byte {byte}, but its Content-Transfer-Encoding is 7bit{default}.",
    ),
    Rule(
        "base64-broken",
        "error",
        "RFC 2045 section 6.8",
        "The body is not base64: {what}.",
    ),
    Rule(
        "quoted-printable-broken",
        "error",
        "RFC 2045 section 6.7",
        "The body is not quoted-printable: {what}.",
    ),
    Rule(
        "encoded-line-length",
        "error",
        "RFC 2045 section 6.7",
        "A line of {encoding} is {length} characters long; 76 is the most.",
    ),
    Rule(
        "charset-missing",
        "error",
        "RFC 2046 section 4.1.2",
        "The text holds characters beyond ASCII, and Content-Type names no charset.",
    ),
    Rule(
        "charset-mismatch",
        "error",
        "RFC 2046 section 4.1.2",
        "The text is not {charset}, which Content-Type says it is.",
    ),
    Rule(
        "boundary-missing",
        "error",
        "RFC 2046 section 5.1.1",
        "The {type} names no boundary.",
    ),
    Rule(
        "boundary-syntax",
        "error",
        "RFC 2046 section 5.1.1",
        "The boundary '{text}' {what}.",
    ),
    Rule(
        "boundary-absent",
        "error",
        "RFC 2046 section 5.1.1",
        "No part of the body begins with the boundary '{text}'.",
    ),
    Rule(
        "boundary-unclosed",
        "error",
        "RFC 2046 section 5.1.1",
        "The last part is not closed by '--{text}--'.",
    ),
    # Advice
    Rule(
        "line-long",
        "warning",
        "RFC 5322 section 2.1.1",
        "A line is {length} characters long; more than 78 is hard to read ({count} in all).",
    ),
    Rule(
        "missing-message-id",
        "warning",
        "RFC 5322 section 3.6.4",
        "The message has no Message-ID, by which replies and logs could name it.",
    ),
    Rule(
        "message-id-local",
        "warning",
        "RFC 5322 section 3.6.4",
        "{field} ends in '@{text}', a name that many hosts bear, so it may not be unique.",
    ),
    Rule(
        "address-unqualified",
        "warning",
        "RFC 5321 section 2.3.5",
        "{field} has an address at '{text}', which is no full domain name.",
    ),
    Rule(
        "from-group",
        "warning",
        "RFC 6854 section 4",
        "{field} holds a group of addresses; it is meant for special cases alone.",
    ),
    Rule(
        "encoded-word-control",
        "warning",
        "RFC 2047 section 5",
        "{field} has an encoded word that hides a control character.",
    ),
    Rule(
        "encoding-binary",
        "warning",
        "RFC 3030 section 3",
        "Content-Transfer-Encoding is binary, which only servers with BINARYMIME take.",
    ),
    Rule(
        "multipart-8bit",
        "warning",
        "RFC 2045 section 6.4",
        "A {type} with 8-bit parts does not say 8bit in its own Content-Transfer-Encoding.",
    ),
    Rule(
        "charset-unknown",
        "warning",
        "RFC 2046 section 4.1.2",
        "{field} names the charset '{text}', which few programs will know.",
    ),
    Rule(
        "mime-nesting",
        "warning",
        "RFC 2046 section 5.1",
        "The message has more parts, or parts in parts, than are looked at here.",
    ),
)

RULES: dict[str, Rule] = {rule.id: rule for rule in _ALL}
"""All rules by their id."""

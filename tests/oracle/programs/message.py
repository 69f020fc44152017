"""What a reader makes of a message, and how that differs from what was asked for."""

from __future__ import annotations

import binascii
import quopri
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parsedate_to_datetime

from tests.oracle.faults import Doubt, Fault
from tests.oracle.programs.addresses import ENCODED, Bad, mailboxes, unstructured
from tests.oracle.programs.dialogue import Transaction, unstuffed
from tests.oracle.programs.letters import Letter

Told = Iterator[Fault | Doubt]

LONGEST = 998
LONGEST_WORD, LIBRARIES_WORD = 75, 78
"""Characters of an encoded word (RFC 2047 section 2); and of those that Python's own library makes now and then."""
ONCE = ("date", "from", "to", "subject", "message-id")
MIME_FIELDS = ("mime-version", "content-type", "content-transfer-encoding")
SINGLE = (*ONCE, "cc", "bcc", "sender", "reply-to", "in-reply-to", "references", *MIME_FIELDS)
"""Fields that stand once at most (RFC 5322 section 3.6, RFC 2045)."""
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_FIELD = re.compile(rb"([!-9;-~]+):(.*)", re.DOTALL)
_DATE = re.compile(
    r"\s*(?:(Mon|Tue|Wed|Thu|Fri|Sat|Sun),)?\s*\d{1,2}\s+(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
    r"\s+\d{4}\s+\d\d:\d\d(?::\d\d)?\s+[+-]\d{4}\s*(?:\([^()]*\)\s*)?\Z"
)
_DOT_ATOM = r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*"
_ID = re.compile(rf"\s*<{_DOT_ATOM}@(?:{_DOT_ATOM}|\[[!-Z^-~]*\])>\s*\Z", re.ASCII)


def faults_of(transaction: Transaction, letter: Letter) -> Told:
    """Everything that is wrong with the message of a transaction."""
    assert transaction.text is not None
    raw = unstuffed(transaction.text)
    yield from _line_faults(raw)
    raw = re.sub(rb"\r\n|\r|\n", b"\r\n", raw)
    head, _, body = raw.partition(b"\r\n\r\n")
    if raw.startswith(b"\r\n"):
        head, body = b"", raw[2:]
    fields, broken = _fields(head)
    for line in broken:
        yield Fault("header", f"a line of the header that is no field: {line[:60]!r}")
    if any(octet > 127 for octet in head):
        if "SMTPUTF8" not in transaction.parameters:
            yield Fault("header", "the header has octets beyond ASCII, without SMTPUTF8")
        try:
            head.decode()
        except UnicodeDecodeError:
            yield Fault("header", "the header is not UTF-8")
    yield from _field_faults(fields, letter)
    yield from _text_faults(fields, head, body, transaction, letter)


def identifier(transaction: Transaction) -> str:
    """The message's identifier, empty where it has none."""
    assert transaction.text is not None
    return str(message_from_bytes(unstuffed(transaction.text)).get("message-id", "")).strip()


def _line_faults(raw: bytes) -> Iterator[Fault]:
    if bare := re.search(rb"(?<!\r)\n|\r(?!\n)", raw):
        yield Fault("lines", f"a bare CR or LF behind {raw[max(0, bare.start() - 30) : bare.start()]!r}")
    longest = max(re.split(rb"\r\n|\n", raw), key=len)
    if len(longest) > LONGEST:
        yield Fault("lines", f"a line of {len(longest)} octets: {longest[:40]!r}")


def _fields(head: bytes) -> tuple[list[tuple[str, str]], list[bytes]]:
    """Names and values, unfolded; and lines that belong to no field."""
    found: list[tuple[str, bytes]] = []
    broken: list[bytes] = []
    for line in head.removesuffix(b"\r\n").split(b"\r\n") if head else []:
        field = _FIELD.fullmatch(line)
        if line[:1] in (b" ", b"\t") and found:
            found[-1] = (found[-1][0], found[-1][1] + line)
        elif field:
            found.append((field[1].decode().lower(), field[2]))
        else:
            broken.append(line)
    return [(name, value.decode("utf-8", "replace")) for name, value in found], broken


def _field_faults(fields: list[tuple[str, str]], letter: Letter) -> Told:
    names = [name for name, _ in fields]
    for name in SINGLE:
        if names.count(name) > 1:
            yield Fault("header", f"{name} stands {names.count(name)} times")
    for name in (*ONCE, *(["cc"] if letter.cc else [])):
        if name not in names:
            yield Fault("header", f"no {name}")
    for name, value in fields:
        for word in ENCODED.finditer(value):
            if len(word[0]) > LONGEST_WORD:
                kind = Doubt if len(word[0]) <= LIBRARIES_WORD else Fault
                yield kind("header", f"{name}: an encoded word of {len(word[0])} characters")
        try:
            yield from _of_field(name, value, letter)
        except Bad as bad:
            yield Fault("header", f"{name}: {bad}")


def _of_field(name: str, value: str, letter: Letter) -> Told:
    if name == "date":
        yield from _of_date(value)
    elif name == "message-id" and not _ID.match(value):
        yield Fault("header", f"no identifier: {value!r}")
    elif name == "from":
        yield from _of_author(value, letter)
    elif name in ("to", "cc"):
        wanted = letter.to if name == "to" else letter.cc
        if sorted(address for _, address in mailboxes(value)) != sorted(wanted):
            yield Fault("header", f"{name} is {value!r} and not {', '.join(wanted)}")
    elif name in ("sender", "reply-to"):
        mailboxes(value)
    elif name == "subject":
        yield from _of_text("subject", unstructured(value), value, letter.subject)


def _of_date(value: str) -> Told:
    if not (found := _DATE.match(value)):
        yield Fault("header", f"no date: {value!r}")
        return
    try:
        date = parsedate_to_datetime(value.strip())
    except ValueError:
        yield Fault("header", f"no date: {value!r}")
        return
    if found[1] and DAYS[date.weekday()] != found[1]:
        yield Fault("header", f"another day of the week: {value!r}")
    away = abs((datetime.now(UTC) - date.astimezone(UTC)).total_seconds())
    if away > 86400:
        yield Fault("header", f"a date of another day: {value!r}")
    elif away > 1200:
        yield Doubt("header", f"a date of another hour: {value!r}")


def _of_author(value: str, letter: Letter) -> Told:
    found = mailboxes(value)
    if len(found) != 1 or found[0][1] != letter.sender:
        yield Fault("header", f"From is {value!r}")
        return
    yield from _of_text("the author's name", found[0][0], value, letter.name)


def _of_text(what: str, shown: str, value: str, wanted: str) -> Told:
    """Whether a text is the one asked for. Of blanks at its ends, and of what only some decode, nothing is said."""
    if shown.removeprefix(" ") == wanted or shown == wanted:
        return
    said = f"{what} is {shown!r} and not {wanted!r}"
    try:
        lenient = str(make_header(decode_header(value.strip())))
    except (ValueError, LookupError):
        lenient = ""
    blanks_alone = " ".join(shown.split()) == " ".join(wanted.split())
    if blanks_alone and (what != "subject" or shown.strip() == wanted.strip()):
        yield Doubt("header", said)
    elif what == "subject" and lenient == wanted:
        yield Doubt("header", f"{said}, for the strict")
    else:
        yield Fault("header", said)


def _text_faults(
    fields: list[tuple[str, str]], head: bytes, body: bytes, transaction: Transaction, letter: Letter
) -> Told:
    names = dict(fields)
    parsed = message_from_bytes(head + b"\r\n\r\n")
    mime = any(name in names for name in MIME_FIELDS[1:])
    # A comment may stand behind it (RFC 2045 section 4).
    if mime and re.sub(r"\([^()]*\)", "", names.get("mime-version", "")).strip() != "1.0":
        yield Fault("text", f"MIME-Version is {names.get('mime-version')!r}")
    kind = parsed.get_content_type()
    if kind.startswith("multipart/"):
        yield Doubt("text", "several parts")
        return
    if kind != "text/plain":
        yield Fault("text", f"the text is {kind}")
        return
    if parsed.get_param("format"):
        yield Doubt("text", "a format of its own")
    if any(octet > 127 for octet in body) and "BODY=8BITMIME" not in transaction.parameters:
        yield Doubt(
            "text", "octets beyond ASCII, which MAIL did not announce: servers take them all the same"
        )
    try:
        octets = _decoded(parsed, body)
        text = octets.decode(str(parsed.get_content_charset("us-ascii")))
    except (Bad, UnicodeDecodeError, LookupError) as error:
        yield Fault("text", str(error))
        return
    yield from _compared(text.replace("\r\n", "\n"), letter)


def _decoded(parsed: Message, body: bytes) -> bytes:
    """The octets of the text. Raises ``Bad`` where they are not what they are said to be."""
    encoding = str(parsed.get("content-transfer-encoding", "7bit")).strip().lower()
    beyond = any(octet > 127 for octet in body)
    if encoding == "8bit":
        return body
    if beyond:
        raise Bad(f"octets beyond ASCII in a text that is {encoding}")
    if encoding == "7bit":
        return body
    if encoding == "base64":
        try:
            return binascii.a2b_base64(re.sub(rb"\s", b"", body), strict_mode=True)
        except binascii.Error as error:
            raise Bad(f"the text is no base64: {error}") from error
    if encoding == "quoted-printable":
        return quopri.decodestring(body.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
    raise Bad(f"an encoding that nobody knows: {encoding}")


def _compared(text: str, letter: Letter) -> Told:
    wanted = letter.body
    if text in (wanted, wanted + "\n") and (text == wanted or not wanted.endswith("\n")):
        return
    if text.rstrip("\n") == wanted.rstrip("\n"):
        # Whether an empty line at the end is one of the text, no reader can tell.
        yield Doubt("text", "other empty lines at the end")
        return
    place = next(
        (i for i, (a, b) in enumerate(zip(text, wanted, strict=False)) if a != b), min(len(text), len(wanted))
    )
    here = slice(max(0, place - 20), place + 20)
    yield Fault("text", f"the text differs at {place}: {text[here]!r} and not {wanted[here]!r}")

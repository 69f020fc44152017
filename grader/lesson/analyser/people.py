"""Who a message says it is from, and where answers and reports go."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from grader.formats.address import split_address
from grader.formats.message.addresses import parse_addresses
from grader.formats.message.lexer import Malformed
from grader.formats.message.parse import Field, Part
from grader.lesson.analyser.encoded import decode_words
from grader.lesson.analyser.findings import WHITE, HeaderFinding, finding, readable, related

# Each begins where a run of its characters does and gives back none, so that a run without its @ is read but once.
_ANGLE = re.compile(r"<([^<> \t\r\n@]*+@[^<> \t\r\n]*+)>")
_BARE = re.compile(r"(?<![^ \t\r\n<>,;:\"()])[^ \t\r\n<>,;:\"()][^ \t\r\n<>,;:\"()@]*+@[^ \t\r\n<>,;:\"()]++")
_SHOWN = re.compile(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]++@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_LIKE_SIGNS = str.maketrans("\uff20\ufe6b\uff0e\uff61\u3002", "@@...")
"""Signs that look like those of an address."""
_SAME_MAILBOXES = {"googlemail.com": "gmail.com", "mac.com": "icloud.com", "me.com": "icloud.com"}
FIELDS = ("From", "Sender", "Reply-To", "Return-Path")


class Identity(Struct, frozen=True):
    """A field that names somebody. ``related`` says whether the domain is of the same organisation as that in From."""

    field: str
    name: str
    address: str
    domain: str
    related: bool
    offset: int = -1


def read_people(message: Part) -> list[Identity]:
    """The people in From, Sender, Reply-To and Return-Path, the first address of each field."""
    found: list[Identity] = []
    for label in FIELDS:
        field = message.first(label.lower())
        if field is None:
            continue
        name, address = _first(field)
        domain = split_address(address).domain.lower()
        author = found[0].domain if found and found[0].field == "From" else domain
        found.append(Identity(label, name, address, domain, related(domain, author), field.offset))
    return found


def _first(field: Field) -> tuple[str, str]:
    """A field's first display name and address, however broken the field is."""
    try:
        boxes = parse_addresses(field.text).mailboxes
    except Malformed:
        boxes = []
    if boxes:
        name = (
            re.sub(r"\\(.)", r"\1", boxes[0].name.replace('"', "")) if '"' in boxes[0].name else boxes[0].name
        )
        return decode_words(name), readable(f"{boxes[0].local}@{boxes[0].domain}")
    text = readable(field.text)
    found = _ANGLE.search(text) or _BARE.search(text)
    if found is None:
        return decode_words(field.text).strip(WHITE), ""
    address = found[found.lastindex or 0]
    return decode_words(field.text).partition("<")[0].strip(' "') if "<" in text else "", address


def _mailbox(address: str) -> str:
    """An address in small letters, its domain as the provider that has several names for the same mailbox prefers."""
    local, _, domain = address.lower().rpartition("@")
    return f"{local}@{_SAME_MAILBOXES.get(domain, domain)}"


def people_findings(people: list[Identity], *, listed: bool) -> Iterator[HeaderFinding]:
    """What the names and addresses show about each other. ``listed`` says that a mailing list passed the message on."""
    by_field = {one.field: one for one in people}
    author = by_field.get("From")
    if author is None:
        return
    reply, path = by_field.get("Reply-To"), by_field.get("Return-Path")
    shown = _SHOWN.search(author.name.translate(_LIKE_SIGNS))
    if shown and author.address and _mailbox(shown[0]) != _mailbox(author.address):
        # Lists and services that send for somebody name that person, whom answers go to or whose domain it is.
        for_another = listed or " via " in author.name or related(shown[0].partition("@")[2], author.domain)
        answered = reply is not None and reply.address.lower() == shown[0].lower()
        rule = "from-another" if for_another or answered else "from-hidden"
        yield finding(rule, 0, author.offset, shown=shown[0], address=author.address)
    if any(label.startswith("xn--") for label in author.domain.split(".")) or not author.domain.isascii():
        yield finding("from-idn", 0, author.offset, domain=author.domain)
    if reply and reply.domain and not reply.related:
        yield finding("reply-elsewhere", 0, reply.offset, reply=reply.address, domain=author.domain)
    if path and not path.domain:
        yield finding("bounce", 0, path.offset)
    elif path and not path.related:
        yield finding("envelope-elsewhere", 0, path.offset, sender=path.address, domain=author.domain)

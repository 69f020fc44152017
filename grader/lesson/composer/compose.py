"""``compose``: fields as they were typed become a message, or complaints that say how to fix them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from grader.formats.address import split_address
from grader.formats.message.dates import date_fault
from grader.lesson.composer.body import Body, encode_body
from grader.lesson.composer.draft import Complaint, Draft, Finished, UnusableText, complaint
from grader.lesson.composer.folding import FoldedField
from grader.lesson.composer.lists import put_list_id, put_urls
from grader.lesson.composer.tables import BuilderField, tables
from grader.lesson.composer.typed import DOT_ATOM, Group, TypedMailbox, read_addresses

REQUIRED = ("from", "date")
_LINE_BREAK = re.compile("[\n\r\x0b\x0c\x85\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_HALF = re.compile("[\ud800-\udfff]")
_HIDDEN = re.compile("[\xad\u200b\u2060\u202a-\u202e\u2066-\u2069\ufeff]")
_IDENTIFIER = re.compile(rf"<{DOT_ATOM}@({DOT_ATOM}|\[[!-Z^-~]*\])>")
_NOT_UNIQUE = re.compile(r"localhost(?:\.localdomain)?|local|\[127\..*\]", re.IGNORECASE)
_LONGEST_IDENTIFIER = 250
_BODY_FIELDS = ("content-type", "content-transfer-encoding", "body")
Envelope = dict[str, list[TypedMailbox]]


def compose(values: Mapping[str, str]) -> Draft:
    """The message that ``values``, by the ids of the builder's fields, make. Raises nothing, whatever they hold.

    The same values give the same message: a date and an identifier are not invented here.
    """
    work = _Work(values)
    for field in tables().fields:
        if field.id not in _BODY_FIELDS:
            work.add(field)
    work.check_senders()
    work.check_lists()
    work.add_body()
    return work.draft()


class _Work:
    """A message in the making."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self._fields: list[Finished] = []
        self._complaints: list[Complaint] = []
        self._people: Envelope = {}
        self._body: Body | None = None

    def add(self, field: BuilderField) -> None:
        """Make one field of what was typed for it."""
        text = self._values.get(field.id, "").strip(" ")
        if not text:
            if field.id in REQUIRED:
                self._complain(field, UnusableText("missing"))
            return
        line = FoldedField(field.label)
        try:
            _check_characters(text)
            _PUT[field.kind](self, field, line, text)
        except UnusableText as refused:
            self._complain(field, refused)
            return
        if hidden := _HIDDEN.search(text):
            self._complain(field, UnusableText("hidden", code=f"U+{ord(hidden[0]):04X}"))
        if field.id != "bcc":
            self._fields.append(Finished(field.label, line.lines, field.entry, line.notes))

    def check_senders(self) -> None:
        """Several authors need a Sender, and one author none (RFC 5322 section 3.6.2)."""
        authors, sender = self._people.get("from", []), self._people.get("sender", [])
        field = _field("sender")
        if len(authors) > 1 and not self._values.get("sender", "").strip(" "):
            self._complain(field, UnusableText("sender-needed", count=len(authors)))
        if len(authors) == 1 and sender and sender[0].address == authors[0].address:
            self._complain(field, UnusableText("sender-repeats"))
        failed = {found.field for found in self._complaints if found.severity == "error"}
        if not self._recipients() and not failed & {"to", "cc", "bcc"}:
            self._complain(_field("to"), UnusableText("nobody"))

    def check_lists(self) -> None:
        """One click needs an address of https to go to (RFC 8058 section 3.1)."""
        field = _field("list-unsubscribe-post")
        if self._values.get(field.id, "").strip(" ") and "<https://" not in self._values.get(
            "list-unsubscribe", ""
        ):
            self._complain(field, UnusableText("one-click-https"))

    def add_body(self) -> None:
        """Encode the body, and describe it in the MIME fields."""
        media, encoding = (self._choice(_field(id_)) for id_ in _BODY_FIELDS[:2])
        text = self._values.get("body", "")
        try:
            if half := _HALF.search(text):
                raise UnusableText("half-character", code=f"U+{ord(half[0]):04X}")
            self._body = encode_body(text, encoding)
        except UnusableText as refused:
            self._complain(_field("body"), refused)
            return
        if self._body.encoding == "8bit" and not self._body.data.isascii():
            self._complain(_field("content-transfer-encoding"), UnusableText("needs-8bitmime"))
        for name, value, entry in (
            ("MIME-Version", "1.0", "mime-version"),
            ("Content-Type", f"{media}; charset=utf-8", "content-type"),
            ("Content-Transfer-Encoding", self._body.encoding, "content-transfer-encoding"),
        ):
            notes = [self._body.encoding] if entry == "content-transfer-encoding" else []
            self._fields.append(Finished(name, [f"{name}: {value}"], entry, notes))

    def draft(self) -> Draft:
        """All of it; the message only where nothing is wrong."""
        broken = any(found.severity == "error" for found in self._complaints)
        sender = (self._people.get("sender") or self._people.get("from") or [TypedMailbox("", "")])[0].address
        message = None
        if self._body and not broken:
            header = "".join(f"{line}\r\n" for field in self._fields for line in field.lines)
            message = header.encode() + b"\r\n" + self._body.data
        notes = [self._body.encoding] if self._body else []
        return Draft(self._fields, self._complaints, message, notes, sender, self._recipients())

    def _recipients(self) -> list[str]:
        every = [box.address for id_ in ("to", "cc", "bcc") for box in self._people.get(id_, [])]
        return list(dict.fromkeys(every))

    def _choice(self, field: BuilderField) -> str:
        value = self._values.get(field.id, "").strip(" ") or field.choices[0]
        if value in field.choices:
            return value
        self._complain(field, UnusableText("choice", text=value))
        return field.choices[0]

    def _complain(self, field: BuilderField, refused: UnusableText) -> None:
        self._complaints.append(complaint(field.id, field.label, refused.rule, **refused.values))

    def put_text(self, _: BuilderField, line: FoldedField, text: str) -> None:
        line.text(text)

    def put_choice(self, field: BuilderField, line: FoldedField, text: str) -> None:
        if text not in field.choices:
            raise UnusableText("choice", text=text)
        line.put(text)

    def put_date(self, _: BuilderField, line: FoldedField, text: str) -> None:
        text = re.sub(" +", " ", text)
        # The rules read bytes, of which those beyond ASCII stand as surrogates.
        raw = text.encode().decode("ascii", "surrogateescape")
        if fault := ("date-syntax", {"text": raw}) if "(" in text else date_fault(raw):
            raise UnusableText(fault[0], **fault[1])
        line.put(text)

    def put_identifiers(self, field: BuilderField, line: FoldedField, text: str) -> None:
        found = [piece for piece in text.split(" ") if piece]
        if field.kind == "identifier" and len(found) > 1:
            raise UnusableText("identifier-many", count=len(found))
        for piece in found:
            right = _identifier(piece)
            line.put(piece)
            if field.kind == "identifier" and _NOT_UNIQUE.fullmatch(right):
                self._complain(field, UnusableText("identifier-local", text=right))

    def put_addresses(self, field: BuilderField, line: FoldedField, text: str) -> None:
        listed = read_addresses(text)
        if field.kind != "addresses" and any(isinstance(one, Group) for one in listed):
            raise UnusableText("group-refused")
        boxes = [box for one in listed for box in (one.mailboxes if isinstance(one, Group) else [one])]
        if field.kind == "mailbox" and len(boxes) != 1:
            raise UnusableText("one-mailbox", count=len(boxes))
        for place, one in enumerate(listed):
            _put_address(line, one, "," if place + 1 < len(listed) else "")
        self._people[field.id] = boxes
        for box in boxes:
            domain = split_address(box.address).domain
            if "." not in domain and not domain.startswith("["):
                self._complain(field, UnusableText("domain-short", text=domain))
                return


def _put_list_id(_: _Work, __: BuilderField, line: FoldedField, text: str) -> None:
    put_list_id(line, text)


def _put_urls(_: _Work, __: BuilderField, line: FoldedField, text: str) -> None:
    put_urls(line, text)


_PUT: dict[str, Callable[[_Work, BuilderField, FoldedField, str], None]] = {
    "authors": _Work.put_addresses,
    "mailbox": _Work.put_addresses,
    "addresses": _Work.put_addresses,
    "text": _Work.put_text,
    "date": _Work.put_date,
    "identifier": _Work.put_identifiers,
    "identifiers": _Work.put_identifiers,
    "choice": _Work.put_choice,
    "list-id": _put_list_id,
    "urls": _put_urls,
}


def _field(id_: str) -> BuilderField:
    return next(field for field in tables().fields if field.id == id_)


def _check_characters(text: str) -> None:
    """Refuse what no header field may hold, before anything is made of it. Raises ``UnusableText``."""
    if _LINE_BREAK.search(text):
        raise UnusableText("line-break")
    for rule, pattern in (("control", _CONTROL), ("half-character", _HALF)):
        if found := pattern.search(text):
            raise UnusableText(rule, code=f"U+{ord(found[0]):04X}")


def _put_address(line: FoldedField, one: TypedMailbox | Group, tail: str) -> None:
    if isinstance(one, TypedMailbox):
        if one.name:
            line.phrase(one.name)
        line.put((f"<{one.address}>" if one.name else one.address) + tail)
        return
    line.phrase(one.name, ":" if one.mailboxes else f":;{tail}")
    for place, box in enumerate(one.mailboxes):
        _put_address(line, box, "," if place + 1 < len(one.mailboxes) else f";{tail}")


def _identifier(piece: str) -> str:
    """The right side of an identifier. Raises ``UnusableText``."""
    if "," in piece:
        raise UnusableText("identifier-comma")
    if "=?" in piece:
        raise UnusableText("encoded-place", text=piece)
    found = _IDENTIFIER.fullmatch(piece)
    if not found:
        raise UnusableText("identifier-form", text=piece)
    if len(piece) > _LONGEST_IDENTIFIER:
        raise UnusableText("too-long", length=len(piece), most=_LONGEST_IDENTIFIER)
    return found[1]

"""Reads the key records that a submission publishes (RFC 6376 section 3.6), written by somebody who may mean harm.

A file is in master-file format (RFC 1035 section 5), as opendkim-genkey(8) writes it, or holds the bare text of one
record, ``v=DKIM1; …``, as a provider's web form takes it; then its name is the selector. Nothing in a file is an error
of the grader's: what cannot be published is told with its line and column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from msgspec.structs import replace

from grader.formats.dns.masterfile import LONGEST_STRING, ServedRecord, read_records
from grader.formats.dns.names import plain
from grader.formats.handed import without_mark
from grader.formats.typography import odd_characters
from grader.kinds.server.facts import Published, RecordFile
from grader.model.diagnostic import Diagnostic, Span
from grader.model.dns import KeyRecord, ZoneRecord

LARGEST_FILE = 20_000
MOST_RECORDS = 50
MOST_COMPLAINTS = 20
NO_RECORD = "this file holds no record"

_PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_NOT_ASCII = re.compile(r"[^\t\n\x20-\x7e]")
_BARE = re.compile(r"\s*[A-Za-z]\w*\s*=")
_NOTES = re.compile(r"README(?:\.\w+)?|[^/]+\.md", re.IGNORECASE)
"""Files that people write for each other: where such a one holds no record, it is none of the zone's."""
_VERSION = re.compile(rb"\s*v\s*=\s*([^;\s]*)")
_ORDINARY = re.compile(r"(?:\*|[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*")


class _NotPublished(Exception):
    """A sentence about a record at which nobody would find a key."""


def read_key_records(files: Mapping[str, bytes], domain: str) -> Published:
    """Everything that the files say about keys of ``domain``: the records to publish, and what is wrong."""
    texts: list[RecordFile] = []
    records: list[KeyRecord] = []
    complaints: list[Diagnostic] = []
    for name, data in sorted(files.items()):
        if len(records) > MOST_RECORDS or len(complaints) > MOST_COMPLAINTS:
            break
        reader = _Reader(name, data, domain)
        reader.read()
        texts.append(RecordFile(name, reader.shown))
        # To DNS a record that is given twice is one (RFC 2181 section 5).
        known = {(record.name, record.type, *record.data) for record in records}
        records += [r for r in reader.records if (r.name, r.type, *r.data) not in known]
        if reader.records or not _NOTES.fullmatch(PurePosixPath(name).name) or reader.private:
            complaints += reader.complaints
    if records:
        # An old key that is commented out, or an empty file, publishes nothing and takes nothing away.
        complaints = [replace(c, fatal=False) if c.sentence == NO_RECORD else c for c in complaints]
    complaints += _collisions(records)
    if len(records) > MOST_RECORDS:
        complaints.append(
            _at_line(records[MOST_RECORDS], f"more than {MOST_RECORDS} records: the rest is not published")
        )
    return Published(texts, records[:MOST_RECORDS], complaints[:MOST_COMPLAINTS])


class _Reader:
    """One file. ``shown`` is its text for the evidence, ``private`` says that it is none to publish."""

    def __init__(self, name: str, data: bytes, domain: str) -> None:
        self.records: list[KeyRecord] = []
        self.complaints: list[Diagnostic] = []
        self.shown = ""
        self.private = False
        self._name = name
        self._data = data
        self._domain = domain
        self._text = ""

    def read(self) -> None:
        """Read all of it, past every fault."""
        self.private = _PRIVATE_KEY.search(self._data) is not None
        if self.private:
            self._complain(
                0,
                "this file holds a private key, and what is published here everybody can read: replace the key",
            )
            return
        if len(self._data) > LARGEST_FILE:
            self._complain(0, f"this file has more than {LARGEST_FILE} octets: a key has some hundred")
            return
        text = (
            without_mark(self._data)
            .decode("utf-8", "backslashreplace")
            .replace("\r\n", "\n")
            .replace("\r", "\n")
        )
        self._text = self.shown = text
        if (odd := _NOT_ASCII.search(text)) is not None:
            known = next(odd_characters(odd[0]), None)
            said = (
                known.said
                if known
                else f"the character {odd[0]!a} is not ASCII, of which a key record is made"
            )
            self._complain(odd.start(), said)
        elif _BARE.match(text):
            self._bare(" ".join(text.split()))
        else:
            self._master_file()
        if not self.records and not self.complaints:
            self._complain(0, NO_RECORD)

    def _bare(self, text: str) -> None:
        """The text of one record; it is cut into strings as a provider's form does it."""
        selector = PurePosixPath(self._name).stem.lower().partition("._domainkey")[0]
        name = f"{selector}._domainkey.{self._domain}"
        if not _ORDINARY.fullmatch(name):
            self._complain(0, f"{selector!a} is no selector: name the file after the selector")
            return
        value = text.encode()
        strings = [value[at : at + LONGEST_STRING] for at in range(0, len(value), LONGEST_STRING)]
        self.records.append(KeyRecord(name, "TXT", strings, self._name, 1))

    def _master_file(self) -> None:
        # Whoever publishes a key at another domain's name is told so with the rest of what its name must be.
        file = read_records(self._text.encode(), self._domain, inside=False)
        for fault in file.faults:
            self._complain_at(fault.place, fault.sentence)
        for record, served in zip(file.records, file.served, strict=True):
            if len(self.records) > MOST_RECORDS:
                break
            try:
                self._record(record, served)
            except _NotPublished as error:
                self._complain_at(record.place, str(error))
        self.complaints.sort(key=lambda complaint: (complaint.place.line, complaint.place.column))

    def _record(self, record: ZoneRecord, served: ServedRecord) -> None:
        """Publish a record. Raises ``_NotPublished``."""
        line = record.place.line + 1
        if record.type == "TXT" and _for_something_else(record.owner, b"".join(served.rdata.strings)):
            sentence = "this TXT record is no key, and is not published here: keys alone are"
            self._complain_at(served.place, sentence, fatal=False)
        elif record.type == "TXT":
            name = self._key_name(record.owner)
            self.records.append(KeyRecord(name, "TXT", list(served.rdata.strings), self._name, line))
        elif record.type == "CNAME":
            name = self._key_name(record.owner)
            target = plain(served.rdata.target).lower()
            if _ORDINARY.fullmatch(target):
                self.records.append(KeyRecord(name, "CNAME", [target.encode()], self._name, line))
            else:
                sentence = f"the target {target!a} is no name that a key could have"
                self._complain_at(served.place, sentence)
        else:
            sentence = f"the {record.type} record is not published here: keys alone are"
            self._complain_at(served.type_place, sentence, fatal=False)

    def _key_name(self, name: str) -> str:
        """The name to publish at. Raises ``_NotPublished`` for one at which nobody looks for a key."""
        if name.endswith(f".{self._domain}.{self._domain}"):
            raise _NotPublished(
                f"this publishes {name}: a name without a dot at its end gets the zone's name added, so that it "
                "stands there twice"
            )
        if not name.endswith(f"._domainkey.{self._domain}"):
            raise _NotPublished(
                f"this publishes {name}, and receivers look for a key at SELECTOR._domainkey.{self._domain} "
                "(RFC 6376 section 3.6.2.1)"
            )
        if not _ORDINARY.fullmatch(name):
            raise _NotPublished(f"{name!a} is no name that a selector could have")
        return name

    def _complain_at(self, place: Span, sentence: str, *, fatal: bool = True) -> None:
        self.complaints.append(Diagnostic(sentence, file=self._name, span=place, fatal=fatal))

    def _complain(self, at: int, sentence: str, *, fatal: bool = True) -> None:
        begins = self._text.rfind("\n", 0, at) + 1
        place = Span(self._text.count("\n", 0, at), at - begins) if self._text else None
        self.complaints.append(Diagnostic(sentence, file=self._name, span=place, fatal=fatal))


def _for_something_else(name: str, text: bytes) -> bool:
    """Whether a TXT record stands elsewhere and is no key: of SPF or DMARC, say, as a whole zone has them."""
    if "._domainkey." in name:
        return False
    version = _VERSION.match(text)
    return version[1].upper() != b"DKIM1" if version else b"p=" not in text


def _collisions(records: list[KeyRecord]) -> Iterator[Diagnostic]:
    """Several records of one name: which of them counts is undefined (RFC 6376 section 3.6.2.2, RFC 1034 3.6.2)."""
    first: dict[str, KeyRecord] = {}
    for record in records:
        other = first.setdefault(record.name, record)
        if other is record:
            continue
        where = f"line {other.line}" if other.file == record.file else f"{other.file}, line {other.line}"
        if "CNAME" in (other.type, record.type):
            said = f"beside an alias (CNAME) {record.name} can have no other record, and {where} has one"
        else:
            said = f"{record.name} has a TXT record already ({where}): which of the two counts is undefined"
        yield _at_line(record, said)


def _at_line(record: KeyRecord, sentence: str) -> Diagnostic:
    return Diagnostic(sentence, file=record.file, span=Span(record.line - 1, 0))

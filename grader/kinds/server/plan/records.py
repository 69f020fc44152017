"""Reads the key records that a submission publishes (RFC 6376 section 3.6), written by somebody who may mean harm.

A file is in master-file format (RFC 1035 section 5), as opendkim-genkey(8) writes it, or holds the bare text of one
record, ``v=DKIM1; …``, as a provider's web form takes it; then its name is the selector. Nothing in a file is an error
of the grader's: what cannot be published is told with its line and column.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath

import dns.exception
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.tokenizer
import dns.ttl

from grader.kinds.server.facts import Published, RecordComplaint, RecordFile
from grader.model.dns import KeyRecord

LONGEST_STRING = 255
"""Octets of a character-string (RFC 1035 section 3.3)."""
LARGEST_FILE = 20_000
MOST_RECORDS = 50
MOST_COMPLAINTS = 20

_PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_NOT_ASCII = re.compile(r"[^\t\n\x20-\x7e]")
_BARE = re.compile(r"\s*[A-Za-z]\w*\s*=")
_ORDINARY = re.compile(r"(?:\*|[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*")
_SPACE = re.compile(r"[\s()]*")
_NEXT_RECORD = re.compile(r"\n(?=[^\s;)])")
_SYNTAX = {
    "newline in quoted string": "a quotation mark is opened on this line and not closed on it",
    "unbalanced parentheses": "a parenthesis is opened and never closed",
    "Text input ended unexpectedly.": "the file ends in the middle of a record",
}

_Get = Callable[[], tuple[dns.tokenizer.Token, int]]
"""Gives the next token and its offset."""


class _Fault(Exception):
    """A sentence about the text at an offset."""

    def __init__(self, at: int, sentence: str) -> None:
        super().__init__(sentence)
        self.at = at
        self.sentence = sentence


def read_records(files: Mapping[str, bytes], domain: str) -> Published:
    """Everything that the files say about keys of ``domain``: the records to publish, and what is wrong."""
    texts: list[RecordFile] = []
    records: list[KeyRecord] = []
    complaints: list[RecordComplaint] = []
    for name, data in sorted(files.items()):
        if len(records) > MOST_RECORDS or len(complaints) > MOST_COMPLAINTS:
            break
        reader = _Reader(name, data, domain)
        reader.read()
        texts.append(RecordFile(name, reader.shown))
        # To DNS a record that is given twice is one (RFC 2181 section 5).
        known = {(record.name, record.type, *record.data) for record in records}
        records += [r for r in reader.records if (r.name, r.type, *r.data) not in known]
        complaints += reader.complaints
    complaints += _collisions(records)
    if len(records) > MOST_RECORDS:
        complaints.append(
            RecordComplaint(records[MOST_RECORDS].file, records[MOST_RECORDS].line, 1,
                      f"more than {MOST_RECORDS} records: the rest is not published")
        )  # fmt: skip
    return Published(texts, records[:MOST_RECORDS], complaints[:MOST_COMPLAINTS])


class _Reader:
    """One file. ``shown`` is its text for the evidence."""

    def __init__(self, name: str, data: bytes, domain: str) -> None:
        self.records: list[KeyRecord] = []
        self.complaints: list[RecordComplaint] = []
        self.shown = ""
        self._name = name
        self._data = data
        self._domain = domain
        self._zone = dns.name.from_text(domain)
        self._origin = self._zone
        self._owner: dns.name.Name | None = None
        self._text = ""

    def read(self) -> None:
        """Read all of it, past every fault."""
        if _PRIVATE_KEY.search(self._data):
            self._complain(
                0,
                "this file holds a private key, and what is published here everybody can read: replace the key",
            )
            return
        if len(self._data) > LARGEST_FILE:
            self._complain(0, f"this file has more than {LARGEST_FILE} octets: a key has some hundred")
            return
        text = self._data.decode("utf-8-sig", "backslashreplace").replace("\r\n", "\n").replace("\r", "\n")
        self._text = self.shown = text
        if (odd := _NOT_ASCII.search(text)) is not None:
            kind = "quotation mark" if odd[0] in "\u201c\u201d\u201e\u2018\u2019" else "character"
            self._complain(odd.start(), f"the {kind} {odd[0]!a} is not ASCII, of which a key record is made")
        elif _BARE.match(text):
            self._bare(" ".join(text.split()))
        else:
            self._master_file()
        if not self.records and not self.complaints:
            self._complain(0, "this file holds no record")

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
        start = 0
        while start < len(self._text) and len(self.complaints) < MOST_COMPLAINTS:
            source = io.StringIO(self._text[start:])
            try:
                self._lines(dns.tokenizer.Tokenizer(source), source, start)
                return
            except _Fault as fault:
                at, sentence = fault.at, fault.sentence
            except (dns.exception.DNSException, ValueError) as error:
                at, sentence = self._syntax(start + max(0, source.tell() - 1), str(error))
            self._complain(at, sentence)
            after = _NEXT_RECORD.search(self._text, max(at, start))
            start = after.end() if after else len(self._text)

    def _syntax(self, at: int, said: str) -> tuple[int, str]:
        """Where the caret belongs and what to say, for what dnspython found wrong at an offset."""
        at = min(at, len(self._text) - 1)
        sentence = _SYNTAX.get(said, f"not a record in master-file format ({said.rstrip('.')})")
        if said == "newline in quoted string":
            at = max(0, self._text.rfind('"', 0, at + 1))
        elif said == "unbalanced parentheses":
            at = max(0, self._text.rfind("(", 0, at + 1))
        elif self._text[at] == ")":
            sentence = "a parenthesis is closed that was never opened"
        return at, sentence

    def _lines(self, tok: dns.tokenizer.Tokenizer, source: io.StringIO, start: int) -> None:
        """Record after record. Raises ``_Fault``, or what dnspython finds wrong."""

        def offset() -> int:
            return start + source.tell() - (tok.ungotten_char is not None)

        def get() -> tuple[dns.tokenizer.Token, int]:
            # Within quotation marks the next character is the one that closes them.
            before = offset() + tok.quoting
            token = tok.get()
            skipped = _SPACE.match(self._text, before)
            return token, skipped.end() if skipped else before

        while len(self.records) <= MOST_RECORDS:
            here = at = offset()
            token = tok.get(want_leading=True)
            if token.is_eof():
                return
            if token.is_eol():
                continue
            if token.is_whitespace():
                token, at = get()
                if token.is_eol_or_eof():
                    tok.unget(token)
                    continue
                tok.unget(token)
                owner = self._owner
                if owner is None:
                    raise _Fault(
                        at, "the first record has no name: write it at the very beginning of the line"
                    )
            elif token.value.startswith("$"):
                self._directive(tok, token.value.upper(), at)
                continue
            else:
                owner = self._owner = self._named(tok, token, at)
            self._record(tok, get, owner, here)

    def _named(self, tok: dns.tokenizer.Tokenizer, token: dns.tokenizer.Token, at: int) -> dns.name.Name:
        try:
            return tok.as_name(token, self._origin)
        except dns.exception.DNSException as error:
            raise _Fault(at, f"this is no name ({str(error).rstrip('.')})") from error

    def _directive(self, tok: dns.tokenizer.Tokenizer, word: str, at: int) -> None:
        if word == "$ORIGIN":
            self._origin = tok.get_name(self._origin)
        elif word == "$TTL":
            tok.get_ttl()
        else:
            raise _Fault(at, f"{word} is not used here: write the records themselves")
        tok.get_eol()

    def _record(self, tok: dns.tokenizer.Tokenizer, get: _Get, owner: dns.name.Name, begins: int) -> None:
        """What follows the owner's name: TTL and class where given, type, and data."""
        seen: set[str] = set()
        while True:
            token, at = get()
            if not token.is_identifier():
                raise _Fault(at, "a record needs a type after its name: TXT")
            word = token.value.upper()
            kind = "class" if word in ("IN", "CH", "HS") else "TTL" if _is_ttl(word) else ""
            if not kind or kind in seen:
                break
            if word in ("CH", "HS"):
                raise _Fault(at, f"the class {word} is not that of the Internet, IN")
            seen.add(kind)
        line = self._text.count("\n", 0, begins) + 1
        if word == "TXT":
            strings = list(self._strings(get))
            name = self._key_name(owner, begins)
            self.records.append(KeyRecord(name, "TXT", strings, self._name, line))
        elif word == "CNAME":
            target = tok.get_name(self._origin).to_text(omit_final_dot=True).lower()
            if not _ORDINARY.fullmatch(target):
                raise _Fault(at, f"the target {target!a} is no name that a key could have")
            tok.get_eol_as_token()
            name = self._key_name(owner, begins)
            self.records.append(KeyRecord(name, "CNAME", [target.encode()], self._name, line))
        else:
            self._other(tok, word, at)

    def _strings(self, get: _Get) -> Iterator[bytes]:
        """The character-strings of a TXT record."""
        token, at = get()
        if token.is_eol_or_eof():
            raise _Fault(at - 1, "the TXT record has no text")
        while not token.is_eol_or_eof():
            value = token.unescape_to_bytes().value
            if len(value) > LONGEST_STRING:
                raise _Fault(
                    at,
                    f"this string has {len(value)} characters, and a string in DNS has {LONGEST_STRING} at most: "
                    "cut it into several, each in quotation marks",
                )
            yield value
            token, at = get()

    def _key_name(self, owner: dns.name.Name, at: int) -> str:
        """The name to publish at. Raises ``_Fault`` for one at which nobody looks for a key."""
        name = owner.to_text(omit_final_dot=True).lower()
        if name.endswith(f".{self._domain}.{self._domain}"):
            raise _Fault(
                at,
                f"this publishes {name}: a name without a dot at its end gets the zone's name added, so that it "
                "stands there twice",
            )
        if not name.endswith(f"._domainkey.{self._domain}"):
            raise _Fault(
                at,
                f"this publishes {name}, and receivers look for a key at SELECTOR._domainkey.{self._domain} "
                "(RFC 6376 section 3.6.2.1)",
            )
        if not _ORDINARY.fullmatch(name):
            raise _Fault(at, f"{name!a} is no name that a selector could have")
        return name

    def _other(self, tok: dns.tokenizer.Tokenizer, word: str, at: int) -> None:
        try:
            dns.rdatatype.from_text(word)
        except dns.rdatatype.UnknownRdatatype:
            raise _Fault(at, f"there is no record type {word[:40]!a}: a key is a TXT record") from None
        tok.get_remaining()
        tok.get_eol()
        self._complain(at, f"the {word} record is not published here: keys alone are", fatal=False)

    def _complain(self, at: int, sentence: str, *, fatal: bool = True) -> None:
        line = self._text.count("\n", 0, at) + 1 if self._text else 0
        column = at - self._text.rfind("\n", 0, at) if self._text else 0
        self.complaints.append(RecordComplaint(self._name, line, column, sentence, fatal))


def _is_ttl(word: str) -> bool:
    try:
        dns.ttl.from_text(word)
    except dns.exception.DNSException:
        return False
    return True


def _collisions(records: list[KeyRecord]) -> Iterator[RecordComplaint]:
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
        yield RecordComplaint(record.file, record.line, 1, said)

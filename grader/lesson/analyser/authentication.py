"""What servers wrote down about a message, and what domains signed: RFC 8601, 7208, 6376 and 8617."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct

from grader.formats.message.lexer import Malformed, without_comments
from grader.formats.message.parse import Field
from grader.formats.taglist import read_tags
from grader.lesson.analyser.findings import WHITE, HeaderFinding, finding, owned, readable, related

MOST_FIELDS = 50
_QUOTED = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_PLAIN = re.compile(r'[^;"]+')
_PAIR = re.compile(
    r'(?<![A-Za-z0-9_./-])([A-Za-z0-9_./-]+)[ \t\r\n]*=[ \t\r\n]*("[^"\\]*(?:\\.[^"\\]*)*"|[^; \t\r\n]+)'
)
_SPACE = re.compile(r"[ \t\r\n]+")
_NUMBER = re.compile(r"[0-9]{1,15}")
ARC_FIELDS = {
    "arc-authentication-results": "ARC-Authentication-Results",
    "arc-message-signature": "ARC-Message-Signature",
    "arc-seal": "ARC-Seal",
}


Standing = Literal["own", "unsure", "foreign"]
"""Whether a server of the reader's wrote a field: certainly, perhaps, or not."""


class KeyValue(Struct, frozen=True):
    """A name and a value."""

    name: str
    value: str


class AuthenticationResult(Struct, frozen=True):
    """A check that a server made: its method, its result, and what it says about it."""

    method: str
    result: str
    properties: list[KeyValue]


class Results(Struct, frozen=True):
    """An Authentication-Results or Received-SPF field; ``server`` is empty where it names none."""

    field: str
    server: str
    standing: Standing
    outcomes: list[AuthenticationResult]
    offset: int


class ClaimedSignature(Struct, frozen=True):
    """A DKIM-Signature: its domain, selector and tags, and whether the domain is aligned with From."""

    domain: str
    selector: str
    algorithm: str
    aligned: bool
    tags: list[KeyValue]
    offset: int


class ArcSet(Struct, frozen=True):
    """The ARC fields of one forwarder: who sealed, what it said of the chain before, and what it had found."""

    instance: int
    domain: str
    cv: str
    server: str
    outcomes: list[AuthenticationResult]
    missing: list[str]
    offset: int = -1


def plain(field: Field) -> str:
    """A field's text without comments, as far as it has whole ones."""
    try:
        return readable(without_comments(field.text))
    except Malformed:
        return readable(field.text)


def _pieces(text: str) -> list[str]:
    """What semicolons part, but those within quotation marks; a mark that is not closed parts nothing from anything."""
    found: list[str] = []
    begins = at = 0
    closes = True
    while at < len(text):
        if text[at] == '"':
            quoted = _QUOTED.match(text, at) if closes else None
            # Where one is not closed, none behind it is: what stands there was looked through in vain.
            closes = quoted is not None
            at = quoted.end() if quoted else at + 1
        elif plain := _PLAIN.match(text, at):
            at = plain.end()
        if at < len(text) and text[at] == ";":
            found.append(text[begins:at])
            begins = at = at + 1
    # An empty piece in front stands for a server that did not write its name.
    return [piece for place, piece in enumerate((*found, text[begins:])) if piece or not place]


class Border(Struct, frozen=True):
    """Where in the message the trust in it ends.

    Whoever takes a message writes above what is there. So what stands above ``last``, the lowest Received field of the
    reader's own servers, is theirs. Between that and ``below``, the next Received field, a milter of theirs writes, and
    what a sender brought along may stand there too. Both are ``None`` where there is no such field. ``own`` are the
    providers of the reader's servers.
    """

    own: tuple[str, ...]
    last: int | None
    below: int | None

    def standing(self, offset: int) -> Standing:
        """Whose a field is, by its place."""
        if self.last is None:
            return "foreign"
        if offset < self.last:
            return "own"
        return "unsure" if self.near(offset, None) else "foreign"

    def near(self, offset: int, server: str | None) -> bool:
        """Whether a milter of the reader's may have written a field: right below the lowest line of the reader's.

        ``server`` is the name that it bears, which is to be of the reader's servers; ``None`` where it does not matter.
        """
        if self.last is None or offset < self.last or (self.below is not None and offset > self.below):
            return False
        return not server or not self.own or owned(server, self.own)


def read_results(field: Field, border: Border) -> Results:
    """An Authentication-Results field. Some servers leave out their name, against RFC 8601 section 2.2."""
    pieces = [piece.strip(WHITE) for piece in _pieces(plain(field))]
    server, named = _server(pieces[0] if pieces else "")
    outcomes = _outcomes(pieces[1:] if named else pieces)
    return Results("Authentication-Results", server, border.standing(field.offset), outcomes, field.offset)


def _server(piece: str) -> tuple[str, bool]:
    """The ``authserv-id``, which may be a quoted string, and whether the piece is one (RFC 8601 section 2.2)."""
    quoted = _QUOTED.match(piece)
    if quoted:
        return _unquoted(quoted[0]).strip(WHITE), True
    first = piece.split(" ")[0]
    return ("", False) if "=" in first else (first, True)


def _outcomes(pieces: Sequence[str]) -> list[AuthenticationResult]:
    found = []
    for piece in pieces[:MOST_FIELDS]:
        pairs = [KeyValue(name, _unquoted(value)) for name, value in _PAIR.findall(piece)]
        if pairs:
            method = pairs[0].name.partition("/")[0].lower()
            found.append(AuthenticationResult(method, pairs[0].value.lower(), pairs[1:MOST_FIELDS]))
    return found


def read_spf(field: Field, border: Border) -> Results:
    """A Received-SPF field, which names its server only in a comment or in ``receiver``."""
    text = plain(field).strip(WHITE)
    pairs = [KeyValue(name, _unquoted(value)) for name, value in _PAIR.findall(text)][:MOST_FIELDS]
    server = next((pair.value for pair in pairs if pair.name == "receiver"), "")
    outcome = AuthenticationResult("spf", text.split(" ")[0].split(";")[0].lower(), pairs)
    return Results("Received-SPF", server, border.standing(field.offset), [outcome], field.offset)


def _unquoted(value: str) -> str:
    return (
        re.sub(r"\\(.)", r"\1", value[1:-1], flags=re.DOTALL)
        if value[:1] == '"' and len(value) > 1
        else value
    )


def signature_tags(field: Field) -> list[KeyValue]:
    """The tags of a signature (RFC 6376 section 3.2), white space inside their values taken out."""
    parts = read_tags(readable(field.text)).parts[:MOST_FIELDS]
    return [
        KeyValue(part.name, _SPACE.sub("", part.value)) for part in parts if part.fault in (None, "bad-name")
    ]


def read_signature(field: Field, author: str) -> ClaimedSignature:
    """A DKIM-Signature. ``author`` is the domain in From."""
    tags = signature_tags(field)
    domain = tag(tags, "d")
    return ClaimedSignature(
        domain, tag(tags, "s"), tag(tags, "a"), related(domain, author), tags, field.offset
    )


def tag(tags: Sequence[KeyValue], name: str) -> str:
    """The value of a tag; empty where it is missing."""
    return next((pair.value for pair in tags if pair.name == name), "")


def signature_findings(signature: ClaimedSignature, arrived: int | None) -> Iterator[HeaderFinding]:
    """What a signature's tags show, without a look at the key."""
    domain = signature.domain
    for name in ("v", "a", "b", "bh", "d", "h", "s"):
        if not tag(signature.tags, name):
            yield finding(
                "signature-broken",
                0,
                signature.offset,
                field="DKIM-Signature",
                domain=domain or "?",
                tag=name,
            )
            return
    if "from" not in tag(signature.tags, "h").lower().split(":"):
        yield finding("signature-from", 0, signature.offset, domain=domain)
    if signature.algorithm.lower() == "rsa-sha1":
        yield finding("signature-sha1", 0, signature.offset, domain=domain, algorithm="rsa-sha1")
    if _NUMBER.fullmatch(length := tag(signature.tags, "l")):
        yield finding("signature-length", 0, signature.offset, domain=domain, length=int(length))
    ends = tag(signature.tags, "x")
    if arrived is not None and _NUMBER.fullmatch(ends) and int(ends) < arrived:
        yield finding("signature-expired", 0, signature.offset, domain=domain)
    rule = "signature-aligned" if signature.aligned else "signature-other"
    yield finding(rule, 0, signature.offset, domain=domain)


def read_arc(fields: Sequence[Field]) -> list[ArcSet]:
    """The ARC sets, the first forwarder's first. Fields without a number are left out."""
    sets: dict[int, dict[str, Field]] = {}
    for field in [one for one in fields if one.key in ARC_FIELDS][:MOST_FIELDS]:
        number = tag(signature_tags(field), "i")
        if _NUMBER.fullmatch(number) and 1 <= int(number) <= MOST_FIELDS:
            sets.setdefault(int(number), {}).setdefault(field.key, field)
    highest = max(sets, default=0)
    return [_arc_set(instance, sets.get(instance, {})) for instance in range(1, highest + 1)]


def _arc_set(instance: int, found: dict[str, Field]) -> ArcSet:
    seal = signature_tags(found["arc-seal"]) if "arc-seal" in found else []
    server, outcomes = "", list[AuthenticationResult]()
    if "arc-authentication-results" in found:
        pieces = [piece.strip(WHITE) for piece in _pieces(plain(found["arc-authentication-results"]))]
        server, named = _server(pieces[1] if len(pieces) > 1 else "")
        outcomes = _outcomes(pieces[2 if named else 1 :])
    missing = [name for key, name in ARC_FIELDS.items() if key not in found]
    offset = min((field.offset for field in found.values()), default=-1)
    return ArcSet(instance, tag(seal, "d"), tag(seal, "cv").lower(), server, outcomes, missing, offset)


def arc_findings(sets: Sequence[ArcSet]) -> Iterator[HeaderFinding]:
    """Where the chain is broken, as far as its fields alone show it (RFC 8617 section 5.2)."""
    for one in sets:
        expected = "none" if one.instance == 1 else "pass"
        if one.missing:
            yield finding(
                "arc-incomplete", 0, one.offset, instance=one.instance, missing=", ".join(one.missing)
            )
        elif one.cv == "fail":
            yield finding("arc-failed", 0, one.offset, instance=one.instance, domain=one.domain)
        elif one.cv != expected:
            yield finding("arc-chain", 0, one.offset, instance=one.instance, cv=one.cv, expected=expected)

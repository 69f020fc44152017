"""The way of a message: its Received fields as hops, the oldest first (RFC 5321 section 4.4)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from grader.formats.message.dates import moment
from grader.formats.message.lexer import Malformed, comment_end
from grader.formats.message.parse import Field
from grader.lesson.analyser.findings import WHITE, HeaderFinding, duration, finding, readable, related

MOST_HOPS = 100
SLOW = 300
"""Seconds after which a hop's delay is told."""
_KEYWORDS = ("from", "by", "via", "with", "id", "for")
_ADDRESS = re.compile(r"\[(?:IPv6:)?([0-9A-Fa-f.:]{3,45})\]")
HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.[A-Za-z0-9-]+")
_WORD = re.compile(r'(?:"[^"]*"|[^ \t\r\n();"]|")+')
_PRIVATE = re.compile(
    r"10\..*|127\..*|192\.168\..*|172\.(?:1[6-9]|2[0-9]|3[01])\..*|169\.254\..*|f[cd].*|fe80.*|::1",
    re.IGNORECASE,
)


class Hop(Struct, frozen=True):
    """A Received field. ``source`` is what the client called itself, ``host`` and ``address`` what the server saw.

    ``time`` is in seconds since 1970, ``delay`` in seconds since the hop before; both ``None`` where unknown.
    ``offset`` is the field's place in the message.
    """

    number: int
    source: str
    host: str
    address: str
    private: bool
    by: str
    protocol: str
    id: str
    recipient: str
    date: str
    time: int | None
    delay: int | None
    offset: int


def read_hops(fields: Sequence[Field], written: int | None) -> list[Hop]:
    """The newest ``MOST_HOPS`` hops, the oldest first. ``written`` is the moment of Date."""
    received = [field for field in fields if field.key == "received"][:MOST_HOPS]
    hops: list[Hop] = []
    before = written
    for number, field in enumerate(reversed(received), 1):
        hop = _hop(number, field, before)
        before = hop.time if hop.time is not None else before
        hops.append(hop)
    return hops


def _hop(number: int, field: Field, before: int | None) -> Hop:
    words, comments, date = _split(readable(field.text))
    said = {keyword: words.get(keyword, "") for keyword in _KEYWORDS}
    seen = f"{said['from']} {comments.get('from', '')}"
    address = _ADDRESS.search(seen)
    first = comments.get("from", "").strip(" (").split(" ")[0]
    host = first if HOST.fullmatch(first) else ""
    time = moment(date)
    return Hop(
        number=number, source=said["from"], host=host, address=address[1] if address else "",
        private=bool(address and _PRIVATE.fullmatch(address[1])), by=said["by"], protocol=said["with"],
        id=said["id"], recipient=said["for"], date=date, time=time,
        delay=time - before if time is not None and before is not None else None, offset=field.offset,
    )  # fmt: skip


def _split(text: str) -> tuple[dict[str, str], dict[str, str], str]:
    """The word behind each keyword, the comment behind that, and the date behind the last semicolon."""
    items = list(_items(text))
    last = max((place for place, (kind, _, _) in enumerate(items) if kind == ";"), default=len(items))
    date = text[items[last][2] + 1 :].strip(WHITE) if last < len(items) else ""
    words: dict[str, str] = {}
    comments: dict[str, list[str]] = {}
    keyword, expecting = "", False
    for kind, word, _ in items[:last]:
        if kind == "(":
            comments.setdefault(keyword, []).append(word.rstrip(WHITE))
        elif kind == "word" and not expecting and word.lower() in _KEYWORDS and word.lower() not in words:
            keyword, expecting = word.lower(), True
        elif kind == "word" and expecting:
            words[keyword] = word
            expecting = False
    joined = {name: " ".join(filter(None, said)).strip(WHITE) for name, said in comments.items()}
    return words, joined, date


def _items(text: str) -> Iterator[tuple[str, str, int]]:
    position = 0
    while position < len(text):
        sign = text[position]
        if sign == "(":
            try:
                end = comment_end(text, position)
            except Malformed:
                end = len(text)
            yield "(", text[position:end].removeprefix("(").removesuffix(")").strip(" "), position
            position = end
        elif sign == ";":
            yield ";", sign, position
            position += 1
        elif found := _WORD.match(text, position):
            yield "word", found[0], position
            position = found.end()
        else:
            position += 1


def hop_findings(hops: Sequence[Hop], total: int, written: int | None) -> Iterator[HeaderFinding]:
    """What the hops themselves show. ``total`` is how many Received fields there are."""
    if not hops:
        yield finding("no-hops")
    if total > len(hops):
        yield finding("too-many-hops", count=total, shown=len(hops))
    yield from _written_findings(hops, written)
    for place, hop in enumerate(hops):
        yield from _time_findings(hop, first=place == 0)
        yield from _name_findings(hop)
        if place and not _continues(hops[place - 1], hop):
            source = hop.host or hop.source or hop.address
            yield finding("gap", hop.number, source=source, by=hops[place - 1].by)


def _written_findings(hops: Sequence[Hop], written: int | None) -> Iterator[HeaderFinding]:
    delay = hops[0].delay if hops else None
    if written is None or delay is None:
        return
    if delay < -60:
        yield finding("written-later", 1, time=duration(delay))
    elif delay > 86400:
        yield finding("written-earlier", 1, time=duration(delay))


def _time_findings(hop: Hop, *, first: bool) -> Iterator[HeaderFinding]:
    if hop.time is None:
        yield finding("no-time", hop.number)
    elif hop.delay is not None and not first:
        if hop.delay < 0:
            yield finding("clock", hop.number, by=hop.by, time=duration(hop.delay))
        elif hop.delay >= SLOW:
            yield finding("slow", hop.number, by=hop.by, time=duration(hop.delay))


def _name_findings(hop: Hop) -> Iterator[HeaderFinding]:
    if (
        hop.host
        and hop.host != "unknown"
        and HOST.fullmatch(hop.source)
        and not related(hop.host, hop.source)
    ):
        yield finding("name-differs", hop.number, claimed=hop.source, found=hop.host)
    if hop.address and not hop.private and not hop.host and hop.source:
        yield finding("no-name", hop.number, claimed=hop.source, address=hop.address)
    if hop.address and not hop.private and hop.protocol.upper() in ("SMTP", "ESMTP", "ESMTPA", "UTF8SMTP"):
        yield finding("plain-hop", hop.number, by=hop.by)


def _continues(before: Hop, hop: Hop) -> bool:
    """Whether the server that took the message before may be the client of this hop."""
    if not before.by or not (hop.host or hop.source) or hop.private:
        return True
    return any(
        related(before.by, name) or before.by.lower() == name.lower() for name in (hop.host, hop.source)
    )

"""Received fields (RFC 5321 section 4.4), whichever mail system wrote them, by the table in ``forms.py``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Literal, NamedTuple

from msgspec import Struct

from grader.formats.message.forms import DIALECTS, NO_NAMES, SHAPES, Dialect
from grader.formats.message.lexer import Malformed, comment_end
from grader.formats.message.moments import Moment, find_moment, read_moment

KEYWORDS = ("from", "by", "via", "with", "id", "for")
LONGEST = 600
"""Octets of a clause that are held against a shape. The longest that systems write has some 300."""
_PROTOCOL = re.compile(
    r"(?:utf8)?(?:e?smtp|lmtp|https?|pop3|imap|qmqp|qmtp|mmdf|uucp|bsmtp|local)", re.IGNORECASE
)
_IPV4 = re.compile(r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}")
_MAPPED = re.compile(r"::[Ff]{4}:([0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3})")
_BY_ADDRESS = re.compile(
    rf"[\[(](?:IPv6:)?({_IPV4.pattern}|[0-9A-Fa-f]{{1,4}}:[0-9A-Fa-f:]*:[0-9A-Fa-f]{{0,4}})[\])]"
)
_ANOTHER = re.compile(r" \([^()]{0,300}\[(?:[Ii][Pp][Vv]6:)?[0-9A-Fa-f.:]{3,45}\]\)")
"""A second address in parentheses: the client may have written the first one into its greeting."""
_FIRST = re.compile(r"[^ ()]{1,255}")
_WORD = re.compile(r'(?:"(?:[^"]*")?+|[^ \t\r\n();"])+')
_SPACE = re.compile(r"[ \t\r\n]+")
_SECURE_PROTOCOL = re.compile(r"(?:utf8)?(?:e?smtp|lmtp)sa?", re.IGNORECASE)
_NAMES = re.compile(
    r"^[^ ]+|\b(?:by|[Hh][Ee][Ll][Oo]|[Ee][Hh][Ll][Oo])[= ]\[?[^ ,;)\]]+"
    r"|(?:[A-Za-z0-9_-]{1,63}\.)+[A-Za-z]{2,63}(?![A-Za-z0-9_-])"
)
"""Names of hosts, which may hold any word: ``mx.hornetsecurity.com``."""
_SECURED = re.compile(r"TLS|SSL|[Cc]ipher|encrypted|E?SMTPS|STARTTLS|[Ss]ecur")

Lookup = Literal["name", "none", ""]
"""What a line tells of the client's name in DNS: one, that there was none, or nothing."""


class Received(Struct, frozen=True):
    """What a Received field tells; empty where it tells nothing.

    ``claimed`` is what the client called itself, ``name`` and ``address`` are what the server found of it, ``either``
    is one of the two names where the form does not tell which. ``by_address`` is the server's own. ``tls`` says whether
    the hop was encrypted, where that is known.
    """

    dialect: str
    kind: Literal["hop", "local", "fetched"]
    claimed: str
    name: str
    either: str
    address: str
    lookup: Lookup
    by: str
    by_address: str
    protocol: str
    id: str
    recipient: str
    moment: Moment
    tls: bool | None


class _Item(NamedTuple):
    kind: str
    word: str
    start: int
    end: int


def read_received(text: str) -> Received:
    """Read a Received field's body, in which octets beyond ASCII stand as surrogates. Raises nothing.

    Takes time linear in the text's length.
    """
    items = list(_items(text))
    body, tail, moment = _dated(text, items)
    clauses = _clauses(body, [item for item in items if item.end <= len(body)])
    source = _flat(_clause_text(body, clauses, "from"))
    rest = f"{_flat(body[clauses['from'][1] :] if 'from' in clauses else body)}; {_flat(tail)}"
    dialect, found = _matched(source, rest)
    name, unsure = _name(found.get("name", "")), _name(found.get("unsure", ""))
    address = _address(found.get("address", ""))
    lookup: Lookup = "name" if name else ""
    if not name and address and (unsure or "none" in found or (dialect.unnamed and source)):
        lookup = "none"
    words = {keyword: _first_word(body, clauses, keyword) for keyword in KEYWORDS}
    protocol = _protocol(body, clauses)
    return Received(
        dialect=dialect.id,
        kind=dialect.kind,
        claimed=_claimed(dialect, found, source),
        name=name,
        either=_name(found.get("either", "")),
        address=address,
        lookup=lookup,
        by=words["by"].rstrip(",.").strip("<>"),
        by_address=_by_address(body, clauses),
        protocol=protocol,
        id=(words["id"] or _behind(tail, "id")).strip("<>,"),
        recipient=(words["for"] or _behind(tail, "for")).strip("<>,").partition(">")[0],
        moment=moment,
        tls=_encrypted(dialect, protocol, f"{source} {rest}"),
    )


def _items(text: str) -> Iterator[_Item]:
    """Words, comments and semicolons. A comment that is not closed goes to the end."""
    position, closes = 0, True
    while position < len(text):
        sign = text[position]
        if sign == "(":
            try:
                end = comment_end(text, position) if closes else len(text)
            except Malformed:
                end, closes = len(text), False
            yield _Item("(", text[position:end], position, end)
            position = end
        elif sign == ";":
            yield _Item(";", sign, position, position + 1)
            position += 1
        elif found := _WORD.match(text, position):
            yield _Item("word", found[0], position, found.end())
            position = found.end()
        else:
            position += 1


def _dated(text: str, items: list[_Item]) -> tuple[str, str, Moment]:
    """What stands before the date, what from there on, and the date: behind the last semicolon, or without one."""
    for item in reversed(items):
        if item.kind == ";":
            tail = text[item.end :]
            return text[: item.start], tail, read_moment(tail)
    place = find_moment(text)
    if place is None:
        return text, "", read_moment("")
    return text[:place], text[place:], read_moment(text[place:])


def _clauses(body: str, items: list[_Item]) -> dict[str, tuple[int, int]]:
    """Where what belongs to each keyword begins and ends. A keyword right behind another is that one's value."""
    begins: list[tuple[str, int, int]] = []
    expecting = False
    seen: set[str] = set()
    for item in items:
        word = item.word.lower()
        if item.kind == "word" and not expecting and word in KEYWORDS and word not in seen:
            begins.append((word, item.start, item.end))
            seen.add(word)
            expecting = True
        else:
            expecting = False
    found = {}
    for place, (word, _, end) in enumerate(begins):
        found[word] = (end, begins[place + 1][1] if place + 1 < len(begins) else len(body))
    return found


def _clause_text(body: str, clauses: dict[str, tuple[int, int]], keyword: str) -> str:
    start, end = clauses.get(keyword, (0, 0))
    return body[start:end]


def _flat(text: str) -> str:
    """A clause with single spaces, cut to what is looked at."""
    return _SPACE.sub(" ", text[: 2 * LONGEST]).strip(" ")[:LONGEST]


@cache
def _patterns() -> list[tuple[Dialect, re.Pattern[str], list[re.Pattern[str]]]]:
    compiled = {name: re.compile(f"(?:{shape})(?![^ ,])") for name, shape in SHAPES.items()}
    return [(one, re.compile(one.mark), [compiled[name] for name in one.shapes]) for one in DIALECTS]


_UNKNOWN = Dialect("", "", "", [])


def _matched(source: str, rest: str) -> tuple[Dialect, dict[str, str]]:
    """The first dialect whose mark and one of whose shapes are there, and what the shape's parts hold."""
    for dialect, mark, shapes in _patterns():
        if not mark.search(rest):
            continue
        if not source:
            if dialect.mark:
                return dialect, {}
            continue
        for shape in shapes:
            found = shape.match(source)
            if found and not _ANOTHER.search(source, found.end()):
                return dialect, {name: part for name, part in found.groupdict().items() if part is not None}
    return _UNKNOWN, {}


def _name(text: str) -> str:
    """A host's name without the final dot of DNS. An address is never a name."""
    name = text.rstrip(".")
    if name.lower() in NO_NAMES or _IPV4.fullmatch(name) or ":" in name:
        return ""
    return name


def _address(text: str) -> str:
    plain = text[5:] if text[:5].lower() == "ipv6:" else text
    mapped = _MAPPED.fullmatch(plain)
    return mapped[1] if mapped else plain


def _claimed(dialect: Dialect, found: dict[str, str], source: str) -> str:
    """What the client called itself; of a form that is not known the first word."""
    if dialect.id:
        return found.get("claimed", "").rstrip(".")
    first = _FIRST.match(source)
    return first[0].rstrip(".") if first else ""


def _first_word(body: str, clauses: dict[str, tuple[int, int]], keyword: str) -> str:
    for item in _items(_clause_text(body, clauses, keyword)[:LONGEST]):
        if item.kind == "word" and item.word not in (",", "<", ">"):
            return item.word
    return ""


def _by_address(body: str, clauses: dict[str, tuple[int, int]]) -> str:
    found = _BY_ADDRESS.search(_clause_text(body, clauses, "by")[:LONGEST])
    return found[1] if found else ""


def _protocol(body: str, clauses: dict[str, tuple[int, int]]) -> str:
    """The protocol's word, or the words that stand in its place."""
    for keyword in ("with", "via"):
        said = [
            item.word
            for item in _items(_clause_text(body, clauses, keyword)[:LONGEST])
            if item.kind == "word"
        ]
        if not said:
            continue
        if said[0] == "Microsoft" or said[0].startswith("["):
            return " ".join(said[:4]).strip("[]")
        known = next((word for word in said if _PROTOCOL.match(word)), "")
        return known or " ".join(said[:4])
    return ""


def _behind(tail: str, keyword: str) -> str:
    """What some servers write behind the date."""
    words = [item.word for item in _items(tail[:LONGEST]) if item.kind == "word"]
    return next((value for word, value in pairwise(words) if word.lower() == keyword), "")


def _encrypted(dialect: Dialect, protocol: str, line: str) -> bool | None:
    """Whether the hop was encrypted, where the line tells (RFC 3848)."""
    if _SECURED.search(_NAMES.sub("", line)) or _SECURE_PROTOCOL.fullmatch(protocol):
        return True
    return False if dialect.tls and _PROTOCOL.match(protocol) else None

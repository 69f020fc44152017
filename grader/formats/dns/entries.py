"""From lines to records as they are written: owners, times to live, classes and types (RFC 1035 section 5.1).

What a name is made of, and what the data of a record mean, is left to whoever reads on; see ``masterfile``. Whoever
needs no more than owners and types has them from ``owners``, without a library for DNS, which takes its time to load.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from msgspec.structs import replace

from grader.formats.dns.slips import explained
from grader.formats.dns.tokens import Scanner, ZoneEntry, ZoneToken, lines_of
from grader.model.diagnostic import Diagnostic, Span, fault_in

MOST_FAULTS = 20
MOST_RECORDS = 5_000
LARGEST_TTL = 2**31 - 1
LARGEST_NUMBER = 2**32 - 1
"""What a time to live can be, and what its 32 bits can hold, which counts as nothing (RFC 2181 section 8)."""

LONGEST_NAME = 1_020
"""Characters that can write the 255 octets of a name (RFC 1035 sections 2.3.4 and 5.1)."""

_TTL = re.compile(r"[0-9]+(?:[WDHMSwdhms][0-9]+)*[WDHMSwdhms]?")
_UNIT = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1, "": 1}
_CLASS = re.compile(r"IN|CH|HS|CS|CLASS\d{1,5}", re.IGNORECASE)
_OF_THE_INTERNET = ("IN", "CLASS1")
_REFUSED = {
    "$INCLUDE": "$INCLUDE is not taken: it would read files of whoever serves the zone. Write the records here",
    "$GENERATE": "$GENERATE is not taken: one line could make a million records. Write out those that you need",
}

N = TypeVar("N")


class BadEntry(Exception):
    """An entry that is none: the place and the sentence."""

    def __init__(self, place: Span, sentence: str) -> None:
        super().__init__(sentence)
        self.place = place


class Entries(ABC, Generic[N]):
    """Reads the entries of a file for the zone ``origin``; ``N`` is what stands for a name.

    ``default_ttl`` is that of ``$TTL``. What is wrong gets into ``faults``, up to 20, in the file's order.
    """

    def __init__(self, lines: list[str], origin: N) -> None:
        self.faults: list[Diagnostic] = []
        self.default_ttl: int | None = None
        self._lines = lines
        self._origin = origin
        self._owner: N | None = None
        self._records = 0

    @abstractmethod
    def name(self, token: ZoneToken, origin: N) -> N:
        """A name, completed with the origin where it has no dot at its end. Raises ``BadEntry``."""

    @abstractmethod
    def record(
        self, entry: ZoneEntry, owner: N, ttl: int | None, type_: ZoneToken, data: list[ZoneToken], origin: N
    ) -> None:
        """Take a record; ``ttl`` is its own, in seconds. Raises ``BadEntry``."""

    def read(self) -> None:
        """Read everything."""
        scanner = Scanner(self._lines)
        for entry in scanner.entries():
            if len(self.faults) + len(scanner.faults) >= MOST_FAULTS:
                break
            if self._records >= MOST_RECORDS:
                sentence = f"more than {MOST_RECORDS} records: no zone of a lab needs them"
                self.faults.append(fault_in(entry.tokens[0].whole, sentence))
                break
            try:
                self._entry(entry)
            except BadEntry as bad:
                self.faults.append(fault_in(bad.place, str(bad)))
        self.faults = explained([*self.faults, *scanner.faults], self._lines)
        self.faults.sort(key=lambda fault: (fault.place.line, fault.place.column))

    def _entry(self, entry: ZoneEntry) -> None:
        first = entry.tokens[0]
        if first.source.startswith("$") and not first.quoted and not entry.continues:
            self._directive(entry)
            return
        tokens = list(entry.tokens)
        if not entry.continues:
            self._owner = self.name(_owner(tokens.pop(0)), self._origin)
        elif self._owner is None:
            raise BadEntry(
                first.whole, "the first record has no name: write it at the very beginning of the line"
            )
        ttl, type_, data = _head(entry, tokens)
        self.record(entry, self._owner, ttl, type_, data, self._origin)
        self._records += 1

    def _directive(self, entry: ZoneEntry) -> None:
        first, arguments = entry.tokens[0], entry.tokens[1:]
        word = first.source.upper()
        if word in _REFUSED:
            raise BadEntry(first.whole, _REFUSED[word])
        if word not in ("$TTL", "$ORIGIN"):
            raise BadEntry(
                first.whole, f"{first.source} is no directive: a master file knows $ORIGIN and $TTL"
            )
        if len(arguments) != 1:
            raise BadEntry(first.whole, f"{word} takes exactly one value")
        if word == "$TTL":
            self.default_ttl = _seconds(arguments[0])
        else:
            self._origin = self.name(arguments[0], self._origin)


class _Owners(Entries[str]):
    """Names are their text, absolute and in lower case."""

    def __init__(self, lines: list[str], origin: str) -> None:
        super().__init__(lines, f"{origin.lower().rstrip('.')}.")
        self.found: list[tuple[str, str]] = []

    def name(self, token: ZoneToken, origin: str) -> str:
        """See ``Entries``."""
        if token.source == "@":
            return origin
        text = token.source.lower() if token.source.endswith(".") else f"{token.source.lower()}.{origin}"
        if len(text) > LONGEST_NAME:
            raise BadEntry(token.whole, "this name is longer than 255 octets")
        return text

    def record(
        self,
        entry: ZoneEntry,
        owner: str,
        ttl: int | None,
        type_: ZoneToken,
        data: list[ZoneToken],
        origin: str,
    ) -> None:
        """See ``Entries``."""
        self.found.append((owner.removesuffix("."), type_.source.upper()))


def owners(data: bytes, origin: str) -> list[tuple[str, str]]:
    """Owner and type of each record in a file that somebody will read whole: what is wrong there is passed over.

    Owners are absolute, in lower case, without the dot at their end; types in capitals.
    """
    entries = _Owners(lines_of(data), origin)
    entries.read()
    return entries.found


def _owner(token: ZoneToken) -> ZoneToken:
    """The name of a record, which may stand in quotation marks, as those in its data may not: BIND and NSD take it."""
    return replace(token, quoted=False) if token.quoted and token.source else token


def _head(entry: ZoneEntry, tokens: list[ZoneToken]) -> tuple[int | None, ZoneToken, list[ZoneToken]]:
    """TTL and class, in either order and each optional, then the type; the tokens after it."""
    ttl: int | None = None
    classed = False
    last = entry.tokens[0]
    while tokens:
        last = tokens.pop(0)
        if not classed and not last.quoted and _CLASS.fullmatch(last.source):
            classed = True
            # By its number, a class may be written like one that nobody knows (RFC 3597 section 5).
            if last.source.upper() not in _OF_THE_INTERNET:
                raise BadEntry(last.whole, f"the class {last.source} is not the Internet's: write IN")
        elif ttl is None and not last.quoted and _TTL.fullmatch(last.source):
            ttl = _seconds(last)
        else:
            return ttl, last, tokens
    raise BadEntry(last.whole, "the record ends before it says its type and data")


def _seconds(token: ZoneToken) -> int:
    if token.quoted or not _TTL.fullmatch(token.source) or len(token.source) > 40:
        raise BadEntry(token.whole, "a time to live is a number of seconds, or such as 1h or 2d")
    parts = re.findall(r"(\d+)([a-z]?)", token.source.lower())
    total = sum(int(number) * _UNIT[unit] for number, unit in parts)
    if total > LARGEST_NUMBER:
        raise BadEntry(token.whole, f"a time to live is at most {LARGEST_TTL} seconds (RFC 2181 section 8)")
    return total if total <= LARGEST_TTL else 0

"""Names that fare alike, so that receivers need to be asked about a few of them: what a zone of thousands costs.

Only what surely fares alike is taken together. Where what a name gets may depend on the name itself, by a macro, by an
include that leads back or by a name below it, each is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property

from grader.formats.dns.names import key
from grader.formats.dns.tree import Key, answering
from grader.model.dns import ZoneRecord

KEPT = 5
"""Names that are looked at, of those that fare alike."""
MOST_STEPS = 20
"""Aliases and includes in a row that are followed: more than receivers follow (RFC 7208 section 4.6.4)."""
_LEADS_ON = re.compile(r"(?:include:|redirect=)(\S+)")
_OWN_NAME = re.compile(r"%|\bptr(?![-\w.])")
"""What makes a record depend on the name that is asked for: a macro, and hosts below it (RFC 7208 section 5.5)."""
_WORD = re.compile(r"[^\s:=,/\"]+")
"""What could be a name in a text; more than that does no harm."""


class Alike:
    """Compares the names of some zones by what there is at them."""

    def __init__(self, records: Iterable[ZoneRecord]) -> None:
        self._at: dict[str, list[ZoneRecord]] = {}
        for record in records:
            self._at.setdefault(record.owner, []).append(record)
        self._plain: dict[str, bool] = {}

    @cached_property
    def spare(self) -> frozenset[str]:
        """Names of which enough others are in the same place, with the same records and with nothing below.

        What is asked about one, by SPF or DMARC, has the same answer as for the others.
        """
        if self._renamed:
            return frozenset()
        known = self._ancestors | self._mentioned
        groups: dict[tuple[str, object], int] = {}
        found = set[str]()
        for name, records in self._at.items():
            if name in known or name.startswith("*.") or not self._is_plain(name):
                continue
            group = name.partition(".")[2], self._content(records)
            groups[group] = groups.get(group, 0) + 1
            if groups[group] > KEPT:
                found.add(name)
        return frozenset(found)

    def answer(self, name: str) -> object:
        """What stands for the answers about a name: names of one answer need to be asked for once."""
        name = name.lower().rstrip(".")
        owner = self._source(name)
        if not isinstance(owner, str):
            return name if owner is None else owner
        return self._content(self._at[owner]) if self._is_plain(owner) else name

    def _source(self, name: str) -> str | bool | None:
        """Whose records answer for a name; whether it exists, where there are none; nothing where that is not known."""
        if name in self._at:
            return name
        place = None if self._renamed else key(name)
        if place is None or not any(place[: len(apex)] == apex for apex in self._apexes):
            return None
        source = answering(place, self._existing)
        return self._owners.get(source, True) if source is not None else False

    def _content(self, records: Sequence[ZoneRecord]) -> object:
        """What there is at a name: types and data, and what an alias leads to in its place."""
        return frozenset(
            (record.type, self.answer(record.data) if record.type == "CNAME" else record.data)
            for record in records
        )

    def _is_plain(self, name: str, steps: int = 0) -> bool:
        """Whether what SPF asks of a name never depends on how it is called: no macro or ptr, and no ring."""
        if name not in self._plain:
            self._plain[name] = (
                False  # for what leads back to it: where a ring ends depends on where it was entered
            )
            self._plain[name] = steps < MOST_STEPS and all(
                self._without_macros(record, steps + 1) for record in self._at[name]
            )
        return self._plain[name]

    def _without_macros(self, record: ZoneRecord, steps: int) -> bool:
        if record.type == "CNAME":
            return self._leads_to_plain(record.data, steps)
        if record.type not in ("TXT", "SPF"):
            return True
        text = _text(record)
        if not record.texts or _OWN_NAME.search(text):
            return False
        return all(self._leads_to_plain(name, steps) for name in _LEADS_ON.findall(text))

    def _leads_to_plain(self, name: str, steps: int) -> bool:
        owner = self._source(name.lower().rstrip("."))
        return self._is_plain(owner, steps) if isinstance(owner, str) else True

    @cached_property
    def _renamed(self) -> bool:
        """Whether names are renamed below some (RFC 6672), or left to other servers: then none is compared."""
        apexes = {owner for owner, records in self._at.items() if any(one.type == "SOA" for one in records)}
        return any(
            record.type == "DNAME" or (record.type == "NS" and owner not in apexes)
            for owner, records in self._at.items()
            for record in records
        )

    @cached_property
    def _apexes(self) -> list[Key]:
        owners = (owner for owner, records in self._at.items() if any(one.type == "SOA" for one in records))
        return [place for owner in owners if (place := key(owner)) is not None]

    @cached_property
    def _ancestors(self) -> set[str]:
        found = set[str]()
        for owner in self._at:
            above = owner.partition(".")[2]
            while above and above not in found:
                found.add(above)
                above = above.partition(".")[2]
        return found

    @cached_property
    def _mentioned(self) -> set[str]:
        """The names that records are about, all aliases' targets among them."""
        return {
            word.lower().rstrip(".")
            for records in self._at.values()
            for record in records
            for word in _WORD.findall(_text(record) if record.texts else record.data)
        }

    @cached_property
    def _owners(self) -> dict[Key, str]:
        return {place: owner for owner in self._at if (place := key(owner)) is not None}

    @cached_property
    def _existing(self) -> set[Key]:
        return {place[:length] for place in self._owners for length in range(1, len(place) + 1)}


def _text(record: ZoneRecord) -> str:
    return bytes(octet for string in record.texts for octet, _ in string.octets()).decode("latin-1").lower()

"""A master file as it was read."""

from __future__ import annotations

from typing import Any, NamedTuple

import dns.name
from msgspec import Struct

from grader.formats.dns.octets import Record
from grader.model.diagnostic import Diagnostic, Span
from grader.model.dns import ZoneRecord


class ServedRecord(NamedTuple):
    """A record for a nameserver: its data as dnspython holds it, and where the file writes them and their type."""

    owner: dns.name.Name
    ttl: int
    rdata: Any
    place: Span = Span(0, 0, 0)
    type_place: Span = Span(0, 0, 0)

    def on_the_wire(self) -> Record:
        """The same as it stands in a message."""
        labels = tuple(label for label in self.owner.labels if label)
        return Record(labels, int(self.rdata.rdtype), self.ttl, self.rdata.to_wire())


class ZoneFile(Struct):
    """A master file as it was read: ``records`` for evidence, and the same as ``served`` for a nameserver.

    ``untimed`` is the first record before which nothing gave a time to live.
    """

    lines: list[str]
    faults: list[Diagnostic] = []
    records: list[ZoneRecord] = []
    served: list[ServedRecord] = []
    untimed: ZoneRecord | None = None

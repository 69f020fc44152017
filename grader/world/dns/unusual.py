"""Reads zones that hold what a lab's own do not, with a library for DNS, which knows every type and notation."""

from __future__ import annotations

from grader.formats.dns.library import dns
from grader.formats.dns.masterfile import read_records
from grader.formats.dns.octets import Name, Record
from grader.model.errors import LabError
from grader.model.plan import Zone


def read_unusual(zone: Zone) -> tuple[Name, list[Record]]:
    """A zone's name and records. Raises ``LabError`` where it cannot be read."""
    file = read_records(zone.text.encode(), zone.origin)
    if file.faults:
        fault = file.faults[0]
        raise LabError(
            f"zone {zone.origin}: not a master file (RFC 1035 section 5): line {fault.place.line + 1}, "
            f"column {fault.place.column + 1}: {fault.sentence}"
        )
    labels = dns.name.from_text(zone.origin).labels
    return tuple(filter(None, labels)), [record.on_the_wire() for record in file.served]

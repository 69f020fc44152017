"""Which keys to ask DNS for: those that signatures name, and those that were published."""

from __future__ import annotations

import re
from collections.abc import Iterable

from grader.formats.dkim import read_signature
from grader.formats.message.parse import header_fields
from grader.kinds.server.facts import Published
from grader.model.traffic import Arrival

MOST_KEYS = 40
HEADER_OCTETS = 64_000

_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?")


def key_names(arrivals: Iterable[Arrival], published: Published) -> list[str]:
    """The names of keys (RFC 6376 section 3.6.2.1), each once, those of signatures first; at most ``MOST_KEYS``.

    This only chooses what to ask. A signature too odd for it is one whose key is not known.
    """
    names: dict[str, None] = {}
    for arrival in arrivals:
        for field in header_fields(arrival.raw[:HEADER_OCTETS]):
            if field.key == "dkim-signature":
                names[read_signature(field.text).key_name] = None
    names |= {record.name: None for record in published.records if "*" not in record.name}
    return [name for name in names if _can_be_asked(name)][:MOST_KEYS]


def _can_be_asked(name: str) -> bool:
    """Whether a name is a host's, and fits a question (RFC 1035 section 2.3.4)."""
    labels = name.split(".")
    return len(name) < 250 and bool(_NAME.fullmatch(name)) and all(0 < len(label) < 64 for label in labels)

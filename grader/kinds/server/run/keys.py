"""Which keys to ask DNS for: those that signatures name, and those that were published."""

from __future__ import annotations

import re
from collections.abc import Iterable

from grader.kinds.server.facts import Published
from grader.model.traffic import Arrival

MOST_KEYS = 40
HEADER_OCTETS = 64_000

_SIGNATURE = re.compile(rb"^dkim-signature:((?:.|\n[ \t])*)", re.IGNORECASE | re.MULTILINE)
_TAG = rb"(?:^|;)\s*%s\s*=\s*([A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,200}[A-Za-z0-9_])?)\s*(?:;|$)"
_SELECTOR, _DOMAIN = re.compile(_TAG % b"s"), re.compile(_TAG % b"d")


def key_names(arrivals: Iterable[Arrival], published: Published) -> list[str]:
    """The names of keys (RFC 6376 section 3.6.2.1), each once, those of signatures first; at most ``MOST_KEYS``.

    This only chooses what to ask. A signature too odd for it is one whose key is not known.
    """
    names: dict[str, None] = {}
    for arrival in arrivals:
        head = re.split(rb"\r?\n\r?\n", arrival.raw[:HEADER_OCTETS], maxsplit=1)[0].replace(b"\r\n", b"\n")
        for found in _SIGNATURE.finditer(head):
            selector, domain = _SELECTOR.search(found[1]), _DOMAIN.search(found[1])
            if selector and domain:
                names[f"{selector[1].decode()}._domainkey.{domain[1].decode()}".lower()] = None
    names |= {record.name: None for record in published.records if "*" not in record.name}
    return [name for name in list(names)[:MOST_KEYS] if _can_be_asked(name)]


def _can_be_asked(name: str) -> bool:
    """Whether a name fits a question (RFC 1035 section 2.3.4)."""
    return len(name) < 250 and all(0 < len(label) < 64 for label in name.split("."))

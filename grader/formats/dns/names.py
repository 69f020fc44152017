"""Domain names as dnspython has them: how they are written, and how they are compared."""

from __future__ import annotations

from functools import lru_cache

import dns.exception
import dns.name

from grader.formats.dns.tree import Key, key_of_labels


def key_of(name: dns.name.Name) -> Key:
    """The name for comparison (RFC 4343: case does not matter)."""
    return key_of_labels(name.labels)


@lru_cache(maxsize=16_384)
def key(text: str) -> Key | None:
    """An absolute name, with or without the dot at its end, for comparison; ``None`` for what is no name."""
    try:
        return key_of(dns.name.from_text(text))
    except (dns.exception.DNSException, ValueError):
        return None


def plain(name: dns.name.Name) -> str:
    """The name as text without the dot at its end; the root is empty."""
    return "" if name == dns.name.root else name.to_text(omit_final_dot=True)

"""Which name's records answer a question (RFC 1034, RFC 4592)."""

from __future__ import annotations

from collections.abc import Collection, Iterable

Key = tuple[bytes, ...]
"""A name's labels in lower case, the last one first, so that a name's ancestors are its prefixes."""

WILDCARD = b"*"


def key_of_labels(labels: Iterable[bytes]) -> Key:
    """The name of these labels for comparison (RFC 4343: case does not matter)."""
    return tuple(label.lower() for label in labels if label)[::-1]


def existing(owners: Iterable[Key], apex: Key) -> set[Key]:
    """The names that exist in a zone: its apex, the owners of records, and all between (RFC 4592 section 2.2.2)."""
    found = {apex}
    for owner in owners:
        found.update(owner[:length] for length in range(len(apex), len(owner) + 1))
    return found


def answering(name: Key, names: Collection[Key]) -> Key | None:
    """The name whose records answer for a name, of all that exist; ``None`` where it does not exist.

    That is the name itself. Where it does not exist, it is the wildcard right below its closest encloser, and no
    wildcard further up (RFC 4592 section 3.3.1).
    """
    if name in names:
        return name
    for length in range(len(name) - 1, -1, -1):
        if name[:length] in names:
            wildcard = (*name[:length], WILDCARD)
            return wildcard if wildcard in names else None
    return None

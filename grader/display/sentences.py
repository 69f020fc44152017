"""Numbers and lists in the middle of a sentence."""

from __future__ import annotations

from collections.abc import Collection, Iterable


def count(number: int, noun: str) -> str:
    """``1 line``, ``1,200 lines``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def counted(number: int, noun: str) -> str:
    """``1 line was``, ``2 lines were``."""
    return f"{count(number, noun)} {'was' if number == 1 else 'were'}"


def listed(items: Iterable[object]) -> str:
    """``25, 465 and 587``."""
    texts = [str(item) for item in items]
    return " and ".join([", ".join(texts[:-1]), texts[-1]]) if len(texts) > 1 else "".join(texts)


def some(items: Collection[object], most: int = 8) -> str:
    """``alice, bob and 31 more``: as ``listed``, but never more than ``most`` of them."""
    if len(items) <= most:
        return listed(items)
    return f"{', '.join(str(item) for item in list(items)[:most])} and {len(items) - most:,} more"

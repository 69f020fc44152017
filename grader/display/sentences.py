"""Numbers and lists in the middle of a sentence."""

from __future__ import annotations

from collections.abc import Iterable


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

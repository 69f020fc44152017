"""Strangers' text on a terminal."""

from __future__ import annotations


def plain(text: str) -> str:
    """``text`` with everything that a terminal could obey, or cannot show, as a visible escape.

    File names and servers' words can hold escape sequences, direction marks and bytes that are no UTF-8.
    """
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)

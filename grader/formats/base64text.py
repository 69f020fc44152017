"""Base64 as RFC 4648 section 4 has it. Python's own readers differ by version in what they let pass behind its end."""

from __future__ import annotations

import binascii
import re

_WHOLE = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


def octets_of(text: str) -> bytes:
    """What a text without blanks stands for, its padding whole. Raises ``ValueError`` where it is no base64."""
    if not _WHOLE.fullmatch(text):
        raise ValueError("this is no base64")
    return binascii.a2b_base64(text)


def padded_too_far(text: str) -> bool:
    """Whether nothing is wrong but that there are more equals signs at its end than it needs (RFC 4648 section 3.2)."""
    bare = text.rstrip("=")
    needed = -len(bare) % 4
    return len(text) - len(bare) > needed and _WHOLE.fullmatch(bare + "=" * needed) is not None

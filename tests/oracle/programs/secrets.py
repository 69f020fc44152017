"""Whether a message tells whom it was not to tell of."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from tests.oracle.programs.dialogue import Transaction

_DIGITS = re.compile(rb"[A-Za-z0-9+/_-]{12,}")
_HEXADECIMAL = re.compile(rb"(?:[0-9A-Fa-f]{2}){6,}")


def readings(raw: bytes) -> Iterator[bytes]:
    """A message as it is, and what its reader may decode of it."""
    yield raw
    yield re.sub(
        rb"=([0-9A-F]{2})", lambda found: bytes.fromhex(found[1].decode()), raw.replace(b"=\r\n", b"")
    )
    for digits in _DIGITS.findall(re.sub(rb"(?<=[A-Za-z0-9+/]{60})\r\n", b"", raw)):
        for begin in range(4):
            part = digits[begin:].translate(bytes.maketrans(b"-_", b"+/"))
            part = part[: len(part) - len(part) % 4]
            try:
                yield base64.b64decode(part)
            except binascii.Error:
                continue
    for digits in _HEXADECIMAL.findall(raw):
        yield bytes.fromhex(digits.decode())


def told_of(transaction: Transaction, address: str) -> bool:
    """Whether a message tells of an address, whose local part no other has, to anybody but its owner."""
    if transaction.text is None or set(transaction.recipients) <= {address}:
        return False
    local = address.rpartition("@")[0].encode().lower()
    return any(local in reading.lower() for reading in readings(transaction.text))

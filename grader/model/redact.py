"""Takes secrets out of evidence before anybody can store it.

A server may copy a password into its log, a reply, a header or a mailbox, as it is or in base64, in which AUTH sends it
(RFC 4954 section 4). Both are looked for, in texts and in octets.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from grader.model.evidence import AnyEvidence

REDACTED = "[redacted]"
SHORTEST_CORE = 6
"""Characters of base64 that are worth looking for; fewer would be found in anything."""


def redact(evidence: AnyEvidence, secrets: list[str]) -> AnyEvidence:
    """The evidence with every secret replaced, in whatever field it stands. The world has left out its own already."""
    spoken = sorted({secret.encode() for secret in secrets if secret}, key=len, reverse=True)
    needles = {needle for secret in spoken for needle in _forms(secret)}
    # There texts and octets stand as they are, as they do not in JSON.
    document = msgspec.msgpack.encode(evidence)
    if not any(needle in document for needle in needles):
        return evidence
    pattern = b"|".join(re.escape(needle) for needle in sorted(needles, key=len, reverse=True))
    texts = re.compile(pattern.decode("latin-1"))
    return _Redaction(re.compile(pattern), texts).of(evidence)  # type: ignore[no-any-return]  # as typed as what it was given


def _forms(secret: bytes) -> Iterator[bytes]:
    """A secret as it is, and what it leaves in the base64 of any text that it stands in."""
    yield secret
    yield from _cores(secret)


def _cores(data: bytes) -> Iterator[bytes]:
    """The characters of base64 that depend on ``data`` alone, for each place at which it may begin in three octets."""
    for before in range(3):
        encoded = binascii.b2a_base64(bytes(before) + data, newline=False)
        first = -(-before * 4 // 3)
        whole = (before + len(data)) * 8 // 6
        core = encoded[first:whole]
        if len(core) >= SHORTEST_CORE:
            yield core


class _Redaction:
    """Replaces in values of any shape."""

    def __init__(self, octets: re.Pattern[bytes], texts: re.Pattern[str]) -> None:
        self._octets = octets
        self._texts = texts

    def of(self, value: Any) -> Any:
        """The value, the same object where nothing was to be replaced."""
        if isinstance(value, str):
            # Compared as octets, one character each, so that one pattern serves both.
            spelt = value.encode("utf-8", "surrogatepass").decode("latin-1")
            done = self._texts.sub(REDACTED, spelt)
            return value if done == spelt else done.encode("latin-1").decode("utf-8", "replace")
        if isinstance(value, bytes):
            return self._octets.sub(REDACTED.encode(), value)
        if isinstance(value, list | tuple):
            return type(value)(self.of(inner) for inner in value)
        if isinstance(value, dict):
            return {self.of(key): self.of(inner) for key, inner in value.items()}
        if isinstance(value, msgspec.Struct):
            known = {name: getattr(value, name) for name in value.__struct_fields__}
            changed = {name: new for name, old in known.items() if (new := self.of(old)) != old}
            return msgspec.structs.replace(value, **changed) if changed else value
        return value

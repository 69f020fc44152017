"""Finds secrets in what others could read."""

from __future__ import annotations

import binascii
import re

from .files import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Exposure

MOST = 20
"""Places that are noted of a run."""

_BASE64 = re.compile(rb"[A-Za-z0-9+/]{8,}={0,2}")


class Exposures:
    """Where secrets showed, each place once."""

    def __init__(self, secrets: list[bytes]) -> None:
        self._secrets = secrets
        self.found: list[Exposure] = []

    def search(self, where: str, line: bytes, place: str = "") -> None:
        """Note whether the line shows a secret; the secret is left out."""
        if len(self.found) >= MOST or not (shown := without(line, self._secrets)):
            return
        found: Exposure = {"where": where, "what": place + text(shown)}
        if found not in self.found:
            self.found.append(found)

    def left_out_of(self, output: bytes) -> str:
        """The text with every secret left out."""
        return text(without(output, self._secrets) or output)


def without(line: bytes, secrets: list[bytes]) -> bytes | None:
    """The line with every secret left out, plain or within base64; ``None`` where it holds none."""
    shown = line
    for secret in secrets:
        shown = shown.replace(secret, b"<password>")
    for found in set(_BASE64.findall(shown)):
        whole = found.rstrip(b"=")
        whole = whole[: len(whole) - (len(whole) % 4 == 1)]
        try:
            inner = binascii.a2b_base64(whole + b"=" * (-len(whole) % 4))
        except binascii.Error:
            continue
        if any(secret in inner for secret in secrets):
            shown = shown.replace(found, b"<password in base64>")
    return None if shown == line else shown

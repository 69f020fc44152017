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
TELLING = 10
"""Octets of a secret in a row, that are one."""

AROUND = 200
"""Octets of a line that are shown on each side of a secret; a command may have millions."""

_BASE64 = re.compile(rb"[A-Za-z0-9+/]{8,}={0,2}")


class Exposures:
    """Where secrets showed, each place once."""

    def __init__(self, secrets: list[bytes]) -> None:
        self._secrets = secrets
        self._parts = {part for secret in secrets for part in _parts(secret)}
        self.found: list[Exposure] = []

    def search(self, where: str, line: bytes) -> None:
        """Note whether the line shows a secret; the secret is left out."""
        if len(self.found) < MOST and (shown := without(line, self._secrets)):
            self._note(where, shown)

    def search_lines(self, where: str, lines: list[bytes], place: bytes = b"") -> None:
        """Note each line, at a place, that shows a secret. Hundreds of thousands without one cost a moment."""
        if len(self.found) < MOST and without(place + b"\n".join(lines), self._secrets):
            for line in lines or [b""]:
                self.search(where, place + line)

    def search_name(self, where: str, name: bytes) -> None:
        """Note whether a process's name, of which the system keeps 15 octets, shows a part of a secret."""
        if len(self.found) < MOST and any(part in name for part in self._parts):
            self._note(where, b"<a part of the password>, as a process's name")

    def _note(self, where: str, shown: bytes) -> None:
        found: Exposure = {"where": where, "what": text(_around(shown))}
        if found not in self.found:
            self.found.append(found)

    def left_out_of(self, output: bytes) -> str:
        """The text with every secret left out."""
        return text(without(output, self._secrets) or output)


def _parts(secret: bytes) -> list[bytes]:
    """Every stretch of a secret that is long enough to stand nowhere by chance."""
    length = min(len(secret), TELLING)
    return [secret[at : at + length] for at in range(len(secret) - length + 1)]


def _around(shown: bytes) -> bytes:
    """A line of which a secret was left out, as far as it is needed to see where."""
    at = max(0, shown.find(b"<"), shown.find(b"<password"))
    begin, end = max(0, at - AROUND), at + AROUND
    return b"[...]" * (begin > 0) + shown[begin:end] + b"[...]" * (end < len(shown))


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

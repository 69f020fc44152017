"""Mail in the host's mailboxes."""

from __future__ import annotations

import binascii
import os
import stat

from .files import read, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .shapes import DeliveredMail

PLACES = ("/var/mail", "/home", "/root", "/var/vmail", "/var/lib/dovecot", "/srv")
MOST_BYTES = 32_000_000
MOST_FILES = 5_000
MOST_FOUND = 50
"""Messages of a token that are told."""
MOST_TOLD = 16_000_000
"""Bytes of all that are told whole."""
TOLD = 8_192
"""Bytes of one that is not."""

BETWEEN, BEGINS = b"\n\nFrom ", b"From "
"""Between two messages of an mbox stand an empty line and "From " (RFC 4155)."""
DATED = rb"\n(?=From [^\n]{1,400} \d\d:\d\d:\d\d \d{4}\n)"
"""Postfix's local(8) gives a command each message without that empty line; readers of mail go by the sender and date
behind "From " then."""


class Mailboxes:
    """What was seen of the host's mailboxes: a file that has not changed is not read again."""

    def __init__(self) -> None:
        self.places = list(PLACES)
        self._seen: dict[str, tuple[tuple[int, ...], list[bytes]]] = {}
        self._held = 0

    def find(self, tokens: list[str], whole: bool = True) -> list[DeliveredMail]:
        """Messages that contain a token; their text too, if it is wanted.

        A mailbox that is flooded hides none of another token.
        """
        if not tokens:
            return []
        counts = dict.fromkeys(tokens, 0)
        told = 0
        wanted = [token.encode() for token in tokens]
        found: list[DeliveredMail] = []
        for path, messages in self._mailboxes():
            for raw in messages:
                hits = {hit.decode() for hit in _found(wanted, raw)}
                if not any(counts[hit] < MOST_FOUND for hit in hits):
                    continue
                for hit in hits:
                    counts[hit] += 1
                kept = b"" if not whole else raw if told + len(raw) <= MOST_TOLD else raw[:TOLD]
                told += len(kept)
                found.append(
                    {
                        "path": shown(path),
                        "raw": binascii.b2a_base64(kept, newline=False).decode(),
                        "tokens": sorted(hits),
                        "octets": len(raw) if len(kept) < len(raw) else 0,
                    }
                )
        return found

    def _mailboxes(self) -> Iterator[tuple[str, list[bytes]]]:
        for path in _files(self.places):
            try:
                info = os.lstat(path)
                if not stat.S_ISREG(info.st_mode):
                    continue
                state = (info.st_ino, info.st_size, info.st_mtime_ns)
                if path not in self._seen or self._seen[path][0] != state:
                    if self._held > MOST_BYTES:
                        continue
                    raw = read(path)
                    self._held += len(raw)
                    self._seen[path] = (state, messages_in(raw))
                yield path, self._seen[path][1]
            except OSError:
                continue


def _found(tokens: list[bytes], raw: bytes) -> list[bytes]:
    """The tokens in a message; one that begins within another, or with its beginning, counts as the longer."""
    # Token by token: one expression for hundreds of them takes ten times as long.
    found = [token for token in tokens if token in raw]
    if len(found) > 1:
        import re  # most messages hold one, and the import takes as long as Python's start

        return re.findall(b"|".join(map(re.escape, sorted(found, key=len, reverse=True))), raw)
    return found


def _files(roots: list[str]) -> list[str]:
    """Files below the folders, links not followed, at most ``MOST_FILES``."""
    found: list[str] = []
    for root in dict.fromkeys(roots):
        for folder, _, names in os.walk(root):
            # Dovecot's indexes repeat header fields of messages, and are none.
            found += [f"{folder}/{name}" for name in names if not name.startswith(("dovecot.", "dovecot-"))]
            if len(found) > MOST_FILES:
                return found[:MOST_FILES]
    return found


def messages_in(raw: bytes) -> list[bytes]:
    """The messages of an mbox, or the one message of a file."""
    if not raw.startswith(BEGINS):
        return [raw]
    first, *others = raw.split(BETWEEN)
    messages = [first, *(BEGINS + rest for rest in others)]
    if not any(b"\n" + BEGINS in message for message in messages):
        return messages
    import re

    return [part for message in messages for part in re.split(DATED, message)]

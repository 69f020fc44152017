"""What was said in a session, as transactions (RFC 5321 section 3.3), and what a client asked for again."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_PATH = re.compile(rb"<([^>]*)>(.*)", re.DOTALL)


@dataclass(frozen=True)
class Entry:
    """Something that the client said, and the reply, empty where there was none; ``at`` is when, in seconds."""

    kind: str
    said: bytes
    reply: str
    tls: bool
    at: float

    @property
    def verb(self) -> str:
        """The command's first word, or ``TEXT``; empty where it is none."""
        if self.kind == "text":
            return "TEXT"
        if self.kind not in ("command", "auth", "broken-off"):
            return ""
        return self.said.split(maxsplit=1)[0].decode("ascii", "replace").upper() if self.said.split() else ""

    @property
    def path(self) -> str:
        """The address of MAIL or RCPT."""
        found = _PATH.search(self.said)
        return found[1].decode("utf-8", "replace") if found else ""

    @property
    def parameters(self) -> str:
        """What stands behind the address."""
        found = _PATH.search(self.said)
        return found[2].decode("utf-8", "replace").upper().strip() if found else ""

    @property
    def mechanism(self) -> str:
        """The mechanism of AUTH."""
        words = self.said.split()
        return words[1].decode("ascii", "replace").upper() if len(words) > 1 else ""


@dataclass
class Transaction:
    """A mail transaction; ``text`` as it went over the wire. ``taken`` says that the server took it."""

    sender: str
    parameters: str
    tls: bool
    recipients: list[str] = field(default_factory=list)
    text: bytes | None = None
    taken: bool = False


@dataclass(frozen=True)
class Asked:
    """What was asked of a server, with its reply: ``key`` is the same where the same was asked for again."""

    key: tuple[object, ...]
    reply: str
    at: float
    session: int


def entries(record: list[dict[str, Any]]) -> list[Entry]:
    """A session as its server noted it."""
    return [
        Entry(note["kind"], base64.b64decode(note["said"]), note["reply"], note["tls"], note["at"])
        for note in record
    ]


def transactions(session: list[Entry]) -> Iterator[Transaction]:
    """The transactions of a session, in their order."""
    current: Transaction | None = None
    for entry in session:
        positive = entry.reply[:1] in ("2", "3")
        if entry.verb == "MAIL" and positive:
            current = Transaction(entry.path, entry.parameters, entry.tls)
            yield current
        elif entry.verb == "RCPT" and positive and current:
            current.recipients.append(entry.path)
        elif entry.kind in ("text", "broken-off-text") and current:
            current.text, current.taken = entry.said, positive
            current = None
        elif entry.verb in ("RSET", "EHLO", "HELO"):
            current = None


def asked(sessions: list[list[Entry]]) -> Iterator[Asked]:
    """Everything that may be refused, in the order of its sessions."""
    for number, session in enumerate(sessions):
        recipients: list[str] = []
        for entry in session:
            key: tuple[object, ...] = ()
            if entry.kind == "greeting":
                key = ("connect",)
            elif entry.verb == "AUTH":
                key = ("auth", entry.mechanism)
            elif entry.verb == "MAIL":
                key, recipients = ("mail",), []
            elif entry.verb == "RCPT":
                key = ("rcpt", entry.path)
                recipients += [entry.path] * entry.reply.startswith("2")
            elif entry.verb == "TEXT" or (entry.verb == "DATA" and entry.reply[:1] in "45"):
                key = ("text", *sorted(recipients))
            if key and entry.reply:
                yield Asked(key, entry.reply, entry.at, number)


def unstuffed(text: bytes) -> bytes:
    """A message without the dots that its client put before lines (RFC 5321 section 4.5.2)."""
    return b"\r\n".join(line[1:] if line.startswith(b".") else line for line in text.split(b"\r\n"))

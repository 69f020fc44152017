"""What a transaction gathers: envelope, and the size of the message that follows it."""

from __future__ import annotations

import re

from msgspec import Struct

RECEIVED = re.compile(r"received[ \t]*:", re.IGNORECASE)
FIELD = re.compile(r"[!-9;-~]+[ \t]*:")
MAILBOX_LINE = re.compile(r">*From ")
PREFIX = len("X-Mailbox-Line: ")
"""Postfix puts these words before a line that would begin a message in a mailbox file; after DATA, not BDAT."""


def without_return(line: str, *, lenient: bool) -> str:
    """A line without the carriage return before its line feed, or where Postfix is ``lenient`` without all of them."""
    return line.rstrip("\r") if lenient else line.removesuffix("\r")


class Text(Struct):
    """Size and hops of a message, line by line. The server's own Received field is a hop as well."""

    size: int = 0
    hops: int = 1
    lines: int = 0
    in_header: bool = True

    def add(self, line: str, piece: int) -> None:
        """Count a line without its end. Postfix stores a long one in pieces, and counts an end for each."""
        self.lines += 1
        self.size += len(line) + 2 * max(1, -(-len(line) // piece))
        if self.in_header and not line.startswith((" ", "\t")):
            self.in_header = FIELD.match(line) is not None
            self.hops += RECEIVED.match(line) is not None


class Message(Text):
    """A message of DATA; ``bare`` says that its latest line ended in a line feed alone."""

    bare: bool = False

    def take(self, line: str, piece: int, *, bare: bool) -> bool:
        """Take a line; whether it was the dot that ends the message (RFC 5321 section 4.5.2).

        Only CR LF before and behind a dot makes an end of it. With a line feed alone on either side Postfix drops the
        dot (smtpd_forbid_bare_newline = normalize): another server may have taken it, and what follows, for text. Of a
        client that may send such lines (``State.lenient``) none is ``bare``.
        """
        loose, self.bare = bare or self.bare, bare
        if line == ".":
            return not loose
        if not self.lines and MAILBOX_LINE.match(line):
            self.size += PREFIX
        self.add(line.removeprefix("."), piece)
        return False


class SimulatedTransaction(Struct):
    """From MAIL to the end of the message; ``chunking`` is ``none``, ``taken`` or ``failed``."""

    open: bool = False
    sender: str = ""
    utf8: bool = False
    submitter: bool = False
    declared: int = 0
    recipients: int = 0
    overshoot: int = 0
    chunking: str = "none"
    size: int = 0
    text: Text | None = None
    rest: str = ""

    @property
    def hops(self) -> int:
        """Received fields so far."""
        return self.text.hops if self.text else 1

    def add_chunk(self, chunk: str, piece: int, *, final: bool, lenient: bool) -> None:
        """Add octets of BDAT. A line without its end waits for the next chunk; for ``lenient`` see ``State``."""
        self.text = self.text or Text(size=self.size)
        *lines, self.rest = (self.rest + chunk).split("\n")
        for line in lines:
            self.text.add(without_return(line, lenient=lenient), piece)
        if final and self.rest:
            self.text.add(self.rest, piece)
        self.size = self.text.size

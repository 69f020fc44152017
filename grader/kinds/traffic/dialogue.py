"""A program's dialogue with its submission server, with a note beside each step that says what it is for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from grader.model.traffic import Line, Session

COMMANDS = {
    "AUTH": "The login. User and password are in base64, which hides nothing: only TLS does (RFC 4954, RFC 4616).",
    "MAIL": "The envelope's sender, to whom reports of failure go (RFC 5321 section 4.1.1.2).",
    "RCPT": "The envelope's recipients, one a line: To, Cc and Bcc alike (RFC 5321 section 4.1.1.3).",
    "DATA": "Now the message itself, header first (RFC 5321 section 4.1.1.4).",
    "RSET": "The transaction is given up (RFC 5321 section 4.1.1.5).",
    "STARTTLS": "After the server's 220, everything is TLS (RFC 3207 section 4).",
    "QUIT": "The client is done (RFC 5321 section 4.1.1.10).",
}
HELLO = "The client introduces itself and asks what the server can do (RFC 5321 section 4.1.1.1)."
HELLO_AGAIN = (
    "Asked again within TLS: what was said before it may have been an attacker's (RFC 3207 section 4.2)."
)
OFFERS = {
    "STARTTLS": "TLS is to be had. Somebody on the way could take this line out.",
    "AUTH": "The ways to log in, for the client to choose from (RFC 4954 section 3).",
    "SIZE": "The largest message that it takes, in octets (RFC 1870).",
    "8BITMIME": "Text may be sent as 8-bit bytes, if MAIL says so (RFC 6152).",
    "SMTPUTF8": "So may the header, as UTF-8, if MAIL says so (RFC 6531).",
    "PIPELINING": "Commands may be sent without waiting for each reply (RFC 2920).",
}
OFFER = re.compile(r"250[- ](\S+)")
MORE = re.compile(r"\d{3}-")
REPLIES = {
    "220": "The server greets first.",
    "235": "Logged in.",
    "334": "The server waits for more of the login.",
    "354": "The server waits for the message, up to a line with a single dot.",
    "221": "The server hangs up.",
}
TAKEN = (
    "Only with this reply has the server taken the message, and become responsible (RFC 5321 section 4.2.5)."
)
LATER = "Not now: the same may work later (RFC 5321 section 4.2.1)."
NEVER = "No, and the same would get the same answer (RFC 5321 section 4.2.1)."
ENCRYPTED = "From here on nobody on the way can read along, if the certificate was the right one."
END_OF_HEADER = "The empty line ends the header."
END_OF_TEXT = "The single dot ends the text (RFC 5321 section 4.5.2)."


class AnnotatedLine(Struct, frozen=True):
    """A line of a dialogue, and what there is to say to it."""

    who: str
    text: str
    note: str = ""


def annotated(session: Session) -> list[AnnotatedLine]:
    """The session's lines with notes; what is said twice is explained once."""
    said: set[str] = set()
    steps = []
    for line, note in _noted(session.lines):
        steps.append(AnnotatedLine(line.who, line.text, "" if note in said else note))
        said.add(note)
    return steps


def _noted(lines: list[Line]) -> Iterator[tuple[Line, str]]:
    encrypted = in_text = in_header = ended = False
    for line in lines:
        note = ""
        if line.who == "*" and line.text.startswith("TLS handshake:"):
            encrypted, note = True, ENCRYPTED
        elif line.who == "C" and in_text:
            if line.text == ".":
                in_text, ended, note = False, True, END_OF_TEXT
            elif in_header and not line.text:
                in_header, note = False, END_OF_HEADER
        elif line.who == "C":
            verb = line.text.split(" ", 1)[0].upper()
            hello = HELLO_AGAIN if encrypted else HELLO
            note = hello if verb in ("EHLO", "HELO") else COMMANDS.get(verb, "")
        elif line.who == "S":
            in_text = in_header = in_text or line.text.startswith("354")
            note, ended = _of_reply(line.text, ended=ended), False
        yield line, note


def _of_reply(text: str, *, ended: bool) -> str:
    if text[:1] in ("4", "5"):
        return "" if MORE.match(text) else LATER if text[0] == "4" else NEVER
    if ended and text.startswith("250"):
        return TAKEN
    if found := OFFER.match(text):
        return OFFERS.get(found[1].upper(), "")
    return REPLIES.get(text[:3], "")

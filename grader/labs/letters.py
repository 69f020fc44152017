"""The mails that probes send: each an ordinary letter (RFC 5322) that carries its attempt's token."""

from __future__ import annotations

import re
import time

from grader.labs.variant import Lot
from grader.labs.world import WordLists

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_PLAIN_ADDRESS = re.compile(r"[\w.+=-]+@[\w.-]+")


def person(lot: Lot, words: WordLists, *purpose: str) -> str:
    """A local part such as people have, ``first.last``."""
    return f"{lot.word(words.first, *purpose, 'first')}.{lot.word(words.last, *purpose, 'last')}"


def draw_token(lot: Lot, words: WordLists, attempt: str, taken: set[str]) -> str:
    """A local part that no other attempt has, ``first.last1234``; it is added to ``taken``.

    None is part of another one: all end in four digits, and no first name ends with another one.
    """
    round_ = 0
    while True:
        digits = lot.number(9000, "token", attempt, str(round_), "digits") + 1000
        token = person(lot, words, "token", attempt, str(round_)) + str(digits)
        if token not in taken:
            taken.add(token)
            return token
        round_ += 1


def letter(
    lot: Lot,
    words: WordLists,
    *,
    token: str,
    sender: str,
    recipient: str,
    helo: str,
    outside: str,
    when: float,
) -> bytes:
    """An ordinary mail in CRLF lines, its token in To or Subject, in Message-ID and in the text.

    ``sender`` and ``recipient`` may be any forward or reverse path; where one is no plain address, the header says what
    an honest mail program would have written. ``when`` is in seconds since 1970.
    """
    chosen = words.letters[lot.number(len(words.letters), "letter", token)]
    author = sender if _PLAIN_ADDRESS.fullmatch(sender) else f"MAILER-DAEMON@{helo}"
    reader = recipient if _PLAIN_ADDRESS.fullmatch(recipient) else f"{token}@{outside}"
    first_name = token.split(".", 1)[0].capitalize()
    lines = [
        f"From: <{author}>",
        f"To: <{reader}>",
        f"Subject: {chosen.subject} ({token})",
        f"Date: {date(when)}",
        f"Message-ID: <{token}.{lot.number(10**12, 'message-id', token):012d}@{helo.strip('[]') or outside}>",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=us-ascii",
        "",
        f"Dear {first_name},",
        "",
        *chosen.text.split("\n"),
        "",
        f"Please quote {token} when you answer.",
    ]
    return "".join(f"{line}\r\n" for line in lines).encode("ascii", "replace")


def date(when: float) -> str:
    """RFC 5322 section 3.3, in UTC, whatever the process's language."""
    t = time.gmtime(when)
    return (
        f"{_DAYS[t.tm_wday]}, {t.tm_mday:02d} {_MONTHS[t.tm_mon - 1]} {t.tm_year} "
        f"{t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d} +0000"
    )


def hidden_mail(message: bytes, *, sender: str, recipient: str) -> bytes:
    """What follows a message whose receiver takes a dot between bare line feeds for the end: a second mail.

    RFC 5321 section 4.1.1.4 forbids to read ``<LF>.<CR><LF>`` as the end of the text.
    """
    commands = f"MAIL FROM:<{sender}>\r\nRCPT TO:<{recipient}>\r\nDATA\r\n"
    return b"\n.\r\n" + commands.encode("ascii", "replace") + message

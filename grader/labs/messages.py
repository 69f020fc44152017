"""The mails that probes send: each an ordinary letter (RFC 5322) that carries its attempt's token."""

from __future__ import annotations

import re
import time

from grader.labs.variant import RandomStream
from grader.labs.world import WordLists

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LONGEST_LINE = 900
"""RFC 5322 section 2.1.1 allows 998."""
_LONGEST_PARAGRAPH = 990
_PLAIN_ADDRESS = re.compile(r"[\w.+=-]+@[\w.-]+")


def person(draw: RandomStream, words: WordLists) -> str:
    """A local part such as people have, ``first.last``."""
    return f"{draw.word(words.first)}.{draw.word(words.last)}"


def draw_token(draw: RandomStream, words: WordLists) -> str:
    """A local part that hardly any other attempt has, ``first.last1234``.

    None is part of another one: all end in four digits, and no first name ends with another one.
    """
    return f"{person(draw, words)}{1000 + draw.number(9000)}"


def ordinary_message(
    draw: RandomStream,
    words: WordLists,
    *,
    token: str,
    sender: str,
    recipient: str,
    helo: str,
    outside: str,
    when: str,
    octets: int = 0,
) -> bytes:
    """An ordinary mail in CRLF lines, its token in To or Subject, in Message-ID and in the text, ``octets`` at least.

    ``sender`` and ``recipient`` may be any forward or reverse path; where one is no plain address, the header says what
    an honest mail program would have written. ``when`` is a ``date``.
    """
    chosen = draw.word(words.letters)
    author = sender if _PLAIN_ADDRESS.fullmatch(sender) else f"MAILER-DAEMON@{helo}"
    reader = recipient if _PLAIN_ADDRESS.fullmatch(recipient) else f"{token}@{outside}"
    first_name = token.split(".", 1)[0].capitalize()
    header = (
        f"From: <{author}>\r\n"
        f"To: <{reader}>\r\n"
        f"Subject: {chosen.subject} ({token})\r\n"
        f"Date: {when}\r\n"
        f"Message-ID: <{token}.{draw.number(10**12):012d}@{helo.strip('[]') or outside}>\r\n"
        "MIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=us-ascii\r\n"
    )
    text = f"Dear {first_name},\n\n{chosen.text}\n\nPlease quote {token} when you answer."
    lines = text.replace("\n", "\r\n")
    message = f"{header}\r\n{lines}\r\n".encode("ascii", "replace")
    return _grown(message, text, octets) if octets else message


def _grown(message: bytes, text: str, octets: int) -> bytes:
    """The message with its text told again and again until it has so many octets, in lines that RFC 5322 allows."""
    line = text.replace("\n", " ")[:_LONGEST_LINE].encode("ascii", "replace") + b"\r\n"
    grown = (message + line * (octets // len(line) + 1))[: octets - 2].rstrip(b"\r\n")
    return grown + b"." * (octets - 2 - len(grown)) + b"\r\n"


def as_programs_write(message: bytes) -> bytes:
    """The letter as many a mail program writes it, and as it stands out of the plainest mail.

    Letters beyond ASCII in 8 bits (RFC 6152), encoded words and a folded field (RFC 2047, RFC 5322 section 2.2.3), a
    whole paragraph in one line, blanks at the end of a line, a line that begins with a dot, empty lines at the end.
    """
    header, _, text = message.partition(b"\r\n\r\n")
    header = header.replace(
        b"\r\nSubject: ", b"\r\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe_aus_K=C3=B6ln=2C?=\r\n ", 1
    )
    header = header.replace(b"us-ascii", b"utf-8; format=flowed\r\nContent-Transfer-Encoding: 8bit", 1)
    paragraph = "Schöne Grüße aus Köln, wo es seit Tagen regnet und die Straßen glänzen. " * 20
    line = paragraph.encode()[:_LONGEST_PARAGRAPH].decode(errors="ignore").rstrip().encode()
    return b"\r\n".join(
        [header, b"", text + line, b"", b".. und so weiter. ", b"-- ", "Ihr Büro".encode(), b"", b"", b""]
    )


def date(when: float) -> str:
    """RFC 5322 section 3.3, in UTC, whatever the process's language."""
    t = time.gmtime(when)
    return (
        f"{_DAYS[t.tm_wday]}, {t.tm_mday:02d} {_MONTHS[t.tm_mon - 1]} {t.tm_year} "
        f"{t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d} +0000"
    )


def hidden_message(message: bytes, *, sender: str, recipient: str) -> bytes:
    """What follows a message whose receiver takes a dot between bare line feeds for the end: a second mail.

    RFC 5321 section 4.1.1.4 forbids to read ``<LF>.<CR><LF>`` as the end of the text. It has a Message-ID of its own,
    by which it is told from a copy of the first.
    """
    message = message.replace(b"\r\nMessage-ID: <", b"\r\nMessage-ID: <2.", 1)
    commands = f"MAIL FROM:<{sender}>\r\nRCPT TO:<{recipient}>\r\nDATA\r\n"
    return b"\n.\r\n" + commands.encode("ascii", "replace") + message

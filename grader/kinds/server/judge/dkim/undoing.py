"""What servers do to mail on its way, undone: where a signature verifies then, that is what broke it.

A signature that fails says only that header or text is another one. What Postfix, its filters and its milters do to a
message that is signed already is little, and most of it can be taken back.
"""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterator

from msgspec import Struct

from grader.kinds.server.judge.index import ServerIndex
from grader.kinds.server.judge.settings import Setting
from grader.kinds.traffic.index import TrafficCase
from grader.kinds.traffic.sentences import quoted

MOST_LINES = 12
"""At the end of a text that may have been added to it."""
LONGEST = 200_000
"""Octets of a message in which something is undone: no letter of a lab's is as long."""
_RECODED = re.compile(rb"^(Content-Transfer-Encoding:[ \t]*)quoted-printable", re.IGNORECASE | re.MULTILINE)
_TAGGED = re.compile(rb"^(Subject:[ \t]*)\[[^]\r\n]{1,80}\][ \t]*", re.IGNORECASE | re.MULTILINE)
_HEADER_ENDS = b"\r\n\r\n"


class Undone(Struct, frozen=True):
    """A message as it may have been when it was signed; what was done to it since, and what to do about that."""

    message: bytes
    sentence: str
    next: str


def undone(case: TrafficCase, message: bytes, index: ServerIndex) -> Iterator[Undone]:
    """The messages that this one may have been, the likeliest first."""
    header, separator, text = message.partition(_HEADER_ENDS)
    if not separator or len(message) > LONGEST:
        return
    if _RECODED.search(header):
        yield _eight_bits(case, header, text, index)
    if b"\r\n " in text:
        limit = index.settings.on("smtp_line_length_limit", case.facts.listener, case.facts.server)
        yield Undone(
            header + separator + text.replace(b"\r\n ", b""),
            "With the long lines of its text in one piece it would: they were broken after it had been signed.",
            f"Postfix breaks long lines when it sends a message, and OpenDKIM has signed it by then: {limit.shown}. "
            "Delete it, in master.cf too: the default, 998, is what RFC 5321 section 4.5.3.1.6 allows.",
        )
    if _TAGGED.search(header):
        yield Undone(
            _TAGGED.sub(rb"\1", header, count=1) + separator + text,
            "Without the mark in brackets at the beginning of its Subject it would: that was put there after it had "
            "been signed.",
            "Mark subjects before OpenDKIM signs: by `header_checks`, which cleanup does when mail comes in, or by a "
            "milter that stands before OpenDKIM in `smtpd_milters`. `smtp_header_checks`, and a milter behind it, come "
            "too late.",
        )
    yield from _without_footer(header + separator, text)


def _eight_bits(case: TrafficCase, header: bytes, text: bytes, index: ServerIndex) -> Undone:
    names = ("smtp_discard_ehlo_keywords", "smtp_discard_ehlo_keyword_address_maps")
    found = [index.settings.on(name, case.facts.listener, case.facts.server) for name in names]
    return Undone(
        _RECODED.sub(rb"\g<1>8bit", header, count=1) + _HEADER_ENDS + _decoded(text),
        "With its text in 8 bits it would: it was recoded as quoted-printable after it had been signed.",
        "Postfix recodes a text of 8 bits when it sends it to a server that does not take them (RFC 6152), or to one "
        f"of which it is told not to believe that it does: look for `8bitmime` in {_either(found)}, in main.cf and "
        "below `smtp` and `relay` in master.cf, and take it out. Or have texts recoded before they are signed: "
        "`force_mime_input_conversion = yes`.",
    )


def _decoded(text: bytes) -> bytes:
    return quopri.decodestring(text.replace(b"\r\n", b"\n")).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _without_footer(header: bytes, text: bytes) -> Iterator[Undone]:
    """The message without its last line, its last two, and so on."""
    lines = text.splitlines(keepends=True)
    for count in range(1, min(MOST_LINES, len(lines) - 1) + 1):
        first = lines[-count].strip().decode("ascii", "backslashreplace")
        yield Undone(
            header + b"".join(lines[:-count]),
            f"Without what stands at the end of its text, from {quoted(first)} on, it would: that was added after it "
            "had been signed.",
            "Have it added before OpenDKIM signs: a milter that does so stands before OpenDKIM in `smtpd_milters`, and "
            "behind a content filter OpenDKIM has to be asked when mail comes back from it.",
        )


def _either(settings: list[Setting]) -> str:
    return " and ".join(setting.shown for setting in settings if setting.value) or settings[0].shown

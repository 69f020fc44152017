"""A letter with octets beyond ASCII, for a server that does not take them (RFC 6152 section 3)."""

from __future__ import annotations

import quopri
import re

from msgspec.structs import replace

from grader.model.attempt import Attempt

EXTENSION = "8BITMIME"
_PARAMETER = re.compile(r"\s?\bBODY=8BITMIME\b", re.IGNORECASE)
_ENCODING = re.compile(rb"^(Content-Transfer-Encoding:[ \t]*)8bit\r$", re.IGNORECASE | re.MULTILINE)


def in_seven_bits(attempt: Attempt) -> Attempt:
    """The attempt as it is; one of 8 bits as a client makes it where the server has not offered to take them.

    Its text becomes quoted-printable (RFC 2045 section 6.7), and nothing is announced.
    """
    if not _PARAMETER.search(attempt.parameters):
        return attempt
    header, separator, text = attempt.message.partition(b"\r\n\r\n")
    header = _ENCODING.sub(rb"\1quoted-printable\r", header + b"\r").removesuffix(b"\r")
    encoded = quopri.encodestring(text.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
    return replace(
        attempt,
        message=header + separator + encoded,
        parameters=_PARAMETER.sub("", attempt.parameters).strip(),
    )

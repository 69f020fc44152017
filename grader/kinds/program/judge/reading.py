"""Messages that a program sent, read as its recipients' programs would."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import EmailMessage

from grader.model.traffic import Arrival


def parsed(arrival: Arrival) -> EmailMessage:
    """The message; the library raises nothing however broken it is."""
    message = message_from_bytes(arrival.raw, policy=policy.SMTP)
    assert isinstance(message, EmailMessage)
    return message


def head(arrival: Arrival) -> bytes:
    """The header with the empty line that ends it."""
    return re.split(rb"\r?\n\r?\n", arrival.raw, maxsplit=1)[0] + b"\r\n\r\n"


def decoded(text: str) -> str:
    """Text with its encoded words decoded (RFC 2047); as it stands where they cannot be."""
    try:
        return str(make_header(decode_header(text)))
    except (LookupError, ValueError, HeaderParseError):
        return text

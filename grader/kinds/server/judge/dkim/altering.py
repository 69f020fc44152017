"""Copies of a message in which something was changed on the way, to see whether a signature notices."""

from __future__ import annotations

import re

from grader.kinds.server.declare import BODY

_END_OF_HEADER = re.compile(rb"\r?\n\r?\n")


def altered(message: bytes, what: str) -> list[tuple[str, bytes]]:
    """Copies in which a header field, or the text (``body``), is another one, each with what was done, in words.

    None where the message has no such field.
    """
    ends = _END_OF_HEADER.search(message)
    if what == BODY:
        return _other_texts(message, ends.end()) if ends else []
    head_end = ends.start() if ends else len(message)
    field = re.compile(rb"^" + re.escape(what.encode()) + rb"[ \t]*:", re.IGNORECASE | re.MULTILINE)
    found = field.search(message, 0, head_end)
    if found is None:
        return []
    # A mark at the value's beginning changes it whatever follows, and in every canonical form.
    copy = message[: found.end()] + b" altered" + message[found.end() :]
    return [(f"{what.title()} can be changed", copy)]


def without(message: bytes, name: str) -> list[bytes]:
    """Copies that lack a header field of that name, one copy for each that there is."""
    ends = _END_OF_HEADER.search(message)
    field = re.compile(
        rb"^" + re.escape(name.encode()) + rb"[ \t]*:[^\n]*\n(?:[ \t][^\n]*\n)*", re.IGNORECASE | re.MULTILINE
    )
    found = field.finditer(message, 0, ends.start() + 2 if ends else len(message))
    return [message[: one.start()] + message[one.end() :] for one in found]


def _other_texts(message: bytes, begins: int) -> list[tuple[str, bytes]]:
    line = message.find(b"\r\n", begins)
    at = begins if line < 0 else line
    end = b"" if message.endswith(b"\r\n") else b"\r\n"
    return [
        ("a line can be added at the end of the text", message + end + b"Visit http://evil.example/\r\n"),
        ("the text can be changed", message[:at] + b" (altered)" + message[at:]),
    ]

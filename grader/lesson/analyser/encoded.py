"""Field texts as readers see them: encoded words decoded (RFC 2047 section 6.2)."""

from __future__ import annotations

import binascii
import re

from grader.formats.message.charsets import known_charset
from grader.formats.message.words import decode_word
from grader.lesson.analyser.findings import readable

_FORM = r"=\?([^\s?]+)\?([bBqQ])\?([^\s?]*)\?="
_WORD = re.compile(_FORM)
_BETWEEN = re.compile(rf"(=\?[^\s?]+\?[^\s?]\?[^\s?]*\?=)\s+(?={_FORM})")

WEB = {
    **dict.fromkeys(("us-ascii", "ascii", "ansi_x3.4-1968", "iso646-us", "iso-8859-1", "latin1"), "cp1252"),
    **dict.fromkeys(("iso-8859-9", "latin5"), "cp1254"),
    **dict.fromkeys(("iso-8859-11", "tis-620", "windows-874"), "cp874"),
    "iso-8859-8-i": "iso-8859-8",
}
"""Python's name of what charsets of these names are read as everywhere on the Web (WHATWG Encoding section 4.2)."""


def decode_words(text: str) -> str:
    """The text with its encoded words decoded; those of a broken form or an unknown charset stay as they are."""
    source = _BETWEEN.sub(r"\1", text)
    plain, last = [], 0
    for found in _WORD.finditer(source):
        plain.append(readable(source[last : found.start()]))
        charset = found[1].partition("*")[0].lower()
        data = decode_word(found[2], found[3]) if known_charset(charset) else ""
        plain.append(readable(found[0]) if isinstance(data, str) else _decoded(data, charset))
        last = found.end()
    return "".join(plain) + readable(source[last:])


def _decoded(data: bytes, charset: str) -> str:
    try:
        return data.decode(WEB.get(charset, charset))
    except (LookupError, ValueError, binascii.Error):
        return "".join(chr(byte) if byte < 0x80 else f"\\x{byte:02x}" for byte in data)

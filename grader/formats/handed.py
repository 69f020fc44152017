"""Text files that people hand over: what their editors write before the text and around it is no part of it."""

from __future__ import annotations

import codecs

_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def without_mark(data: bytes) -> bytes:
    """The octets of a text file without the byte order mark that editors on Windows set before it.

    A file in UTF-16, which such an editor calls "Unicode" and which begins with a mark, becomes UTF-8. Everything else
    stays as it is, whatever it holds.
    """
    if data.startswith(_WIDE) and len(data) > 2:
        try:
            return data.decode("utf-16").encode()
        except UnicodeDecodeError:
            return data
    return data.removeprefix(codecs.BOM_UTF8)

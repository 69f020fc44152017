"""Charsets that mail is written in (IANA's registry), and which bytes are whole characters of each.

The patterns are of the byte's values alone, so that a browser can use the same ones. For charsets of several bytes
they hold the form (lead byte and trail byte), not whether a character was ever given that number.
"""

from __future__ import annotations

import re
from functools import cache

_ASCII = r"[\x00-\x7f]"
_ESCAPED = "escaped"
"""Patterns of charsets whose control characters are part of the encoding."""

PATTERNS: dict[str, str] = {
    "us-ascii": _ASCII,
    "utf-8": (
        rf"{_ASCII}|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{{2}}"
        r"|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}"
        r"|\xf4[\x80-\x8f][\x80-\xbf]{2}"
    ),
    "any": r"[\x00-\xff]",
    _ESCAPED: _ASCII,
    "iso-8859-3": r"[^\xa5\xae\xbe\xc3\xd0\xe3\xf0]",
    "iso-8859-6": r"[^\xa1-\xa3\xa5-\xab\xae-\xba\xbc-\xbe\xc0\xdb-\xdf\xf3-\xff]",
    "iso-8859-7": r"[^\xae\xd2\xff]",
    "iso-8859-8": r"[^\xa1\xbf-\xde\xfb-\xfc\xff]",
    "iso-8859-11": r"[^\xdb-\xde\xfc-\xff]",
    "windows-1250": r"[^\x81\x83\x88\x90\x98]",
    "windows-1251": r"[^\x98]",
    "windows-1252": r"[^\x81\x8d\x8f-\x90\x9d]",
    "windows-1253": r"[^\x81\x88\x8a\x8c-\x90\x98\x9a\x9c-\x9f\xaa\xd2\xff]",
    "windows-1254": r"[^\x81\x8d-\x90\x9d-\x9e]",
    "windows-1255": r"[^\x81\x8a\x8c-\x90\x9a\x9c-\x9f\xca\xd9-\xdf\xfb-\xfc\xff]",
    "windows-1257": r"[^\x81\x83\x88\x8a\x8c\x90\x98\x9a\x9c\x9f\xa1\xa5]",
    "windows-1258": r"[^\x81\x8a\x8d-\x90\x9a\x9d-\x9e]",
    "windows-874": r"[^\x81-\x84\x86-\x90\x98-\x9f\xdb-\xde\xfc-\xff]",
    "gb18030": r"[\x00-\x80]|[\x81-\xfe](?:[\x40-\x7e\x80-\xfe]|[0-9][\x81-\xfe][0-9])",
    "big5": rf"{_ASCII}|[\x81-\xfe][\x40-\x7e\xa1-\xfe]",
    "shift_jis": r"[\x00-\x7f\xa1-\xdf]|[\x81-\x9f\xe0-\xfc][\x40-\x7e\x80-\xfc]",
    "euc-jp": rf"{_ASCII}|\x8e[\xa1-\xdf]|\x8f[\xa1-\xfe]{{2}}|[\xa1-\xfe]{{2}}",
    "euc-kr": rf"{_ASCII}|[\x81-\xfe][\x41-\x5a\x61-\x7a\x81-\xfe]",
    "utf-16": r"[\x00-\xff]{2}",
    "utf-32": r"[\x00-\xff]{4}",
}
"""What one character is, by the name of a form."""

_FORMS: dict[str, str] = {
    "us-ascii": "us-ascii ascii ansi_x3.4-1968 iso646-us",
    "utf-8": "utf-8 utf8",
    "any": (
        "iso-8859-1 latin1 iso-8859-2 latin2 iso-8859-4 latin4 iso-8859-5 iso-8859-9 latin5 iso-8859-10 iso-8859-13"
        " iso-8859-14 iso-8859-15 latin-9 iso-8859-16 windows-1256 cp1256 koi8-r koi8-u ibm437 cp437 ibm850 cp850"
        " ibm852 cp852 ibm855 ibm00858 ibm862 ibm866 cp866 macintosh"
    ),
    _ESCAPED: "utf-7 iso-2022-jp iso-2022-jp-1 iso-2022-jp-2 iso-2022-kr iso-2022-cn hz-gb-2312",
    "iso-8859-3": "iso-8859-3 latin3",
    "iso-8859-6": "iso-8859-6",
    "iso-8859-7": "iso-8859-7",
    "iso-8859-8": "iso-8859-8 iso-8859-8-i",
    "iso-8859-11": "iso-8859-11 tis-620",
    "windows-1250": "windows-1250 cp1250",
    "windows-1251": "windows-1251 cp1251",
    "windows-1252": "windows-1252 cp1252",
    "windows-1253": "windows-1253 cp1253",
    "windows-1254": "windows-1254 cp1254",
    "windows-1255": "windows-1255 cp1255",
    "windows-1257": "windows-1257 cp1257",
    "windows-1258": "windows-1258 cp1258",
    "windows-874": "windows-874",
    "gb18030": "gb18030 gbk gb2312 cp936",
    "big5": "big5 big5-hkscs",
    "shift_jis": "shift_jis windows-31j ms_kanji",
    "euc-jp": "euc-jp",
    "euc-kr": "euc-kr ks_c_5601-1987 windows-949",
    "utf-16": "utf-16 utf-16be utf-16le",
    "utf-32": "utf-32 utf-32be utf-32le",
}
FORMS: dict[str, str] = {name: form for form, names in _FORMS.items() for name in names.split()}
"""The form of each charset, by the charset's name in lower case."""

CONTROLS_ENCODE = frozenset({_ESCAPED, "utf-16", "utf-32"})
"""Forms in which the byte of a control character is part of other characters."""


@cache
def _whole(form: str) -> re.Pattern[bytes]:
    return re.compile(rf"(?:{PATTERNS[form]})*+".encode("ascii"), re.DOTALL)


def known_charset(name: str) -> bool:
    """Whether programs will know this charset."""
    return name.lower() in FORMS


def fits(data: bytes, charset: str) -> bool:
    """Whether the bytes are whole characters of a known charset."""
    return bool(_whole(FORMS[charset.lower()]).fullmatch(data))


def hides_control(data: bytes, charset: str) -> bool:
    """Whether text of a known charset has a control character other than a tab."""
    return FORMS[charset.lower()] not in CONTROLS_ENCODE and bool(_CONTROL.search(data))


_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")

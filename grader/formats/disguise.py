"""Finds a text that must not stand in other data, in whatever dress: base64, hexadecimal digits, or marked octets.

``shows`` and ``without`` look through everything that a program made. For ``spellings`` a line can be searched as it
stands, where there is no time for more, or nothing but the standard library.

Base64 (RFC 4648) writes three octets as four characters, so the same text looks in one of three ways, by how many
octets stand before it; what its first and last characters share with their neighbours belongs to no way.
"""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import quote

SHORTEST = 8
"""Characters of a dress below which it may stand somewhere by chance."""
_BORDER = re.compile(rb"\?=\s{0,9}=\?[^?\s]{1,40}\?[bBqQ]\?")
"""What stands between two encoded words' texts (RFC 2047)."""
_SPACES, _BETWEEN = b" \t\r\n\v\f", b" \t\r\n\v\f\\x:,=%_-"
"""What may stand within base64, and between the hexadecimal digits of two octets."""
_DUMP = re.compile(
    rb"^([ \t]*[0-9a-f]{4,8}[: \t])[ \t]*((?:[0-9a-f]{2}[ \t-]{0,2}){1,16})[^\r\n]*", re.I | re.M
)
"""A line of xxd, of ``hexdump -C`` or of curl's ``--trace``: where it begins, sixteen octets, and what they spell."""
_SIGN = re.compile(rb"(\?=\s{0,9}=\?[^?\s]{1,40}\?[bBqQ]\?)|[A-Za-z0-9+/_-]")
SHORTEST_PASSWORD = 4
"""Characters of one below which it is not looked for."""
NO_SIGN = b"V"
"""What stands in base64 for a text that was taken out: 01 three times, and so U wherever it begins."""
_OF_URLS = bytes.maketrans(b"-_", b"+/")
"""The alphabet that RFC 4648 section 5 has for addresses, into the usual one."""


def in_base64(text: bytes) -> list[bytes]:
    """The ways in which a text looks within base64, without the characters that depend on what is around it."""
    ways = []
    for before, shared in ((0, 0), (1, 2), (2, 3)):
        whole = base64.b64encode(bytes(before) + text)
        ways.append(whole[shared : (before + len(text)) * 8 // 6])
    return [way for way in ways if len(way) >= SHORTEST]


def of_login(user: str, password: str) -> list[bytes]:
    """What tells a login: its password, and what a client says with it, which may be dressed once more in a dump."""
    return [password.encode(), *_responses(user, password)]


def _responses(user: str, password: str) -> list[bytes]:
    """What AUTH says by PLAIN (RFC 4616), with and without an identity to act as, and by LOGIN."""
    said = (f"\0{user}\0{password}", f"{user}\0{user}\0{password}", password)
    return [base64.b64encode(response.encode()) for response in said]


def spellings(user: str, password: str) -> list[str]:
    """Every spelling, within a line, in which a client says a password or shows it, the longest first."""
    said, responses = password.encode(), _responses(user, password)
    escaped = [quote(password, safe="").encode(), quote(password).encode()]
    digits = said.hex().encode()
    found = [said, *responses, *in_base64(said), digits, digits.upper(), *escaped]
    return sorted({one.decode() for one in found if len(one) >= SHORTEST_PASSWORD}, key=len, reverse=True)


def shows(data: bytes, *texts: bytes) -> bool:
    """Whether one of the texts stands in the data: as it is, in base64, in hexadecimal digits, or with marked octets.

    Folds, line breaks of the encodings, and borders between encoded words do not hide it. Whoever sends megabytes is
    looked through in a moment.
    """
    lines = data.replace(b"\r\n", b"\n").replace(b"=\n", b"").replace(b"\n ", b"").replace(b"\n\t", b"")
    together = _BORDER.sub(b"", lines.replace(b"\n", b""))
    # A blank is an underscore in an encoded word, and a plus sign in a form's data.
    plain = [data, together, binascii.a2b_qp(together), binascii.a2b_qp(together, header=True)]
    percent = together.replace(b"=", b"\0").replace(b"%", b"=")
    for one in (percent, percent.replace(b"+", b" ")):
        plain.append(binascii.a2b_qp(one).replace(b"\0", b"="))
    digits = together.replace(b"0x", b"").translate(None, _BETWEEN).lower() + b" " + _dumped(data)
    dense = _BORDER.sub(b"", data).translate(None, _SPACES).translate(_OF_URLS)
    return any(
        any(text in view for view in plain)
        or (len(text) * 2 >= SHORTEST and text.hex().encode() in digits)
        or any(way in dense for way in in_base64(text))
        for text in texts
    )


def without(data: bytes, instead: bytes, *texts: bytes) -> bytes:
    """The data with something else instead of the texts, in each dress in which ``shows`` finds them.

    Within base64 the letter U stands for each octet, so that what is around it can still be decoded.
    """
    for text in texts if shows(data, *texts) else ():
        if shows(data, text):
            data = _without(data, text, instead)
    return data


def _dumped(data: bytes) -> bytes:
    """The hexadecimal digits of the lines that look like a dump's, without what stands beside them."""
    return b"".join(found[2].translate(None, _BETWEEN) for found in _DUMP.finditer(data)).lower()


def _without(data: bytes, text: bytes, instead: bytes) -> bytes:
    if text.hex().encode() in _dumped(data):
        data = _DUMP.sub(lambda found: found[1] + b" " + instead, data)
    gap = rb"(?:=?\r?\n[ \t]?|\?=\s{0,9}=\?[^?\s]{1,40}\?[bBqQ]\?)?"
    marked = [
        rb"(?:%s|[=%%]%s%s)"
        % (re.escape(bytes([octet])), _digits(octet), rb"|[_+]" if octet == 0x20 else b"")
        for octet in text
    ]
    digits = [_digits(octet) for octet in text]
    for dress in (gap.join(marked), rb"(?:\\x|0x|[\s:,=%_-]){0,4}".join(digits)):
        data = re.sub(dress, lambda _: instead, data)
    for way in in_base64(text):
        signs = [{b"+": rb"[+-]", b"/": rb"[/_]"}.get(bytes([sign]), bytes([sign])) for sign in way]
        dress = rb"(?:\s|\?=\s{0,9}=\?[^?\s]{1,40}\?[bBqQ]\?){0,4}".join(signs)
        data = re.sub(dress, lambda found: _SIGN.sub(_blanked, found[0]), data)
    return data


def _blanked(found: re.Match[bytes]) -> bytes:
    return found[1] or NO_SIGN


def _digits(octet: int) -> bytes:
    return b"".join(rb"[%c%c]" % (sign, ord(chr(sign).upper())) for sign in f"{octet:02x}".encode())

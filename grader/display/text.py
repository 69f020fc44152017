"""Strangers' text made safe, once for each kind of reader.

A banner, a bounce, a file name or a student's id is whatever its author likes. It is kept as it is in results and
evidence, and passes through one of these functions at the last moment, on its way to one reader:

===========  ====================================  =============================================================
reader       function                              what must not happen
===========  ====================================  =============================================================
terminal     ``printed``, ``printed_line``         escape sequences obeyed, lines forged, a CI command carried out
XML          ``xml``, ``one_line``                 a document that is not well-formed, an attachment smuggled in
HTML         ``visible``, then the template's own  control characters, text that reads backwards
CSV          ``csv_cell``                          a spreadsheet that calculates
Markdown     ``markdown``, ``fenced``              links, pictures, tables and HTML of a stranger's
JSON         ``scalars``                           half of a surrogate pair, which UTF-8 cannot carry
===========  ====================================  =============================================================

What cannot be shown stands as an escape that people who know C or Python can read: ``\\x1b``, ``\\u202e``. Nothing is
left out, so that two texts that differ never look alike because of what was removed.
"""

from __future__ import annotations

import re
from functools import cache

_PLANE_ENDS = "".join(f"{chr(plane << 16 | 0xFFFE)}-{chr(plane << 16 | 0xFFFF)}" for plane in range(17))

_STACKED = (
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u06d6-\u06dc\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
)
"""Combining marks that fonts set above and below each other. No language has more than a few on one letter."""

_HIDDEN = (
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, without tab and line feed
    "\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a"  # what joins, parts, hides and turns other characters
    "\ud800-\udfff\ufdd0-\ufdef"  # halves of surrogate pairs, and code points that are no characters
    f"{_PLANE_ENDS}\U000e0000-\U000e0fff]"
    f"|(?<={_STACKED}{{6}}){_STACKED}"  # marks that pile up over and under the lines around them
)

_PLAIN = bytes(range(0x20, 0x7F)) + b"\n\t"
"""All of ASCII that is shown as it is."""

_SHORT = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}
_UNDECODABLE = range(0xDC80, 0xDD00)
"""Where ``surrogateescape`` keeps bytes that are no UTF-8 (PEP 383)."""

_LONE_SURROGATE = "[\ud800-\udfff]"

_PLAINER = {
    ord(sign): plain
    for plain, signs in {
        '"': "\u201c\u201d",  # double quotation marks
        "'": "\u2018\u2019",  # single ones
        "-": "\u2013\u2014\xb7",  # dashes, middle dot
        " ": "\xa0",
        "->": "\u2192",
        "...": "\u2026",
    }.items()
    for sign in signs
}

_BRACKETED_COMMAND = re.compile(r"##(?=\[|\w+\[)")
_COLON_COMMAND = re.compile(r"^((?:[^\S\n]|\x1b\[[0-9;]*m)*):(?=:(?!\d|ffff:\d))", re.MULTILINE)
"""Not ``::1`` and ``::ffff:192.0.2.1``: addresses, while no command's name begins with a digit or has a colon."""

_FORMULA = r"(^|[;,|\t\n])([\s\"]*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])"


_MARKUP = r"[\\`*_{}\[\]<>#|~!&:@.$^]"
"""What means something within a line of Markdown, and a backslash takes that from it (CommonMark section 2.4)."""


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    if char in _SHORT:
        return _SHORT[char]
    code = ord(char)
    if code in _UNDECODABLE:
        code -= 0xDC00
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


@cache
def _hidden() -> re.Pattern[str]:
    # Compiled when it is first needed, as the other patterns here are: few commands need any.
    return re.compile(_HIDDEN)


def visible(text: str) -> str:
    """``text`` in which everything that is obeyed or unseen instead of shown stands as an escape.

    Line feeds and tabs are kept. Bytes that ``surrogateescape`` carried stand as ``\\xNN``.
    """
    if text.isascii() and text.isprintable():
        return text
    # Little or nothing is left of most texts without their plain signs, which takes a fraction of the pattern's time.
    rest = text.encode("utf-8", "surrogatepass").translate(None, _PLAIN)
    if not rest or _hidden().search(rest.decode("utf-8", "surrogatepass")) is None:
        return text
    lines = text.split("\n")
    return "\n".join([x if x.isascii() and x.isprintable() else _hidden().sub(_escape, x) for x in lines])


def one_line(text: str) -> str:
    """``visible`` on a single line: line feeds and tabs are shown as ``\\n`` and ``\\t``."""
    if text.isascii() and text.isprintable():
        return text
    return _hidden().sub(_escape, text).replace("\n", "\\n").replace("\t", "\\t")


def decoded(raw: bytes) -> str:
    """A message as text with line feeds only; bytes that are no UTF-8 stand as ``\\xNN``."""
    return raw.replace(b"\r\n", b"\n").decode("utf-8", "backslashreplace")


def encodable(text: str, encoding: str) -> str:
    """``text`` in the characters that ``encoding`` has; typographic signs become plain ones, others ``\\uNNNN``."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_PLAINER).encode(encoding, "backslashreplace").decode(encoding)
    return text


def inert(text: str) -> str:
    """Printed ``text`` that no continuous integration server takes for its commands.

    They read ``::error …`` at the start of a line (GitHub), and ``##[…]``, ``##vso[…]``, ``##teamcity[…]`` anywhere.
    """
    return _COLON_COMMAND.sub(r"\1: ", _BRACKETED_COMMAND.sub("# #", text))


def printed(text: str) -> str:
    """``text`` for a terminal, which may be the log of a continuous integration server."""
    return inert(visible(text))


def printed_line(text: str) -> str:
    """The same on a single line."""
    return inert(one_line(text))


def xml(text: str) -> str:
    """``text`` for an XML 1.0 document (section 2.2, Char), before the writer escapes markup.

    Carriage returns are shown, because parsers turn them into line feeds (section 2.11). GitLab's
    ``[[ATTACHMENT|path]]`` is broken up, because it would offer a file of the machine that grades.
    """
    return visible(text).replace("[[ATTACHMENT", "[ [ATTACHMENT")


def markdown(text: str) -> str:
    """``text`` within a line of Markdown, or a cell of a table, where none of its signs means anything."""
    return re.sub(_MARKUP, r"\\\g<0>", one_line(text)).replace("\\|", "&#124;")


def fenced(text: str) -> str:
    """``text`` as a fenced block of Markdown (CommonMark section 4.5), which nothing in it ends."""
    shown = visible(text)
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", shown)), default=0))
    return f"{fence}text\n{shown}\n{fence}"


def csv_cell(text: str) -> str:
    """``text`` for a cell that no spreadsheet program calculates, whichever separator it splits lines at.

    An apostrophe goes before ``=``, ``+``, ``-`` and ``@`` where a cell could begin.
    """
    return re.sub(_FORMULA, r"\1\2'", one_line(text))


def scalars(text: str) -> str:
    """``text`` without lone surrogates, which no UTF encoding carries; each stands as an escape."""
    return re.sub(_LONE_SURROGATE, _escape, text)

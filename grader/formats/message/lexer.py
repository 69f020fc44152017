"""The words of structured header fields (RFC 5322 section 3.2): atoms, quoted strings, literals, comments."""

from __future__ import annotations

import re
from typing import NamedTuple

ENCODED_WORD = re.compile(r"=\?[^?\s]*\?[^?\s]*\?[^?\s]*\?=")
_SPACE = re.compile(r"[ \t\r\n]+")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
# Control characters and bytes beyond ASCII have rules of their own; here they pass, so that one cause gives one fault.
_TOKEN = re.compile(
    rf"(?P<atom>{ENCODED_WORD.pattern}|[^ \t\r\n()<>\[\]:;@\\,.\"]+)"
    rf"|(?P<quoted>{_QUOTED.pattern})|(?P<literal>\[(?:[^\[\]\\]|\\.)*\])|(?P<special>.)",
    re.DOTALL,
)


class HeaderToken(NamedTuple):
    """``kind`` is ``atom``, ``quoted``, ``literal`` or the special character itself.

    ``spaced`` says whether white space or a comment stands before it.
    """

    kind: str
    text: str
    position: int
    spaced: bool


class Malformed(Exception):
    """Text that breaks a grammar: what is wrong, and where in the text."""

    def __init__(self, what: str, position: int) -> None:
        super().__init__(what)
        self.what = what
        self.position = position


def tokens(text: str) -> list[HeaderToken]:
    """The text's words without white space and comments. Raises ``Malformed``."""
    found: list[HeaderToken] = []
    position, spaced = 0, False
    while position < len(text):
        if space := _SPACE.match(text, position):
            position, spaced = space.end(), True
            continue
        if text[position] == "(":
            position, spaced = comment_end(text, position), True
            continue
        token = _token(text, position, spaced)
        found.append(token)
        position, spaced = position + len(token.text), False
    return found


def comment_end(text: str, start: int) -> int:
    """The position behind the comment that begins at ``start``; comments nest. Raises ``Malformed``."""
    depth, position = 0, start
    while position < len(text):
        character = text[position]
        if character == "\\":
            position += 1
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
            if depth == 0:
                return position + 1
        position += 1
    raise Malformed("a comment is not closed", start)


def without_comments(text: str) -> str:
    """The text with a space in each comment's place. Raises ``Malformed``."""
    if "(" not in text:
        return text
    kept: list[str] = []
    position = 0
    while position < len(text):
        if text[position] == "(":
            position = comment_end(text, position)
            kept.append(" ")
        elif text[position] == '"':
            quoted = _QUOTED.match(text, position)
            if quoted is None:
                raise Malformed("a quotation mark is not closed", position)
            kept.append(quoted[0])
            position = quoted.end()
        else:
            kept.append(text[position])
            position += 1
    return "".join(kept)


def _token(text: str, position: int, spaced: bool) -> HeaderToken:
    found = _TOKEN.match(text, position)
    assert found is not None
    kind = found.lastgroup or ""
    if kind != "special":
        return HeaderToken(kind, found[0], position, spaced)
    if found[0] == '"':
        raise Malformed("a quotation mark is not closed", position)
    if found[0] == "[":
        raise Malformed("a bracket is not closed", position)
    return HeaderToken(found[0], found[0], position, spaced)

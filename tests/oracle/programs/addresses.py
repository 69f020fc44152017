"""Mailboxes as RFC 5322 section 3.4 writes them, and encoded words (RFC 2047): strictly, for who writes them today."""

from __future__ import annotations

import base64
import binascii
import re

ENCODED = re.compile(r"=\?([^?\s]+)\?([BbQq])\?([^?\s]*)\?=")
_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]"
_ATOM = re.compile(rf"{_ATEXT}+")
_DOT_ATOM = re.compile(rf"{_ATEXT}+(?:\.{_ATEXT}+)*")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_BLANK = re.compile(r"[ \t]+")
_IN_PHRASE = re.compile(r"[A-Za-z0-9!*+/=_-]*\Z")


class Bad(Exception):
    """What stands there is not what the RFC asks for."""


def decoded(charset: str, form: str, text: str) -> str:
    """The characters of one encoded word. Raises ``Bad``."""
    try:
        if form in "bB":
            octets = base64.b64decode(text, validate=True)
        else:
            octets = re.sub(rb"=([0-9A-Fa-f]{2})", lambda found: bytes.fromhex(found[1].decode()),
                            text.replace("_", " ").encode())  # fmt: skip
        return octets.decode(charset.partition("*")[0], "strict")
    except (binascii.Error, ValueError, LookupError) as error:
        raise Bad(f"the encoded word {text!r} is not {charset}: {error}") from error


def word(token: str) -> str | None:
    """The characters of a token that is an encoded word, ``None`` where it is none. Raises ``Bad``."""
    found = ENCODED.fullmatch(token)
    return decoded(*found.groups()) if found else None


def unstructured(value: str) -> str:
    """The text of a field, its encoded words decoded. Raises ``Bad``."""
    shown, blank, before = "", "", False
    for piece in re.split(r"([ \t]+)", value):
        if not piece or piece[0] in " \t":
            blank = piece
            continue
        text = word(piece)
        shown += ("" if before and text is not None else blank) + (piece if text is None else text)
        blank, before = "", text is not None
    return shown + blank


class _Reader:
    def __init__(self, text: str) -> None:
        self.text, self.place = text, 0

    def blank(self) -> bool:
        """Skip blanks and comments; whether there were any."""
        begin = self.place
        while self.place < len(self.text):
            if found := _BLANK.match(self.text, self.place):
                self.place = found.end()
            elif self.peek() == "(":
                self._comment()
            else:
                break
        return self.place > begin

    def _comment(self) -> None:
        depth = 0
        while True:
            here = self.peek()
            if not here:
                raise Bad("a comment without an end")
            self.place += 2 if here == "\\" else 1
            depth += (here == "(") - (here == ")")
            if not depth:
                return

    def peek(self) -> str:
        return self.text[self.place : self.place + 1]

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self.text, self.place)
        if found:
            self.place = found.end()
        return found

    def expect(self, sign: str) -> None:
        if self.peek() != sign:
            raise Bad(f"{sign} was expected before {self.text[self.place :]!r}")
        self.place += 1


def mailboxes(value: str) -> list[tuple[str, str]]:
    """Names and addresses of a list. Raises ``Bad``."""
    reader = _Reader(value)
    found = []
    while True:
        reader.blank()
        found.append(_mailbox(reader))
        reader.blank()
        if not reader.peek():
            return found
        reader.expect(",")


def _mailbox(reader: _Reader) -> tuple[str, str]:
    begin = reader.place
    try:
        return "", _addr_spec(reader)
    except Bad:
        reader.place = begin
    name = _phrase(reader)
    reader.expect("<")
    reader.blank()
    address = _addr_spec(reader)
    reader.blank()
    reader.expect(">")
    return name, address


def _addr_spec(reader: _Reader) -> str:
    local = reader.take(_DOT_ATOM) or reader.take(_QUOTED)
    if not local:
        raise Bad(f"no address begins at {reader.text[reader.place :]!r}")
    reader.expect("@")
    domain = reader.take(_DOT_ATOM)
    if not domain:
        raise Bad("no domain behind the @")
    return f"{local[0]}@{domain[0]}"


def _phrase(reader: _Reader) -> str:
    """A display name: its words as a reader shows them."""
    shown, before = "", False
    while True:
        apart = reader.blank()
        if found := reader.take(_QUOTED):
            text, encoded = re.sub(r"\\(.)", r"\1", found[1]), False
        elif found := reader.take(_ATOM):
            characters = word(found[0])
            encoded = characters is not None
            text = found[0] if characters is None else characters
            parts = ENCODED.fullmatch(found[0])
            if parts and parts[2] in "qQ" and not _IN_PHRASE.match(parts[3]):
                raise Bad(f"an encoded word with signs that no phrase may hold: {found[0]}")
        else:
            return shown
        between = " " if apart and shown and not (before and encoded) else ""
        shown, before = shown + between + text, encoded

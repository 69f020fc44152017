"""Writes header fields: folded at 78 characters (RFC 5322 section 2.2.3), with encoded words (RFC 2047)."""

from __future__ import annotations

import base64
import re

WIDEST = 78
LONGEST_WORD = 75
_FRAME = len("=?utf-8?Q??=")
# What RFC 2047 section 5 (3) allows in a display name is allowed everywhere.
_SAFE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_PLAIN_WORD = re.compile(r"[!-~]+")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_PRINTABLE = re.compile(r"[ -~]*")
_LONGEST_ATOM = 70
_LONGEST_QUOTED = 74


class FoldedField:
    """A header field that grows word by word."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lines: list[str] = []
        self._current = f"{name}:"
        self.notes: list[str] = []

    @property
    def lines(self) -> list[str]:
        """The lines so far, without their ends."""
        return [*self._lines, self._current]

    @property
    def _begins(self) -> bool:
        """Whether nothing stands behind the name yet."""
        return not self._lines and self._current == f"{self._name}:"

    def put(self, token: str) -> None:
        """Add what may not be folded inside, with a space before it."""
        if len(self._current) + 1 + len(token) > WIDEST and not (self._begins and 1 + len(token) > WIDEST):
            self._break()
        self._current += f" {token}"

    def text(self, text: str) -> None:
        """Add free text: words as they are, and those that need it as encoded words (RFC 2047 section 5 (1))."""
        words, encoded = _sorted_words(text)
        place = 0
        while place < len(words):
            if not encoded[place]:
                self.put(words[place])
                place += 1
                continue
            end = place
            while end < len(words) and encoded[end]:
                end += 1
            self.encoded(" ".join(words[place:end]))
            place = end

    def phrase(self, name: str, tail: str = "") -> None:
        """Add a display name: atoms, a quoted string or encoded words, and ``tail`` behind it."""
        long = any(len(word) > _LONGEST_ATOM for word in name.split(" "))
        quoted = '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'
        if not _PRINTABLE.fullmatch(name) or "=?" in name or long:
            self._encoded_phrase(name, tail)
        elif _ATOMS.fullmatch(name):
            for word in (name + tail).split(" "):
                self.put(word)
        elif len(quoted) <= _LONGEST_QUOTED:
            self._note("quoted-string")
            self.put(quoted + tail)
        else:
            self._encoded_phrase(name, tail)

    def encoded(self, text: str) -> None:
        """Add text as encoded words, each of whole characters and short enough for its line."""
        self._note("encoded-words")
        letter = _letter(text)
        room = min(LONGEST_WORD, WIDEST - len(self._current) - 1) - _FRAME
        whole = _q_size(text) if letter == "Q" else _b_size(len(text.encode()))
        # What fits into one word is not torn apart; but some readers lose a field whose first line is empty.
        if room < whole <= LONGEST_WORD - _FRAME and not self._begins:
            self._break()
            room = LONGEST_WORD - _FRAME
        pending, size = "", 0
        for char in text:
            step = _q_size(char) if letter == "Q" else len(char.encode())
            if (size + step if letter == "Q" else _b_size(size + step)) > room:
                if pending:
                    self._current += f" {_word(letter, pending)}"
                self._break()
                pending, size, room = "", 0, LONGEST_WORD - _FRAME
            pending += char
            size += step
        self._current += f" {_word(letter, pending)}"

    def _encoded_phrase(self, name: str, tail: str) -> None:
        self.encoded(name)
        if tail:
            # White space parts an encoded word from a special (RFC 2047 section 5 (3)).
            self.put(tail)

    def _break(self) -> None:
        self._note("folded")
        self._lines.append(self._current)
        self._current = ""

    def _note(self, id_: str) -> None:
        if id_ not in self.notes:
            self.notes.append(id_)


def _sorted_words(text: str) -> tuple[list[str], list[bool]]:
    """The words of a text, and which of them have to be encoded.

    A row of spaces is kept only inside an encoded word; what looks like an encoded word would be decoded; and a
    word too long for a line cannot be folded.
    """
    words = text.split(" ")
    encoded = [not _PLAIN_WORD.fullmatch(word) or "=?" in word or len(word) >= WIDEST for word in words]
    # An empty word is the second of two spaces: it takes its neighbours along.
    empty = [place for place, word in enumerate(words) if not word]
    for place in empty:
        for beside in (place - 1, place + 1):
            if 0 <= beside < len(words):
                encoded[beside] = True
    return words, encoded


def _letter(text: str) -> str:
    """Q keeps text readable of which at most half is escaped; B is shorter for other scripts."""
    escaped = sum(1 for char in text if _q_size(char) > 1)
    return "Q" if 2 * escaped <= len(text) else "B"


def _q_size(text: str) -> int:
    return sum(1 if char in _SAFE or char == " " else 3 * len(char.encode()) for char in text)


def _b_size(count: int) -> int:
    return 4 * ((count + 2) // 3)


def _word(letter: str, text: str) -> str:
    if letter == "B":
        return f"=?utf-8?B?{base64.b64encode(text.encode()).decode()}?="
    return f"=?utf-8?Q?{''.join(_q(char) for char in text)}?="


def _q(char: str) -> str:
    if char in _SAFE:
        return char
    return "_" if char == " " else "".join(f"={byte:02X}" for byte in char.encode())

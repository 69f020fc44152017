"""Takes a master file apart: entries of tokens, each with its place (RFC 1035 section 5.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from grader.model.diagnostic import Diagnostic, Span, fault_in

BLANK = " \t"
_WORD = re.compile(r'(?:\\.?+|[^ \t;()"\\])*', re.DOTALL)
_QUOTED = re.compile(r'(?:\\.?+|[^"\\])*', re.DOTALL)
"""What a backslash stands before belongs to a word, or to a string, whatever it is."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
BOM = "\ufeff"


class ZoneToken(Struct, frozen=True):
    """A word or a quoted string as the file writes it, without the quotation marks around it."""

    source: str
    place: Span
    quoted: bool = False

    @property
    def whole(self) -> Span:
        """Its place with the quotation marks."""
        if not self.quoted:
            return self.place
        return Span(self.place.line, self.place.column - 1, self.place.length + 2)


class ZoneEntry(Struct):
    """A record or directive: a line, or several inside parentheses.

    ``continues`` says that it begins with a blank, and so has the owner of the record before it; ``comment`` where
    the comment behind its last token begins, if one does.
    """

    continues: bool
    tokens: list[ZoneToken] = []
    comment: Span | None = None


class Scanner:
    """Takes lines apart. ``faults`` are what kept an entry from being read; such an entry is left out."""

    def __init__(self, lines: list[str]) -> None:
        self.faults: list[Diagnostic] = []
        self._lines = lines
        self._open: Span | None = None
        self._commented: int | None = None
        """The line of the first closing parenthesis in a comment, while one is open."""

    def entries(self) -> Iterator[ZoneEntry]:
        """Every entry, in the file's order."""
        entry = ZoneEntry(False)
        sound = True
        for number, line in enumerate(self._lines):
            if self._open is None:
                entry, sound = ZoneEntry(line[:1] in (" ", "\t")), True
            sound = self._line(number, line, entry) and sound
            if self._open is None and entry.tokens and sound:
                yield entry
        if self._open is not None and sound:  # else what is wrong in it may have hidden where it is closed
            sentence = "this parenthesis is never closed: everything after it belongs to one record"
            if self._commented is not None:
                sentence += f"; the one in line {self._commented + 1} stands behind a semicolon, in a comment"
            self._fault(self._open, sentence)

    def _fault(self, place: Span, sentence: str) -> bool:
        self.faults.append(fault_in(place, sentence))
        return False

    def _line(self, number: int, line: str, entry: ZoneEntry) -> bool:
        """Add a line's tokens to the entry; whether the line is sound."""
        at = 0
        while at < len(line):
            sign = line[at]
            if sign in BLANK:
                at += 1
            elif sign == ";":
                entry.comment = Span(number, at, len(line) - at)
                if self._open is not None and self._commented is None and ")" in line[at:]:
                    self._commented = number
                return True
            elif sign == "(":
                if self._open is not None:
                    self._open = None
                    sentence = (
                        "a parenthesis inside parentheses, which RFC 1035 section 5.1 does not know: BIND would take "
                        "it, NSD and Knot load no such zone; one pair is enough"
                    )
                    return self._fault(Span(number, at), sentence)
                self._open, self._commented = Span(number, at), None
                at += 1
            elif sign == ")":
                if self._open is None:
                    return self._fault(Span(number, at), "this parenthesis closes none that was opened")
                self._open = None
                at += 1
            else:
                end = (
                    self._quoted(number, line, at, entry)
                    if sign == '"'
                    else self._word(number, line, at, entry)
                )
                if end < 0:
                    return False
                at = end
        return True

    def _quoted(self, number: int, line: str, start: int, entry: ZoneEntry) -> int:
        at = _end(_QUOTED, line, start + 1)
        if at >= len(line):
            self._fault(
                Span(number, start), "the quotation mark that opens here is not closed before the line ends"
            )
            return -1
        return self._take(number, line, start + 1, at, entry, quoted=True)

    def _word(self, number: int, line: str, start: int, entry: ZoneEntry) -> int:
        return self._take(number, line, start, _end(_WORD, line, start), entry, quoted=False)

    def _take(self, number: int, line: str, start: int, end: int, entry: ZoneEntry, *, quoted: bool) -> int:
        source = line[start:end]
        odd = _CONTROL.search(source)
        if odd is not None and not (quoted and odd[0] == "\t"):
            sentence = f"a control character (U+{ord(odd[0]):04X}) stands here: delete it"
            if odd[0] == "\r":
                sentence = (
                    "a carriage return alone (CR) ends no line, and a comment goes on behind it: save the file with "
                    "the line ends of Unix (LF) or Windows (CR LF)"
                )
            self._fault(Span(number, start + odd.start()), sentence)
            return -1
        entry.tokens.append(ZoneToken(source, Span(number, start, end - start), quoted))
        entry.comment = None
        return end + 1 if quoted else end


def _end(pattern: re.Pattern[str], line: str, start: int) -> int:
    found = pattern.match(line, start)
    return found.end() if found else start


def begins_with_mark(data: bytes) -> bool:
    """Whether a file begins with a byte order mark, which ``lines_of`` passes over."""
    return data.startswith(BOM.encode())


def lines_of(data: bytes) -> list[str]:
    """The lines of a file in UTF-8, without their ends; an octet that is no UTF-8 becomes a lone surrogate."""
    text = data.decode("utf-8", "surrogateescape").removeprefix(BOM)
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    return lines[:-1] if lines[-1] == "" else lines


def displayed(text: str) -> str:
    """The text with a replacement character for each octet that is no UTF-8, so that its columns stay."""
    return "".join("\N{REPLACEMENT CHARACTER}" if "\ud800" <= sign <= "\udfff" else sign for sign in text)

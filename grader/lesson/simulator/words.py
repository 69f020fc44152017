"""Cuts a command line into words as Postfix's SMTP server does.

Here and in the other modules of this folder a line is a string of octets, one character for each (Latin-1), so that
lengths are those of the wire and Python and JavaScript, which counts otherwise, come to the same results.
``reports/lesson/js/simulator-*.js`` is the same in JavaScript, function by function.
"""

from __future__ import annotations

from typing import NamedTuple

SPACE = " \t\n\v\f\r"
PREFIXES = ("to:", "from:")


class Word(NamedTuple):
    """A word of a command. ``broken`` says that a bracket or quotation mark was never closed."""

    text: str
    broken: bool = False


LINE_FEED = "␊"
"""What a person types for a line feed alone, which no keyboard and no line of a file can carry."""


def typed(line: str) -> str:
    """A line as it is sent, from what a person typed."""
    return line.replace(LINE_FEED, "\n")


def until_nul(line: str) -> str:
    """What Postfix sees of a line: it is a string of C, so a NUL ends it."""
    return line.partition("\0")[0]


def split(line: str) -> list[Word]:
    """The words of a line. White space inside ``<…>`` and quotes parts nothing; ``FROM:`` and ``TO:`` end a word."""
    words: list[Word] = []
    text, broken, place = "", False, 0
    while place < len(line):
        char = line[place]
        if char in SPACE:
            if text:
                words.append(Word(text, broken))
                text, broken = "", False
            place += 1
        elif char in '<"':
            end, closed = _closing(line, place)
            text += line[place:end]
            broken = broken or not closed
            place = end
        elif char == ":":
            text += char
            place += 1
            # An abbreviation would do as well: Postfix compares as far as the word goes.
            if any(prefix.startswith(text.lower()) for prefix in PREFIXES):
                words.append(Word(text, broken))
                text, broken = "", False
        else:
            length = 2 if char == "\\" else 1
            text += line[place : place + length]
            place += length
    if text:
        words.append(Word(text, broken))
    return words


def _closing(line: str, start: int) -> tuple[int, bool]:
    """Where what opens at ``start`` ends, and whether it was closed. Quotes stand in brackets, brackets in brackets."""
    wanted = [">" if line[start] == "<" else '"']
    place = start + 1
    while place < len(line):
        char = line[place]
        place += 1
        if char == "\\":
            place = min(place + 1, len(line))
        elif char == wanted[-1]:
            wanted.pop()
            if not wanted:
                return place, True
        elif char == '"':
            wanted.append('"')
        elif char == "<" and wanted[-1] == ">":
            wanted.append(">")
    return place, False

"""Reads main.cf and master.cf (postconf(5), master(5)) and opendkim.conf (opendkim.conf(5)), with each word's place.

Nothing is refused here, and nothing is concluded of what holds in the end: that is what the programs themselves say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from msgspec import Struct

COLUMNS = 8
"""Of a service in master.cf, the last of which is its program; arguments follow."""

_NO_BLANK = re.compile(r"\S+")
_WORD = re.compile(r"[^\s,]+")
_MAIN = re.compile(r"([^\s=]+)\s*=(.*)\Z", re.DOTALL)
_SHAPE = re.compile(r"[A-Za-z0-9_-]{1,100}\Z")


class Word(Struct, frozen=True):
    """A word of a file. Lines and columns count from zero."""

    text: str
    line: int
    column: int


class MainSetting(Struct, frozen=True):
    """``name = value`` of main.cf, at the line where it begins. ``words`` are those of the value.

    ``raw`` is the value with the line ends of its continuation lines.
    """

    name: str
    raw: str
    line: int
    words: list[Word]

    @property
    def value(self) -> str:
        """The value on one line, as Postfix reads it."""
        return " ".join(part.strip() for part in self.raw.splitlines()).strip()


class Option(Struct, frozen=True):
    """``-o name=value`` of a service in master.cf, at the line where it stands. ``service`` is its first word."""

    service: str
    name: str
    value: str
    line: int


def logical_lines(text: str) -> Iterator[list[tuple[int, str]]]:
    """Each line with those that continue it, all with their numbers.

    A line that begins with white space continues the one before; blank lines and those that begin with ``#`` end
    nothing (postconf(5)).
    """
    held: list[tuple[int, str]] = []
    for number, line in enumerate(text.split("\n")):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[0].isspace() and held:
            held.append((number, line))
            continue
        if held:
            yield held
        held = [(number, line)]
    if held:
        yield held


def read_main(text: str) -> list[MainSetting]:
    """The settings of a main.cf, in their order; lines without ``=`` are passed over."""
    found = []
    for lines in logical_lines(text):
        match = _MAIN.match("\n".join(line for _, line in lines).lstrip())
        if match is None:
            continue
        first, beginning = lines[0]
        rest = [(first, beginning, beginning.find("=") + 1), *((n, line, 0) for n, line in lines[1:])]
        words = [
            Word(word[0], number, word.start())
            for number, line, at in rest
            for word in _WORD.finditer(line, at)
        ]
        found.append(MainSetting(match[1], match[2], first, words))
    return found


def read_master(text: str) -> list[Option]:
    """The options ``-o name=value`` of all services of a master.cf, in their order."""
    found = []
    for lines in logical_lines(text):
        service = lines[0][1].split(None, 1)[0]
        words = [Word(word, number, 0) for number, line in lines for word in line.split()]
        for before, word in pairwise(words):
            if before.text == "-o":
                name, equals, value = word.text.lstrip("{").partition("=")
                found.append(Option(service, name, value if equals else "", word.line))
    return found


def stray_words(text: str) -> Iterator[tuple[Option, Word]]:
    """Words behind an option of an smtpd(8) in master.cf that a blank has parted from its value, the first of each.

    That program takes no arguments but options, so that whatever else stands there was to be a part of one.
    """
    for lines in logical_lines(text):
        words = [
            Word(word[0], number, word.start()) for number, line in lines for word in _NO_BLANK.finditer(line)
        ]
        if len(words) < COLUMNS or words[COLUMNS - 1].text != "smtpd":
            continue
        option: Option | None = None
        braces, named = 0, False
        for word in words[COLUMNS:]:
            if named and not braces:
                name, equals, value = word.text.partition("=")
                option = Option(words[0].text, name, value, word.line) if equals and "{" not in name else None
            elif not braces and word.text.startswith("-"):
                option = None
            elif not braces and option is not None and option.value:
                yield option, word
                option = None
            braces += word.text.count("{") - word.text.count("}")
            named = word.text == "-o" and not braces


def read_opendkim(text: str) -> list[Word]:
    """The parameters of an opendkim.conf: the first word of each line that is no comment."""
    return [
        Word(words[0], number, line.find(words[0]))
        for number, line in enumerate(text.split("\n"))
        if (words := line.split(None, 1)) and not words[0].startswith("#")
    ]


def looks_like_parameter(name: str) -> bool:
    """Whether a word could be a parameter's name at all."""
    return _SHAPE.match(name) is not None

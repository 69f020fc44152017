"""Texts that a regular expression of a submission matches, made from its grammar, never by matching.

A pattern of access(5), regexp_table(5) or pcre_table(5) is read by Python's own parser, whose grammar is near enough:
what is made here only chooses what to try. Nothing is ever matched against a submission's pattern, so none can take
long.
"""

from __future__ import annotations

import itertools
import re
import warnings
from collections.abc import Iterable, Iterator
from re import _constants, _parser  # type: ignore[attr-defined]  # typeshed leaves these out
from typing import Any

from msgspec import Struct

from grader.model.latepattern import late_pattern

op: Any = _constants

MOST_SAMPLES = 8
"""Texts made of one pattern: where it has alternatives, each is in some of them."""
LONGEST_PATTERN = 500
LONGEST_SAMPLE = 120

HOLE = "\0"
"""Stands in a sample for a part that may be nearly anything, such as ``[^=]+`` or ``.*``."""

_REROUTED = late_pattern(
    r"(?:^|(?<=[\s{,]))!?/((?:[^/\\\n]|\\.){1,500})/[A-Za-z]*\s+(?:REDIRECT|FILTER|BCC)\s", re.IGNORECASE
)
_ACTIONS = ("REDIRECT", "FILTER", "BCC", "IGNORE", "PREPEND", "REPLACE", "STRIP")
_CONDITION = late_pattern(r"if\s+/((?:[^/\\\n]|\\.){1,500})/[A-Za-z]*\Z", re.IGNORECASE)
_ACTING = late_pattern(
    r"(?:^|(?<=[\s{,]))!?/((?:[^/\\\n]|\\.){1,500})/[A-Za-z]*\s+"
    r"(?:REDIRECT|FILTER|BCC|IGNORE|PREPEND|REPLACE|STRIP)\b",
    re.IGNORECASE,
)
_PATTERN = re.compile(r"(?:^|(?<=[\s{,]))!?/((?:[^/\\\n]|\\.){1,500})/[A-Za-z]*(?=\s)")
_CLASSES = {
    "[:digit:]": "0-9",
    "[:xdigit:]": "0-9a-f",
    "[:alnum:]": "a-z0-9",
    "[:punct:]": "._-",
    "[:space:]": " ",
}
_CLASS = re.compile(r"\[:[a-z]{3,8}:\]")
"""The classes of POSIX's brackets, which Python does not know; those that are not named here hold letters."""
_CATEGORIES = {op.CATEGORY_DIGIT: list("0123456789"), op.CATEGORY_SPACE: [" "]}
"""``\\d`` and ``\\s``; the others hold letters."""
_SHORTEST_FILLING = 8
_HOLE_SIZE = 20
"""So many different characters, and a repeated class is a hole."""


class PatternText(Struct, frozen=True):
    """A text that matches a pattern, ``HOLE`` where nearly anything would, and which of its ends the pattern fixes.

    ``loose`` says that a dot of the pattern is a hyphen in the text: it matches that as well, meant or not.
    """

    text: str
    begins: bool
    ends: bool
    loose: bool = False


def patterns_in(line: str) -> list[str]:
    """The regular expressions on a logical line of a table, or within an inline table of main.cf."""
    return [found[1].replace(r"\/", "/") for found in _PATTERN.finditer(line + " ")]


def rerouting_in(line: str) -> list[str]:
    """Those of them that send a letter elsewhere for what it holds (header_checks(5))."""
    return _patterns(_REROUTED, line) if _acts(line) else []


def condition_in(line: str) -> str | None:
    """The pattern of an ``if`` in a table of patterns, for the lines up to its ``endif``."""
    found = _CONDITION.fullmatch(line) if line[:2].lower() == "if" else None
    return None if found is None else found[1].replace(r"\/", "/")


def joined(condition: PatternText | None, sample: PatternText) -> PatternText:
    """A text that holds both, the condition's first: what is its end and the other's beginning stands there once."""
    if condition is None or condition.text.lower() in sample.text.lower():
        return sample
    first, then = condition.text, sample.text
    longest = min(len(first), len(then))
    same = next(size for size in range(longest, -1, -1) if first.endswith(then[:size]))
    return PatternText(first + then[same:], condition.begins, sample.ends, sample.loose)


def acting_in(line: str) -> list[str]:
    """Those, and those that change what it holds."""
    return _patterns(_ACTING, line) if _acts(line) else []


def _acts(line: str) -> bool:
    # Few lines do, and a submission has hundreds.
    upper = line.upper()
    return any(action in upper for action in _ACTIONS)


def _patterns(acting: re.Pattern[str], line: str) -> list[str]:
    return [found[1].replace(r"\/", "/") for found in acting.finditer(line + " ")]


def samples(pattern: str) -> list[PatternText]:
    """Texts that the pattern matches; none where Python does not read it."""
    if len(pattern) > LONGEST_PATTERN:
        return []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parsed = _parser.parse(_CLASS.sub(lambda found: _CLASSES.get(found[0], "a-z"), pattern))
        plain = dict.fromkeys(itertools.islice(_texts(list(parsed), "."), MOST_SAMPLES))
        loose = dict.fromkeys(itertools.islice(_texts(list(parsed), "-"), MOST_SAMPLES))
        ends = {arguments for kind, arguments in parsed if kind is op.AT}
    except (re.error, RecursionError, OverflowError, ValueError):
        return []
    begins = bool({op.AT_BEGINNING, op.AT_BEGINNING_STRING} & ends)
    closed = bool({op.AT_END, op.AT_END_STRING} & ends)
    made = [*((text, False) for text in plain), *((text, True) for text in loose if text not in plain)]
    return [PatternText(text, begins, closed, other) for text, other in made if text.strip(HOLE)]


def _texts(parts: list[Any], dot: str) -> Iterator[str]:
    """Texts of a sequence: its parts advance side by side, so that few texts hold each alternative once.

    ``dot`` is what a dot of the pattern becomes.
    """
    choices = [
        list(itertools.islice(_part(kind, arguments, dot), MOST_SAMPLES)) or [""] for kind, arguments in parts
    ]
    for turn in range(max(map(len, choices), default=1)):
        text = "".join(choice[turn % len(choice)] for choice in choices)
        yield re.sub(f"{HOLE}+", HOLE, text)[:LONGEST_SAMPLE]


def _part(kind: Any, arguments: Any, dot: str) -> Iterable[str]:
    if kind is op.LITERAL:
        return [chr(arguments)]
    if kind is op.ANY:
        return [dot]
    if kind is op.NOT_LITERAL:
        return [HOLE]
    if kind is op.IN:
        return _class(arguments)
    if kind is op.BRANCH:
        return itertools.chain.from_iterable(_texts(list(branch), dot) for branch in arguments[1])
    if kind is op.SUBPATTERN:
        return _texts(list(arguments[-1]), dot)
    if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
        least, most, repeated = arguments
        return _repeated(least, most, repeated, dot)
    if kind is op.ATOMIC_GROUP:
        return _texts(list(arguments), dot)
    return [""]


def _repeated(least: int, most: int, repeated: Any, dot: str) -> Iterable[str]:
    parts = list(repeated)
    inner = list(itertools.islice(_texts(parts, dot), MOST_SAMPLES))
    wide = len(parts) == 1 and _is_wide(parts[0])
    if wide and most > 1:
        # What fills a hole is a few characters long; a pattern may ask for more.
        return ["a" * min(least, LONGEST_SAMPLE) + HOLE if least > _SHORTEST_FILLING else HOLE]
    times = min(max(least, 1), 5)
    # Cut here already: repetitions of repetitions grow beyond any memory.
    return [(text * times)[:LONGEST_SAMPLE] for text in inner] + ([""] if least == 0 else [])


def _is_wide(part: tuple[Any, Any]) -> bool:
    kind, arguments = part
    if kind in (op.ANY, op.NOT_LITERAL):
        return True
    if kind is op.SUBPATTERN:
        inner = list(arguments[-1])
        return len(inner) == 1 and _is_wide(inner[0])
    return kind is op.IN and len(_members(arguments)) >= _HOLE_SIZE


def _class(arguments: Any) -> list[str]:
    """Members of a bracket expression: all of a small one, the ends of each range of a large one."""
    members = _members(arguments)
    if len(members) >= _HOLE_SIZE:
        return [HOLE]
    return members


def _members(arguments: Any) -> list[str]:
    if any(kind is op.NEGATE for kind, _ in arguments):
        return [chr(number) for number in range(97, 97 + _HOLE_SIZE)]
    found: list[str] = []
    for kind, value in arguments:
        if kind is op.LITERAL:
            found.append(chr(value))
        elif kind is op.RANGE:
            found += [chr(number) for number in range(value[0], min(value[1], value[0] + _HOLE_SIZE) + 1)]
        elif kind is op.CATEGORY:
            found += _CATEGORIES.get(value, list("abcdefghijklmnopqrstuvwxyz"))
    return found

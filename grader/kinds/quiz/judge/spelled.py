"""Numbers in words: ``twenty-five``, ``two hundred and twenty``, ``five eighty-seven``, ``two two zero``.

``quiz-core.js`` reads them in the same way.
"""

from __future__ import annotations

import re

_SMALL = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_VALUES = {word: number for number, word in enumerate(_SMALL)}
_VALUES |= {word: 10 * number for number, word in enumerate(_TENS, 2)}
_GREAT = {"hundred": 100, "thousand": 1000}
_WORD = "|".join([*sorted(_VALUES, key=len, reverse=True), *_GREAT])
_RUN = re.compile(rf"(?<![\w-])(?:{_WORD})(?:(?: and |[ -])(?:{_WORD}))*(?![\w-])", re.IGNORECASE | re.ASCII)
_LONGEST = 200


def with_digits(text: str) -> str:
    """A text with its numbers in digits. What is no number in English stays, and so does ``one`` among words."""
    return (
        _RUN.sub(lambda found: _digits(found[0], alone=found[0] == text), text)
        if len(text) <= _LONGEST
        else text
    )


def _digits(run: str, *, alone: bool) -> str:
    words = re.split(r" and |[ -]", run.lower())
    if words == ["one"] and not alone:
        return run
    values = [_VALUES.get(word, -1) for word in words]
    if len(values) > 1 and all(0 <= value < 10 for value in values):
        return "".join(map(str, values))
    # Three digits as they are said: five eighty-seven.
    if len(values) in (2, 3) and 0 < values[0] < 10 and all(value >= 10 for value in values[1:2]):
        rest = _sum(words[1:])
        return run if rest is None or rest > 99 else str(100 * values[0] + rest)
    total = _sum(words)
    return run if total is None else str(total)


def _sum(words: list[str]) -> int | None:
    """The number that words are in their order: each one smaller than what it is added to lacks."""
    total, current, room = 0, 0, 1000
    for word in words:
        if word == "thousand":
            if total:
                return None
            total, current, room = 1000 * max(current, 1), 0, 1000
        elif word == "hundred":
            if not current < 100:
                return None
            current, room = 100 * max(current, 1), 100
        else:
            value = _VALUES[word]
            if value >= room or (current and not value):
                return None
            current += value
            room = 10 if value >= 20 else 1
    return total + current

"""Which of many texts hold a token: hundreds of tokens are looked for in a log of megabytes, which is read once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from grader.model.latepattern import late_pattern

DIGITS_AT_END = 4
"""Of a token as labs draw them."""
_RUN = late_pattern(rf"[0-9]{{{DIGITS_AT_END},}}")
_ENDED = late_pattern(rf"[0-9]{{{DIGITS_AT_END}}}\Z")


class TokenIndex:
    """Texts, in small letters, by the numbers in them, of which few hold any that ends a certain token."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = list(texts)
        self._by_number: defaultdict[str, list[int]] = defaultdict(list)
        for at, text in enumerate(self._texts):
            for number in _numbers(text):
                self._by_number[number].append(at)

    def holding(self, token: str) -> list[int]:
        """The places of the texts that hold a token, in their order; none for an empty one."""
        folded = token.casefold()
        if not folded:
            return []
        ends = _ENDED.search(folded)
        places = range(len(self._texts)) if ends is None else self._by_number.get(ends[0], ())
        return [at for at in places if folded in self._texts[at]]


def _numbers(text: str) -> set[str]:
    """Every sequence of so many digits, overlapping ones too."""
    found: set[str] = set()
    for run in set(_RUN.findall(text)):
        found.update(run[at : at + DIGITS_AT_END] for at in range(len(run) - DIGITS_AT_END + 1))
    return found

"""A regular expression as positions and what may follow each (Glushkov's automaton), with in how many ways it may.

It is built from what Python's own parser makes of the expression. Left out is what only forbids: looking ahead
or behind, beginnings, references back. Possessive and atomic parts are a single sign here that nothing else matches,
since nobody goes back into them; what is inside them is looked at by itself.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

# What Python itself reads expressions with has no types, and no name that it promises to keep.
sre: Any = import_module("re._constants")
parser: Any = import_module("re._parser")
compiler: Any = import_module("re._compiler")

MANY = 3
"""More repetitions than these are taken for any number: hundreds of them are as bad."""

SAMPLES = "aAzZ09_-+./:;,=@<>()[]{}'\"\\$%&#!?*|^~` \t\n\r\x00\x0b\x1c\x7f\x85\xa0éÉß€\u017fK"


@dataclass
class Part:
    """What a part of an expression may begin and end with, and whether it may be nothing: and in how many ways."""

    first: Counter[int] = field(default_factory=Counter)
    last: Counter[int] = field(default_factory=Counter)
    empty: int = 1


class Positions:
    """``signs`` is what each position matches, ``follow`` what may come after it in how many ways, and ``inner`` what
    nobody goes back into, with its flags."""

    def __init__(self, parsed: Any, flags: int, *, octets: bool) -> None:
        self.signs: list[frozenset[str]] = []
        self.follow: list[Counter[int]] = []
        self.inner: list[Any] = []
        self._octets = octets
        self._alphabet = sorted(set(SAMPLES) | set(_mentioned(parsed)))
        self.whole = self._sequence(parsed, flags)

    def _position(self, signs: frozenset[str]) -> Part:
        self.signs.append(signs)
        self.follow.append(Counter())
        number = len(self.signs) - 1
        return Part(Counter({number: 1}), Counter({number: 1}), 0)

    def _sequence(self, items: Any, flags: int) -> Part:
        whole = Part()
        for operator, value in items:
            whole = self._after(whole, self._item(operator, value, flags))
        return whole

    def _after(self, one: Part, other: Part) -> Part:
        for last, ways in one.last.items():
            for first, more in other.first.items():
                self.follow[last][first] += ways * more
        begins = one.first + Counter({n: ways * one.empty for n, ways in other.first.items()})
        ends = other.last + Counter({n: ways * other.empty for n, ways in one.last.items()})
        return Part(begins, ends, min(one.empty * other.empty, 2))

    def _again(self, one: Part) -> Part:
        """Any number of repetitions, none among them. What matched nothing is not repeated."""
        for last, ways in one.last.items():
            for first, more in one.first.items():
                self.follow[last][first] += ways * more
        return Part(one.first, one.last, 1)

    def _item(self, operator: Any, value: Any, flags: int) -> Part:
        if operator in (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN):
            return self._position(self._matched(operator, value, flags))
        if operator is sre.BRANCH:
            return _either(self._sequence(items, flags) for items in value[1])
        if operator is sre.SUBPATTERN:
            _, added, removed, items = value
            return self._sequence(items, (flags | added) & ~removed)
        if operator in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            least, most, items = value
            return self._repeated(least, most, items, flags)
        if operator is sre.POSSESSIVE_REPEAT:
            self.inner.append(([(sre.MAX_REPEAT, value)], flags))
            return self._position(frozenset({f"inner {len(self.inner)}"}))
        if operator is sre.ATOMIC_GROUP:
            self.inner.append((value, flags))
            return self._position(frozenset({f"inner {len(self.inner)}"}))
        if operator is sre.GROUPREF_EXISTS:
            return _either(self._sequence(items or [], flags) for items in value[1:])
        if operator is sre.AT and value in (sre.AT_END, sre.AT_END_STRING):
            # Nothing comes behind the end.
            return self._position(frozenset())
        assert operator in (sre.AT, sre.ASSERT, sre.ASSERT_NOT, sre.GROUPREF), operator
        return Part()

    def _repeated(self, least: int, most: int, items: Any, flags: int) -> Part:
        whole = Part()
        for _ in range(min(least, MANY)):
            whole = self._after(whole, self._sequence(items, flags))
        if most - least > MANY:
            return self._after(whole, self._again(self._sequence(items, flags)))
        # One more only behind the one before it: the matcher counts them.
        more = Part()
        for _ in range(most - least):
            more = self._after(self._sequence(items, flags), more)
            more = Part(more.first, more.last, 1)
        return self._after(whole, more)

    def _matched(self, operator: Any, value: Any, flags: int) -> frozenset[str]:
        one = parser.SubPattern(parser.State(), [(operator, value)])
        mask = re.IGNORECASE | re.DOTALL | re.ASCII | re.LOCALE
        one.state.str = b"" if self._octets else ""
        one.state.flags = int(flags & mask) if self._octets else int(flags & mask) | int(re.UNICODE & ~flags)
        found = set()
        matches = _matcher(one, self._octets)
        for sign in self._alphabet:
            if matches(sign):
                found.add(sign)
        return frozenset(found)


def _matcher(one: Any, octets: bool) -> Any:
    compiled = compiler.compile(one, one.state.flags)

    def matches(sign: str) -> bool:
        if octets:
            return sign <= "\xff" and compiled.fullmatch(sign.encode("latin-1")) is not None
        return compiled.fullmatch(sign) is not None

    return matches


def _either(parts: Iterator[Part]) -> Part:
    whole = Part(empty=0)
    for one in parts:
        whole = Part(whole.first + one.first, whole.last + one.last, min(whole.empty + one.empty, 2))
    return whole


def _mentioned(items: Any) -> Iterator[str]:
    """The signs that stand in an expression, and the neighbours of its ranges."""
    for operator, value in items:
        if operator in (sre.LITERAL, sre.NOT_LITERAL):
            yield chr(value)
        elif operator is sre.RANGE:
            yield from (chr(n) for end in value for n in (end - 1, end, end + 1) if 0 <= n < 0x110000)
        elif operator is sre.IN:
            yield from _mentioned(value)
        elif operator is sre.BRANCH:
            for branch in value[1]:
                yield from _mentioned(branch)
        elif operator is sre.SUBPATTERN:
            yield from _mentioned(value[3])
        elif operator in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            yield from _mentioned(value[2])
        elif operator is sre.ATOMIC_GROUP:
            yield from _mentioned(value)

"""Authors of whom a submission's patterns know nothing.

A ``SigningTable`` names authors by patterns in which a star stands for anything (``refile:``, opendkim.conf(5)). One
that fits some of them must not pass because an author was drawn whom it happens to fit.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from grader.labs.messages import person
from grader.labs.variant import RandomStream
from grader.labs.world import WordLists
from grader.model.latepattern import late_pattern

MOST_PATTERNS = 100
MOST_PERSONS = 4
_PATTERN = late_pattern(r"(?<![\w.+*-])([\w.+*-]{1,64})@(?=[\w*])")


class Authors:
    """Draws authors, of whom as few as can be are named by a pattern in these files."""

    def __init__(self, files: Iterable[bytes]) -> None:
        self._narrow = list(islice(dict.fromkeys(_narrow(files)), MOST_PATTERNS))

    def draw(self, draw: RandomStream, words: WordLists) -> str:
        """The local part of an author, ``first.last`` where no pattern is about such names."""
        first = person(draw, words)
        if not self._narrow:
            return first
        persons = [first, *(person(draw, words) for _ in range(MOST_PERSONS))]
        names = [part for one in persons for part in one.split(".")]
        candidates = [*persons, *names, *(f"{draw.number(10)}{name}" for name in names)]
        return next((one for one in candidates if not self._named(one)), first)

    def _named(self, local: str) -> bool:
        return any(_fits(pieces, local) for pieces in self._narrow)


def _narrow(files: Iterable[bytes]) -> Iterable[tuple[str, ...]]:
    """The patterns of local parts that fit some and not all, each as what stands between its stars."""
    for data in files:
        for line in data.decode("utf-8", "replace").splitlines():
            if "*" in line and not line.lstrip().startswith("#"):
                found = (tuple(text.lower().split("*")) for text in _PATTERN.findall(line))
                yield from (pieces for pieces in found if len(pieces) > 1 and any(pieces))


def _fits(pieces: tuple[str, ...], local: str) -> bool:
    """Whether a text begins and ends as the pattern does, and holds what is between in this order."""
    begins, *between, ends = pieces
    if not (local.startswith(begins) and local.endswith(ends) and len(local) >= len(begins) + len(ends)):
        return False
    at, last = len(begins), len(local) - len(ends)
    for piece in between:
        at = local.find(piece, at, last)
        if at < 0:
            return False
        at += len(piece)
    return True

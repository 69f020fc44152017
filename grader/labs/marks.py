"""Finds what ``smtplab start`` noted in work that was handed in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from grader.labs.handout import Started, noted
from grader.labs.limits import MARK, Budget
from grader.labs.tree import Tree, archives_in, open_archive, opened, shown_source
from grader.model.lab import Lab

if TYPE_CHECKING:
    from grader.labs.parts import Source

LARGEST_MARK = 10_000


def handed_out(lab: Lab, source: Source) -> Started | None:
    """What ``smtplab start`` noted in the work that was handed in, wherever in it that lies.

    Of several notes it is the only one of this lab. ``None`` where there is none, or none can be read; whether the
    submission itself can be is not looked at.
    """
    try:
        where = shown_source(source)
        tree = opened(lab, source, where)
        names = list(tree.names(Budget(lab.submission, where)))
        found = _marks(tree, names)
        if not found and len(packed := archives_in(names)) == 1:
            inner = open_archive(lab, tree, packed[0], where)
            found = _marks(inner, inner.names(Budget(lab.submission, where)))
    except Exception:
        # Whatever ails one hand-in, it stops no class: what is wrong is said where it is read to be graded.
        return None
    mine = [mark for mark in found if mark.lab == lab.id]
    return mine[0] if len(mine) == 1 else found[0] if len(found) == 1 else None


def _marks(tree: Tree, names: Iterable[str]) -> list[Started]:
    """The notes among the names in a tree, each once."""
    found = []
    for name in names:
        if name.rpartition("/")[2] == MARK:
            try:
                mark = noted(tree.data(name, LARGEST_MARK))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue
            if mark not in found:
                found.append(mark)
    return found

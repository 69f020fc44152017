"""Few submissions that stand for many, where each takes a real server and trying all belongs to another command."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

Submitted = TypeVar("Submitted")

ALL = os.environ.get("SMTPLAB_TRUTH") == "all"
"""Whether every submission is graded that takes a server, and not just those that stand for others: ``make truth``."""
EVERY_SO_MANY = 8
"""Of the ways in which a task is done rightly, so many are tried once."""
SHARE = 3
"""Of so many of a lab's own submissions like which others are tried anyway, one is."""


def representatives(
    tried: Sequence[Submitted], loses: Callable[[Submitted], Collection[str]]
) -> list[Submitted]:
    """Some of the right ones, and of the wrong ones each that loses what no earlier one does, in their order.

    ``loses`` gives the checks that one must lose; a right one loses none.
    """
    chosen, right, lost = [], 0, set[str]()
    for one in tried:
        losing = set(loses(one))
        if losing - lost or (not losing and right % EVERY_SO_MANY == 0):
            chosen.append(one)
        right += not losing
        lost |= losing
    return chosen


def share(tried: Sequence[Submitted]) -> list[Submitted]:
    """One in ``SHARE`` of those that others stand for, in their order; all where all are asked for."""
    return list(tried) if ALL else list(tried[::SHARE])

"""Few submissions that stand for many, where each takes a real server and trying all belongs to another command."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

Submitted = TypeVar("Submitted")

EVERY_SO_MANY = 8
"""Of the ways in which a task is done rightly, so many are tried once."""


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

"""Judge functions that a lab names in ``expect.function``, for what the keys of ``expect`` cannot say.

A package brings them by the entry-point group ``smtplab.functions``: each is called as the functions of
``judge.expectations`` are, with the check, its cases and the evidence's index, and gives findings.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grader.kinds.server.judge.expectations import Judgement

GROUP = "smtplab.functions"


@cache
def functions() -> dict[str, Judgement]:
    """All that are installed, by name."""
    from importlib import metadata

    return {entry.name: entry.load() for entry in metadata.entry_points(group=GROUP)}

"""Probes act on a submission and record what happened. They judge nothing.

``conduct`` is imported when it is first used: what needs no machines is examined without it, and must start fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from grader.probes.examine import examine

if TYPE_CHECKING:
    from grader.probes.conducting import conduct

__all__ = ["conduct", "examine"]


def __getattr__(name: str) -> Any:
    if name != "conduct":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module("grader.probes.conducting").conduct

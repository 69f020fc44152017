"""Engines build the student's host and the network around it. ``base`` is the interface; each engine is a folder."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from grader.model.errors import EngineError, UsageError

if TYPE_CHECKING:
    from grader.engines.base import Engine

__all__ = ["AUTO", "ENGINES", "NAMES", "select"]

ENGINES = {
    "local": "grader.engines.local:LocalEngine",
    "docker": "grader.engines.docker:DockerEngine",
}
"""Every engine: what it is called, and its class, imported when it is wanted. ``auto`` tries them in this order."""

AUTO = "auto"
NAMES = (AUTO, *ENGINES)
"""What can be selected."""


def select(name: str) -> Engine:
    """The engine of that name; ``auto`` is the first of ``ENGINES`` that can run here.

    Raises ``EngineError`` naming the one command that fixes the first where ``auto`` finds none, ``UsageError`` for any
    other name. An engine asked for by name is returned whether or not it can run: its ``problems()`` say so.
    """
    if name in ENGINES:
        return _engine(name)
    if name != AUTO:
        raise UsageError(f"there is no engine {name!r}: choose one of {', '.join(NAMES)}")
    first = None
    for engine in map(_engine, ENGINES):
        problems = engine.problems()
        if not problems:
            return engine
        first = first or problems[0]
    assert first is not None
    raise EngineError(f"no engine can run here: {first.what}; fix it with: {first.fix}")


def _engine(name: str) -> Engine:
    module, _, class_ = ENGINES[name].partition(":")
    engine: Engine = getattr(import_module(module), class_)()
    return engine

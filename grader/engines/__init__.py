"""Engines build the student's host and the network around it. ``base`` is the interface; each engine is a module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.model.errors import EngineError, UsageError

if TYPE_CHECKING:
    from grader.engines.base import Engine

__all__ = ["NAMES", "select"]

NAMES = ("auto", "local", "docker")


def select(name: str) -> Engine:
    """The engine of that name; ``auto`` is ``local`` where it can run, else ``docker`` where that can.

    Raises ``EngineError`` naming the one command that fixes it where ``auto`` finds none. An engine asked for by
    name is returned whether or not it can run: its ``problems()`` say so.
    """
    if name == "local":
        return _local()
    if name == "docker":
        return _docker()
    if name != "auto":
        raise UsageError(f"there is no engine {name!r}: choose one of {', '.join(NAMES)}")
    local = _local()
    missing = local.problems()
    if not missing:
        return local
    docker = _docker()
    if not docker.problems():
        return docker
    raise EngineError(f"no engine can run here: {missing[0].what}; fix it with: {missing[0].fix}")


def _local() -> Engine:
    from grader.engines.local import LocalEngine

    return LocalEngine()


def _docker() -> Engine:
    from grader.engines.docker import DockerEngine

    return DockerEngine()

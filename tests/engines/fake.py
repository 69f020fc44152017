"""Channels without machines: they answer by a script, for what real machines do not do on demand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from grader.engines.base import ChannelLost, Pending
from grader.model.protocol import Operation, answer_type, name_of

T = TypeVar("T")
Kind = type[Operation[Any]]


@dataclass(frozen=True)
class Untaken:
    """Stands in a script where nobody takes the request; an exception there is raised for its answer."""


def lost() -> ChannelLost:
    """What a channel raises whose other end is gone."""
    return ChannelLost("the fake ended")


class FakeChannel:
    """Answers each kind of operation by its script: one entry after another, and the last one for ever.

    An entry is the answer, a function of the operation that gives it, an exception that is raised for it, or
    ``Untaken``. Once lost, as a real channel, it stays lost. ``asked`` are the operations so far.
    """

    def __init__(self, script: Mapping[Kind, list[Any]]) -> None:
        self._script = {kind: list(entries) for kind, entries in script.items()}
        self._lost = False
        self.asked: list[Operation[Any]] = []

    def ask(self, operation: Operation[T]) -> Pending[T]:
        """See ``Channel.ask``."""
        if self._lost:
            raise lost()
        self.asked.append(operation)
        entries = self._script[type(operation)]
        entry = entries.pop(0) if len(entries) > 1 else entries[0]
        if isinstance(entry, Untaken):
            self._lost = True
            raise lost()
        return _FakePending(lambda: self._answer(operation, entry))

    def call(self, operation: Operation[T], *, timeout: float) -> T:
        """See ``Channel.call``."""
        return self.ask(operation).answer(timeout=timeout)

    def _answer(self, operation: Operation[Any], entry: Any) -> Any:
        if self._lost:
            raise lost()
        if isinstance(entry, Exception):
            self._lost = isinstance(entry, ChannelLost)
            raise entry
        answer = entry(operation) if callable(entry) else entry
        # What no machine could answer, no script may.
        msgspec.json.decode(msgspec.json.encode(answer), type=answer_type(type(operation)))
        return answer

    def count(self, kind: Kind) -> int:
        """How often this was asked."""
        return sum(isinstance(operation, kind) for operation in self.asked)

    @property
    def ops(self) -> list[str]:
        """The names of what was asked, in order."""
        return [name_of(operation) for operation in self.asked]


@dataclass(frozen=True)
class _FakePending(Generic[T]):
    give: Callable[[], T]

    def answer(self, *, timeout: float) -> T:
        """See ``Pending.answer``."""
        assert timeout >= 0
        return self.give()

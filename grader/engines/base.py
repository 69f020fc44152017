"""The one small interface of all engines.

An engine starts two machines for a plan and gives a channel to each:

- the **host**, where the submission lives; the program behind its channel is ``grader.engines.guest.agent``
- the **world**, everything around it; the program behind its channel is ``grader.world.service``

Both machines speak the same protocol on every engine: one JSON object a line, ``{"op": …, …}`` answered by
``{"ok": true, "value": …}`` or ``{"ok": false, "error": …}``. What is done with them is not the engine's business.
"""

from __future__ import annotations

import os
import select
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

import msgspec

from grader.model.deadline import Deadline
from grader.model.errors import EngineError
from grader.model.plan import MachinePlan

LONGEST_ANSWER = 64 * 1024 * 1024


class ChannelLost(EngineError):
    """The program behind a channel is gone, silent beyond its time, or speaks nonsense."""


class Channel(Protocol):
    """Requests, and their answers in the same order. Two channels can be asked at once and awaited in turn."""

    def ask(self, op: str, **arguments: object) -> None:
        """Send a request and do not wait. Raises ``ChannelLost`` where nobody takes it."""

    def answer(self, *, timeout: float) -> Any:
        """Wait at most ``timeout`` seconds for the value of the oldest request that has no answer yet.

        Raises ``ChannelLost`` where no answer comes, ``EngineError`` where the answer is an error.
        """

    def call(self, op: str, *, timeout: float, **arguments: object) -> Any:
        """``ask`` and ``answer`` in one."""


class LineChannel:
    """A channel over anything that sends bytes and receives some: subclasses give ``_send`` and ``_receive``."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._pending = bytearray()
        self._asked: deque[str] = deque()

    def _send(self, data: bytes) -> None:
        """Write all of ``data``; ``OSError`` where nobody takes it."""
        raise NotImplementedError

    def _receive(self, timeout: float) -> bytes | None:
        """Some bytes within ``timeout`` seconds, ``b""`` at the end, ``None`` when the time is over."""
        raise NotImplementedError

    def ask(self, op: str, **arguments: object) -> None:
        """See ``Channel.ask``."""
        self._asked.append(op)
        try:
            self._send(msgspec.json.encode({"op": op, **arguments}) + b"\n")
        except OSError as error:
            raise ChannelLost(f"the {self._name} is gone before {op!r}: {error.strerror}") from error

    def answer(self, *, timeout: float) -> Any:
        """See ``Channel.answer``."""
        op = self._asked.popleft() if self._asked else ""
        line = self._line(op, Deadline(timeout))
        try:
            answer = msgspec.json.decode(line)
            ok, payload = answer["ok"], answer.get("value", answer.get("error"))
        except (msgspec.DecodeError, KeyError, TypeError, AttributeError) as error:
            raise ChannelLost(f"the {self._name} gave no sense in answer to {op!r}") from error
        if ok is not True:
            raise EngineError(f"the {self._name} could not {op}: {payload}")
        return payload

    def call(self, op: str, *, timeout: float, **arguments: object) -> Any:
        """See ``Channel.call``."""
        self.ask(op, **arguments)
        return self.answer(timeout=timeout)

    def _line(self, op: str, deadline: Deadline) -> bytes:
        searched = 0
        while (end := self._pending.find(b"\n", searched)) < 0:
            searched = len(self._pending)
            if searched > LONGEST_ANSWER:
                raise ChannelLost(f"the {self._name} said too much in answer to {op!r}")
            chunk = self._receive(deadline.left)
            if chunk is None:
                raise ChannelLost(f"the {self._name} gave no answer to {op!r} in time")
            if not chunk:
                raise ChannelLost(f"the {self._name} ended during {op!r}")
            self._pending += chunk
        line = bytes(self._pending[:end])
        del self._pending[: end + 1]
        return line


class StreamChannel(LineChannel):
    """A channel over a pair of pipes, or a socket's two ends."""

    def __init__(self, name: str, requests: BinaryIO, answers: BinaryIO) -> None:
        super().__init__(name)
        self._requests = requests
        self._answers = answers

    def _send(self, data: bytes) -> None:
        self._requests.write(data)
        self._requests.flush()

    def _receive(self, timeout: float) -> bytes | None:
        if not select.select([self._answers], [], [], timeout)[0]:
            return None
        return os.read(self._answers.fileno(), 1 << 20)


@dataclass(frozen=True)
class Machines:
    """The two machines of a run, up and reachable from each other."""

    host: Channel
    world: Channel


@dataclass(frozen=True)
class Problem:
    """Something that keeps an engine from running: what it is, and the exact command that fixes it."""

    what: str
    fix: str


Progress = Callable[[str], None]


class Engine(Protocol):
    """What an engine can do. ``name`` is ``local`` or ``docker``."""

    name: str

    def problems(self) -> list[Problem]:
        """What is missing before it can run here; empty when it can. Quick, changes nothing."""

    def image(self, progress: Progress) -> str:
        """Build the image unless it is there, telling ``progress`` each step; its digest (``sha256:…``)."""

    def prepared(self) -> AbstractContextManager[None]:
        """Begin what one run needs whatever its plan will be; on leaving, take down what no run has made use of."""

    def machines(self, plan: MachinePlan) -> AbstractContextManager[Machines]:
        """Start both machines with the plan's addresses and limits; on leaving, whatever happens, remove them."""

    def clean(self) -> list[str]:
        """Remove what a killed run left behind; a line for each thing removed."""

"""The one small interface of all engines.

An engine starts two machines for a plan and gives a channel to each:

- the **host**, where the submission lives; the program behind its channel is ``grader.engines.guest``
- the **world**, everything around it; the program behind its channel is ``grader.world.service``

What can be asked of them is the same on every engine: see ``grader.model.protocol``. What is done with them is not the
engine's business.
"""

from __future__ import annotations

import os
import select
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache
from typing import Any, BinaryIO, Generic, Protocol, TypeVar

import msgspec
from msgspec import UNSET, Struct

from grader.model.deadline import Deadline
from grader.model.errors import EngineError
from grader.model.plan import MachinePlan
from grader.model.protocol import Operation, Told, answer_type, name_of
from grader.model.protocol.host import Begin, Install, StartServices

EARLY_SECONDS = 20.0
"""How long a host that was built just now may take to answer."""

LONGEST_ANSWER = 64 * 1024 * 1024
PIECE = 64 * 1024
"""Octets that are read at once, as many as a pipe holds."""

_REQUESTS = msgspec.json.Encoder()

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class ChannelLost(EngineError):
    """The program behind a channel is gone, silent beyond its time, or speaks nonsense."""


class ChannelEnded(ChannelLost):
    """The program behind a channel is gone."""


class RequestFailed(EngineError):
    """The program behind a channel says that it could not do what it was asked."""


class MachineBroken(RequestFailed):
    """A request failed because the machine is not as it was to be built, or cannot be asked that."""


class Pending(Protocol[T_co]):
    """A request that was sent and whose answer, a ``T_co``, is still to be read."""

    def answer(self, *, timeout: float) -> T_co:
        """Wait at most ``timeout`` seconds for the answer.

        Raises ``ChannelLost`` where none comes or it is no ``T_co``, ``RequestFailed`` where it is an error.
        """


class Channel(Protocol):
    """Requests, and their answers in the same order. Two channels can be asked at once and awaited in turn."""

    def ask(self, operation: Operation[T]) -> Pending[T]:
        """Send a request and do not wait. Raises ``ChannelLost`` where nobody takes it."""

    def call(self, operation: Operation[T], *, timeout: float) -> T:
        """Ask, and wait for the answer; see ``Pending.answer``."""


class HostFailed(Exception):
    """The student's host does not do what it was asked: evidence about the host, and never the grader's own error.

    ``lost`` says that it will not answer any more at all, ``ended`` that it is gone.
    """

    def __init__(self, error: EngineError) -> None:
        super().__init__(str(error))
        self.lost = isinstance(error, ChannelLost)
        self.ended = isinstance(error, ChannelEnded)


class HostChannel:
    """The channel to a host once both machines stand: all that goes wrong is a ``HostFailed``.

    But a machine that was not built right is a ``MachineBroken``, which is the engine's.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def ask(self, operation: Operation[T]) -> Pending[T]:
        """See ``Channel.ask``. Raises ``HostFailed``."""
        try:
            return _HostPending(self._channel.ask(operation))
        except ChannelLost as error:
            raise HostFailed(error) from error

    def call(self, operation: Operation[T], *, timeout: float) -> T:
        """See ``Channel.call``. Raises ``HostFailed``, ``MachineBroken``."""
        return self.ask(operation).answer(timeout=timeout)


class _HostPending(Struct, Generic[T_co], frozen=True):
    pending: Pending[T_co]

    def answer(self, *, timeout: float) -> T_co:
        try:
            return self.pending.answer(timeout=timeout)
        except MachineBroken:
            raise
        except (ChannelLost, RequestFailed) as error:
            raise HostFailed(error) from error


class LineChannel:
    """A channel over anything that sends bytes and receives some: subclasses give ``_send`` and ``_receive``.

    Once lost it stays lost: a late answer is never taken for that to a later request.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._pending = bytearray()
        self._asked: deque[_Asked[Any]] = deque()
        self._lost: ChannelLost | None = None

    def _send(self, data: bytes) -> None:
        """Write all of ``data``; ``OSError`` where nobody takes it."""
        raise NotImplementedError

    def _receive(self, timeout: float) -> bytes | None:
        """Some bytes within ``timeout`` seconds, ``b""`` at the end, ``None`` when the time is over."""
        raise NotImplementedError

    def ask(self, operation: Operation[T]) -> Pending[T]:
        """See ``Channel.ask``."""
        op = name_of(operation)
        if self._lost:
            raise type(self._lost)(str(self._lost))
        asked: _Asked[T] = _Asked(self._answer, op, answer_type(type(operation)))
        self._asked.append(asked)
        try:
            self._send(_REQUESTS.encode_lines([operation]))
        except OSError as error:
            self._lost = ChannelEnded(f"the {self._name} is gone before {op!r}: {error.strerror}")
            raise self._lost from error
        return asked

    def call(self, operation: Operation[T], *, timeout: float) -> T:
        """See ``Channel.call``."""
        return self.ask(operation).answer(timeout=timeout)

    def _answer(self, asked: _Asked[Any], timeout: float) -> Any:
        assert asked is self._asked.popleft(), "answers are awaited in the order of their requests"
        if self._lost:
            raise type(self._lost)(str(self._lost))
        try:
            return self._read(asked.op, asked.type, timeout)
        except ChannelLost as lost:
            self._lost = lost
            raise

    def _read(self, op: str, type_: Any, timeout: float) -> Any:
        """The next answer, as one to ``op``."""
        line = self._line(op, Deadline(timeout))
        try:
            told = _answers(type_).decode(line)
            value = (
                told.value if told.value is not UNSET else msgspec.convert(None, type_) if told.ok else None
            )
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ChannelLost(f"the {self._name} gave no sense in answer to {op!r}: {error}") from error
        if not told.ok:
            kind = MachineBroken if told.broken else RequestFailed
            raise kind(f"the {self._name} could not {op}: {told.error}")
        return value

    def _line(self, op: str, deadline: Deadline) -> bytearray:
        searched = 0
        while (end := self._pending.find(b"\n", searched)) < 0:
            searched = len(self._pending)
            if searched > LONGEST_ANSWER:
                raise ChannelLost(f"the {self._name} said too much in answer to {op!r}")
            chunk = self._receive(deadline.left)
            if chunk is None:
                raise ChannelLost(f"the {self._name} gave no answer to {op!r} in time")
            if not chunk:
                raise ChannelEnded(f"the {self._name} ended during {op!r}")
            self._pending += chunk
        if end + 1 == len(self._pending):
            # Nearly always: answers may have hundreds of thousands of octets, of which no copy is made.
            line, self._pending = self._pending, bytearray()
            del line[end:]
        else:
            line = self._pending[:end]
            del self._pending[: end + 1]
        return line


@cache
def _answers(type_: Any) -> msgspec.json.Decoder[Told[Any]]:
    """What reads answers with a value of this type."""
    return msgspec.json.Decoder(Told[type_])


class _Asked(Struct, Generic[T], eq=False, frozen=True):
    """A request to a ``LineChannel``."""

    read: Callable[[_Asked[Any], float], Any]
    op: str
    type: Any

    def answer(self, *, timeout: float) -> T:
        value: T = self.read(self, timeout)
        return value


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
        return os.read(self._answers.fileno(), PIECE)


class Machines(Struct, frozen=True):
    """The two machines of a run, up and reachable from each other."""

    host: Channel
    world: Channel


class Early:
    """What can be done on a host before its run, whose plan will be like this one."""

    def __init__(self, host: Channel, like: MachinePlan) -> None:
        """Ask for it, and do not wait. Raises ``ChannelLost``."""
        self._host = host
        self._asked: list[Pending[Any]] = []
        if services := like.host.early:
            self._asked.append(host.ask(Install(like.host.provided)))
            self._asked.append(host.ask(StartServices(services, like.host.config_dir, EARLY_SECONDS)))

    def begin_run(self) -> None:
        """Begin the run, and see that the host lives and has done what it was asked. Raises ``EngineError``.

        Of one that died waiting, its student would be told that the submission had ended it.
        """
        for pending in self._asked:
            pending.answer(timeout=EARLY_SECONDS)
        self._host.call(Begin(), timeout=EARLY_SECONDS)


class Problem(Struct, frozen=True):
    """Something that keeps an engine from running: what it is, and the exact command that fixes it."""

    what: str
    fix: str


Progress = Callable[[str], None]


class Engine(Protocol):
    """What an engine can do. ``name`` is ``local`` or ``docker``."""

    name: str

    def problems(self, *, thorough: bool = False) -> list[Problem]:
        """What is missing before it can run here; empty when it can. Quick, changes nothing.

        ``thorough`` tries also what a machine on which it has run before is not asked for again.
        """

    def image(self, progress: Progress) -> str:
        """Build the image unless it is there, telling ``progress`` each step; its digest (``sha256:…``)."""

    def prepared(
        self, like: MachinePlan | None = None, *, soon: bool = False
    ) -> AbstractContextManager[None]:
        """Begin what one run needs whatever its plan will be; on leaving, take down what no run has made use of.

        With a plan ``like`` that of the run, both machines are built meanwhile. The first run takes them, where its
        plan is ``machine.alike``; where it is not, or they have not lasted, it gets others. ``soon`` says that the run
        follows at once: nothing is made to last, or started before it begins. A run begins to take its
        machines down when it ends, and that they are gone is awaited on leaving. Where something is prepared already,
        that will do. Raises no ``EngineError``: what cannot be prepared, the run itself will tell.
        """

    def make_ready(self) -> None:
        """Import what every run takes: for a process that many runs are made in forks of."""

    def machines(self, plan: MachinePlan) -> AbstractContextManager[Machines]:
        """Start both machines with the plan's addresses and limits; on leaving, whatever happens, remove them."""

    def clean(self) -> list[str]:
        """Remove what a killed run left behind; a line for each thing removed."""

"""Answers requests about the world: the operations of ``grader.model.protocol.world``.

Whatever goes wrong is answered with one sentence; the service ends when its requests do.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import select
import socket
import time
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

from grader.display.jsontext import line as json_line
from grader.model.deadline import Deadline
from grader.model.dns import KeyAnswer
from grader.model.errors import EngineError, SmtplabError
from grader.model.plan import WorldSpec
from grader.model.protocol.world import (
    Answer,
    AwaitPorts,
    Dial,
    Encrypt,
    Finish,
    HangUp,
    ListArrivals,
    Probe,
    Probed,
    ResolveKeys,
    Say,
    StartWorld,
    WorldOperation,
    WorldRecord,
)
from grader.world.conversation import Conversations
from grader.world.dns.nameserver import Nameserver
from grader.world.dns.zones import Zones
from grader.world.link import connected
from grader.world.peers import Peers
from grader.world.prober import Prober
from grader.world.tls import Contexts, usual

if TYPE_CHECKING:
    from grader.world.submission_server.servers import SubmissionServers

LONGEST_REQUEST = 64 * 1024 * 1024
LIBRARIES_THAT_LOG = ("mail.log", "mail.debug")
"""aiosmtpd logs what clients do."""

FIRST_POLL_SECONDS = 0.005
SLOWEST_POLL_SECONDS = 0.05


_REQUEST: msgspec.json.Decoder[WorldOperation] = msgspec.json.Decoder(WorldOperation)


class World:
    """The world once it has started."""

    def __init__(self, spec: WorldSpec) -> None:
        began = time.monotonic_ns()

        def clock() -> float:
            # To round a float takes several times as long as all of this.
            return (time.monotonic_ns() - began) // 100_000 / 10

        zones = Zones(spec.zones)
        self.peers = Peers(spec.peers, clock)
        self.nameserver = Nameserver(zones, clock, self.peers.turns)
        contexts = Contexts(spec)
        self.prober = Prober(
            contexts, clock, zones.name_of, lambda: self.peers.mail.through, send_on=self.peers.take_by_hand
        )
        self.conversations = Conversations(contexts, clock)
        self.nameserver_address = spec.nameserver
        self.root_addresses = spec.roots
        self.submission: SubmissionServers | None = None
        if spec.submission:
            from grader.world.submission_server.servers import SubmissionServers

            self.submission = SubmissionServers(spec, self.peers, clock)

    async def start(self) -> None:
        """Open every socket that answers. A world without a nameserver's address has no DNS."""
        if self.nameserver_address:
            for address in (self.nameserver_address, *self.root_addresses):
                await self.nameserver.start(address)
        await self.peers.start()
        if self.submission is not None:
            await self.submission.start()

    def record(self) -> WorldRecord:
        """Everything that it has seen."""
        submission = self.submission
        return WorldRecord(
            arrivals=self.peers.mail.arrivals,
            outside=self.peers.mail.record(),
            queries=self.nameserver.queries,
            notes=[*self.nameserver.notes, *(submission.notes if submission else [])],
            submissions=submission.sessions() if submission else {},
            submitted=submission.mail if submission else [],
        )

    def stop(self) -> None:
        """Close them."""
        self.conversations.stop()
        self.nameserver.stop()
        self.peers.stop()
        if self.submission is not None:
            self.submission.stop()


class Service:
    """Takes requests and gives values."""

    def __init__(self) -> None:
        self._world: World | None = None

    async def answer(self, line: bytes) -> bytes:
        """The answer to one line, which is one too."""
        try:
            value = await self._value(_REQUEST.decode(line))
        except msgspec.ValidationError as error:
            return _failure(f"the request makes no sense: {error}")
        except (msgspec.DecodeError, RecursionError) as error:
            return _failure(f"the request is no JSON: {error}")
        except (SmtplabError, OSError) as error:
            return _failure(str(error))
        except Exception as error:
            logging.getLogger(__name__).exception("a request failed")
            return _failure(f"the world broke: {type(error).__name__}: {error}")
        return json_line({"ok": True, "value": value})

    def stop(self) -> None:
        """End what was started."""
        if self._world is not None:
            self._world.stop()

    async def _value(self, request: WorldOperation) -> object:
        if isinstance(request, AwaitPorts):
            return await listening(request)
        if isinstance(request, StartWorld):
            if self._world is not None:
                raise EngineError("the world has already started")
            self._world = World(request.world)
            await self._world.start()
            return None
        world = self._world
        if world is None:
            raise EngineError("the world has not started yet")
        if isinstance(request, Probe):
            world.peers.mail.expect([*request.attempts, *request.besides])
            if request.afresh:
                world.prober.begin_afresh()
            if request.doomed:
                world.prober.expect_silence()
            sessions, outcomes = await world.prober.probe(
                request.attempts, request.seconds, request.greeting, request.besides
            )
            return Probed(sessions, outcomes)
        if isinstance(request, ListArrivals):
            return sorted(world.peers.mail.tokens)
        if isinstance(request, ResolveKeys):
            return await _resolve(world.nameserver_address, request.names)
        if isinstance(request, Finish):
            return world.record()
        return await _converse(world.conversations, request)


async def _resolve(server: str, names: list[str]) -> list[KeyAnswer]:
    # Only labs about signatures ask, and the others' runs need not wait for the import.
    from grader.world.dns.asking import ask

    return await ask(server, names)


async def _converse(among: Conversations, request: Dial | Say | Encrypt | HangUp) -> Answer | None:
    id_ = request.conversation
    match request:
        case Dial(_, source, server, port, tls, name, seconds):
            return await among.dial(id_, source, server, port, tls, name, seconds)
        case Say(_, data, replies, seconds, closes):
            return await among.say(id_, data, replies, closes, seconds)
        case Encrypt(_, name, seconds):
            return await among.encrypt(id_, name, seconds)
        case _:
            among.hang_up(id_)
            return None


async def listening(request: AwaitPorts) -> list[int]:
    """The ports that take a connection, once those of ``wait_for`` do or the time is over."""
    deadline, pause = Deadline(request.seconds), FIRST_POLL_SECONDS
    while True:
        left = max(deadline.left, SLOWEST_POLL_SECONDS)
        taken = await asyncio.gather(*(_takes(request.server, port, left) for port in request.ports))
        found = [port for port, open_ in zip(request.ports, taken, strict=True) if open_]
        if set(request.wait_for) <= set(found) or deadline.over:
            return found
        await asyncio.sleep(min(pause, deadline.left))
        pause = min(pause * 1.5, SLOWEST_POLL_SECONDS)


async def _takes(server: str, port: int, seconds: float) -> bool:
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.setblocking(False)
        try:
            if not connected(connection, (server, port)):
                async with asyncio.timeout(seconds):
                    await asyncio.get_running_loop().sock_connect(connection, (server, port))
        except (OSError, TimeoutError):
            return False
    return True


def _failure(sentence: str) -> bytes:
    return json_line({"ok": False, "error": sentence})


class _Requests(asyncio.Protocol):
    """Cuts the stream of requests into lines."""

    def __init__(self) -> None:
        self.lines: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._parts: list[bytes] = []
        self._length = 0

    def data_received(self, data: bytes) -> None:
        *lines, rest = data.split(b"\n")
        for line in lines:
            self.lines.put_nowait(b"".join((*self._parts, line)))
            self._parts, self._length = [], 0
        self._length += len(rest)
        if self._length > LONGEST_REQUEST:
            self.lines.put_nowait(None)
        elif rest:
            self._parts.append(rest)

    def connection_lost(self, error: Exception | None) -> None:
        self.lines.put_nowait(None)


async def _serve(requests: BinaryIO, answers: int) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_note)
    transport, protocol = await loop.connect_read_pipe(_Requests, requests)
    service = Service()
    answering = loop.create_task(_answer_all(service, protocol.lines, answers))
    try:
        await answering
    finally:
        service.stop()
        transport.close()


async def _answer_all(service: Service, lines: asyncio.Queue[bytes | None], answers: int) -> None:
    while (line := await lines.get()) is not None:
        _write(answers, await service.answer(line))


def _note(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A connection that breaks is nothing to speak of; anything else is a fault of the world's own."""
    error = context.get("exception")
    if not isinstance(error, OSError):
        logging.getLogger(__name__).error("%s", context.get("message"), exc_info=error)


def _write(file: int, data: bytes) -> None:
    """Write all of it. The file may be the other end of the requests' socket and so not block."""
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(file, rest) :]
        except BlockingIOError:
            select.select([], [file], [])


def prepare(ca: bytes) -> None:
    """For a process whose forks will be worlds of this authority (PEM): what each would else set up for itself."""
    usual(ca, named=True)


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until they end, or until nobody takes the answers."""
    for name in LIBRARIES_THAT_LOG:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        asyncio.run(_serve(requests, answers.fileno()))

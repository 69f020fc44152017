"""The service behind its two streams, as a process of its own and as a thread."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec
import pytest

import grader
from grader.engines.base import StreamChannel
from grader.model.errors import EngineError
from grader.model.plan import Peer
from grader.model.protocol import Operation
from grader.model.protocol.world import AwaitPorts, Finish, ListArrivals, Probe, StartWorld
from grader.world.service import serve
from tests.conftest import PATIENCE
from tests.world.bed import OWN, attempt, spec

PORT = 25025
WORLD = spec(peers=[Peer("mx.elsewhere.example", [OWN], PORT)])


@pytest.fixture
def channel() -> Iterator[StreamChannel]:
    """A channel to a service in a thread."""
    requests_out, requests_in = os.pipe()
    answers_out, answers_in = os.pipe()
    files: list[BinaryIO] = [os.fdopen(requests_out, "rb"), os.fdopen(answers_in, "wb")]
    service = threading.Thread(target=serve, args=files)
    service.start()
    with os.fdopen(requests_in, "wb") as requests, os.fdopen(answers_out, "rb") as answers:
        yield StreamChannel("world", requests, answers)
        requests.close()
        service.join(PATIENCE)
        assert not service.is_alive(), "the end of its requests ends the service"
    for file in files:
        file.close()


def test_a_whole_run(channel: StreamChannel) -> None:
    wanted = attempt(server=OWN, port=PORT)
    channel.call(StartWorld(WORLD), timeout=PATIENCE)
    ports = [PORT, PORT + 1]
    assert channel.call(AwaitPorts(OWN, ports, PATIENCE / 2, wait_for=[PORT]), timeout=PATIENCE) == [PORT]
    probed = channel.call(Probe([wanted], PATIENCE / 2), timeout=PATIENCE)
    (session,), (outcome,) = probed.sessions, probed.outcomes
    assert (outcome.stage, outcome.session, session.end) == ("accepted", session.id, "quit")
    assert channel.call(ListArrivals(), timeout=PATIENCE) == [wanted.token]
    last = channel.call(Finish(), timeout=PATIENCE)
    (arrival,) = last.arrivals
    assert arrival.attempts == [wanted.id]
    assert arrival.raw == wanted.message
    assert 0 <= session.lines[0].at <= arrival.at
    assert (last.queries, last.notes) == ([], [])


def test_listening_waits_no_longer_than_told(channel: StreamChannel) -> None:
    assert channel.call(AwaitPorts(OWN, [1], 0.1, wait_for=[1]), timeout=PATIENCE) == []


class Dance(Operation[None], frozen=True, tag="dance"):
    """What the world cannot do."""


class HalfAProbe(Operation[None], frozen=True, tag="probe"):
    """A request with a field missing."""

    attempts: list[str]


@pytest.mark.parametrize(
    ("operation", "sentence"),
    [
        (Dance(), "the request makes no sense"),
        (HalfAProbe([]), "the request makes no sense"),
        (ListArrivals(), "the world has not started yet"),
        (
            StartWorld(spec(peers=[Peer("mx", ["203.0.113.99"], PORT)])),
            "the world cannot take mail at 203.0.113.99",
        ),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    channel: StreamChannel, operation: Operation[object], sentence: str
) -> None:
    with pytest.raises(EngineError, match=sentence):
        channel.call(operation, timeout=PATIENCE)
    assert channel.call(AwaitPorts(OWN, [], 0), timeout=PATIENCE) == [], "and it goes on"


def test_a_request_may_come_in_pieces_and_many_at_once(channel: StreamChannel) -> None:
    request = msgspec.json.encode(AwaitPorts(OWN, [], 0)) + b"\n"
    for piece in (request[:7], request[7:] + request + request[:3], request[3:]):
        channel._send(piece)
    assert [channel._read("listening", list[int], PATIENCE) for _ in range(3)] == [[], [], []]


def test_rubbish_is_answered(channel: StreamChannel) -> None:
    channel._send(b"\xff{\n")
    with pytest.raises(EngineError, match="the request is no JSON"):
        channel._read("?", None, PATIENCE)


def test_as_a_program_it_prints_answers_alone_and_ends_with_its_requests() -> None:
    root = Path(grader.__file__).parent.parent
    request = msgspec.json.encode(StartWorld(spec()))
    done = subprocess.run(
        [sys.executable, "-m", "grader.world"],
        input=request + b"\n",
        capture_output=True,
        cwd=root,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == b'{"ok":true,"value":null}\n'

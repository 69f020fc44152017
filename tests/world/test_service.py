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
from grader.model.traffic import Arrival, Outcome, Session
from grader.world.service import serve
from tests.world.bed import SERVER, attempt, spec

PORT = 25025
WORLD = spec(peers=[Peer("mx.elsewhere.example", [SERVER], PORT)])


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
        service.join(5)
        assert not service.is_alive(), "the end of its requests ends the service"
    for file in files:
        file.close()


def test_a_whole_run(channel: StreamChannel) -> None:
    wanted = attempt(port=PORT)
    assert channel.call("start", world=WORLD, timeout=5) == {}
    ports = [PORT, PORT + 1]
    assert channel.call("listening", server=SERVER, ports=ports, wait_for=[PORT], seconds=5, timeout=6) == [
        PORT
    ]
    answer = channel.call("probe", attempts=[wanted], seconds=10, timeout=11)
    (session,), (outcome,) = (
        msgspec.convert(answer["sessions"], list[Session]),
        msgspec.convert(answer["outcomes"], list[Outcome]),
    )
    assert (outcome.stage, outcome.session, session.end) == ("accepted", session.id, "quit")
    assert channel.call("arrivals", timeout=5) == {"tokens": [wanted.token]}
    last = channel.call("finish", timeout=5)
    (arrival,) = msgspec.convert(last["arrivals"], list[Arrival])
    assert arrival.attempts == [wanted.id]
    assert arrival.raw == wanted.message
    assert 0 <= session.lines[0].at <= arrival.at
    assert (last["queries"], last["notes"]) == ([], [])


def test_listening_waits_no_longer_than_told(channel: StreamChannel) -> None:
    assert channel.call("listening", server=SERVER, ports=[1], wait_for=[1], seconds=0.1, timeout=2) == []


@pytest.mark.parametrize(
    ("op", "arguments", "sentence"),
    [
        ("dance", {}, "the request makes no sense"),
        ("probe", {"attempts": []}, "the request makes no sense"),
        ("arrivals", {}, "the world has not started yet"),
        (
            "start",
            {"world": spec(peers=[Peer("mx", ["203.0.113.99"], PORT)])},
            "the world cannot take mail at 203.0.113.99",
        ),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    channel: StreamChannel, op: str, arguments: dict[str, object], sentence: str
) -> None:
    with pytest.raises(EngineError, match=sentence):
        channel.call(op, timeout=5, **arguments)
    assert channel.call("listening", server=SERVER, ports=[], seconds=0, timeout=2) == [], "and it goes on"


def test_a_request_may_come_in_pieces_and_many_at_once(channel: StreamChannel) -> None:
    request = msgspec.json.encode({"op": "listening", "server": SERVER, "ports": [], "seconds": 0}) + b"\n"
    for piece in (request[:7], request[7:] + request + request[:3], request[3:]):
        channel._send(piece)
    assert [channel.answer(timeout=5) for _ in range(3)] == [[], [], []]


def test_rubbish_is_answered(channel: StreamChannel) -> None:
    channel._send(b"\xff{\n")
    with pytest.raises(EngineError, match="the request is no JSON"):
        channel.answer(timeout=5)


def test_as_a_program_it_prints_answers_alone_and_ends_with_its_requests() -> None:
    root = Path(grader.__file__).parent.parent
    request = msgspec.json.encode({"op": "start", "world": spec()})
    done = subprocess.run(
        [sys.executable, "-m", "grader.world"],
        input=request + b"\n",
        capture_output=True,
        cwd=root,
        timeout=20,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == b'{"ok":true,"value":{}}\n'

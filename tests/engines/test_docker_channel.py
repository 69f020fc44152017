"""The frames of Docker's attach protocol become lines again, however they are cut."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.engines.base import ChannelLost
from grader.engines.docker.channel import AttachChannel, transport
from grader.model.deadline import Deadline
from grader.model.errors import EngineError
from grader.model.plan import File
from grader.model.protocol import Operation
from grader.model.protocol.host import Install

Ends = tuple[AttachChannel, socket.socket]


def frame(stream: int, data: bytes) -> bytes:
    """A frame: 1 is standard output, 2 standard error."""
    return struct.pack(">BxxxI", stream, len(data)) + data


class Queue(Operation[list[int]], frozen=True, tag="queue"):
    """A request whose answer is a list of numbers."""


class Scripted:
    """A transport that gives these bytes, read by read."""

    def __init__(self, reads: list[bytes]) -> None:
        self._reads = iter(reads)

    def send(self, data: bytes) -> None:
        """Nobody listens."""

    def receive(self, timeout: float) -> bytes | None:
        """The next bytes of the script."""
        return next(self._reads, b"")

    def close(self) -> None:
        """Nothing is held."""


@pytest.fixture
def ends() -> Iterator[Ends]:
    """A channel, and the container's end of it."""
    near, far = socket.socketpair()
    channel = AttachChannel("host", transport(near))
    with far:
        yield channel, far
    channel.close()


@given(
    lines=st.lists(st.binary(max_size=40).map(lambda data: data.replace(b"\n", b"")), min_size=1, max_size=6),
    cuts=st.lists(st.integers(1, 30), min_size=1, max_size=10),
    noise=st.binary(max_size=20),
)
def test_lines_are_the_same_however_frames_and_reads_are_cut(
    lines: list[bytes], cuts: list[int], noise: bytes
) -> None:
    wire, text, at = b"", b"".join(line + b"\n" for line in lines), 0
    while at < len(text):
        size = cuts[at % len(cuts)]
        wire += frame(2, noise) + frame(1, text[at : at + size])
        at += size
    reads = [wire[start : start + cuts[0]] for start in range(0, len(wire), cuts[0])]
    channel = AttachChannel("host", Scripted(reads))
    got = [channel.read_line(Deadline(5)) for _ in lines]
    assert got == [line.decode(errors="backslashreplace") for line in lines]


def test_a_call_is_answered(ends: Ends) -> None:
    channel, far = ends
    far.sendall(frame(1, b'{"ok": true, "value": [1]}\n'))
    assert channel.call(Queue(), timeout=5) == [1]
    assert far.recv(100) == b'{"op":"queue"}\n'


def test_an_error_is_told(ends: Ends) -> None:
    channel, far = ends
    far.sendall(frame(1, b'{"ok": false, "error": "no such file"}\n'))
    with pytest.raises(EngineError, match="could not queue: no such file"):
        channel.call(Queue(), timeout=5)


def test_silence_ends_with_the_deadline(ends: Ends) -> None:
    channel, far = ends
    far.sendall(frame(1, b'{"ok": tr') + frame(2, b"still thinking"))
    with pytest.raises(ChannelLost, match="gave no answer to 'queue' in time"):
        channel.call(Queue(), timeout=0.05)


def test_the_last_words_of_a_lost_program_are_told(ends: Ends) -> None:
    channel, far = ends
    far.sendall(frame(2, b"Traceback ...\nMemoryError\n"))
    far.shutdown(socket.SHUT_WR)
    with pytest.raises(ChannelLost, match=r"ended during 'queue': Traceback \.\.\. MemoryError"):
        channel.call(Queue(), timeout=5)


def test_a_request_to_nobody_is_a_lost_channel(ends: Ends) -> None:
    channel, far = ends
    far.close()
    with pytest.raises(ChannelLost, match="host is gone before 'install'"):
        channel.ask(Install([File("/x", b"x" * 1_000_000)]))

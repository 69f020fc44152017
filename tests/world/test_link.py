"""A connection's octets go out whole and in order, whatever room there is for them, and its end is told once."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from grader.world.link import Link, connected
from tests.conftest import PATIENCE

Pair = tuple[socket.socket, socket.socket]
LARGE = bytes(range(256)) * 40_000


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Both ends of a TCP connection, ours not blocking."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        theirs, _ = server.accept()
    ours.setblocking(False)
    with ours, theirs:
        theirs.settimeout(PATIENCE)
        yield ours, theirs


def everything(theirs: socket.socket) -> bytes:
    said = bytearray()
    while data := theirs.recv(65_536):
        said += data
    return bytes(said)


def test_what_was_sent_before_hanging_up_still_arrives_whole(pair: Pair) -> None:
    ours, theirs = pair

    async def talk() -> bytes:
        link = Link(ours, lambda _: None, lambda _: None)
        link.send(LARGE)
        link.send(b"the end")
        link.close()
        link.send(b"never said")
        return await asyncio.to_thread(everything, theirs)

    assert asyncio.run(talk()) == LARGE + b"the end"
    assert ours.fileno() == -1


def test_whoever_hangs_up_at_once_sends_no_more(pair: Pair) -> None:
    ours, theirs = pair

    async def talk() -> None:
        link = Link(ours, lambda _: None, lambda _: None)
        link.send(LARGE)
        link.abort()

    asyncio.run(talk())
    assert ours.fileno() == -1
    assert len(everything(theirs)) < len(LARGE)


@pytest.mark.parametrize("reset", [False, True])
def test_the_end_is_told_once(pair: Pair, reset: bool) -> None:
    ours, theirs = pair
    heard: list[bytes] = []

    async def talk() -> list[OSError | None]:
        ends: asyncio.Queue[OSError | None] = asyncio.Queue()
        link = Link(ours, heard.append, ends.put_nowait)
        if reset:
            # Octets that nobody has read make the kernel break the connection instead of ending it.
            ours.send(b"QUIT\r\n")
        else:
            theirs.sendall(b"220 here\r\n")
        theirs.close()
        told = [await asyncio.wait_for(ends.get(), PATIENCE)]
        link.send(b"more")
        link.close()
        await asyncio.sleep(0)
        return told + [ends.get_nowait() for _ in range(ends.qsize())]

    ends = asyncio.run(talk())
    assert len(ends) == 1
    assert isinstance(ends[0], ConnectionResetError) if reset else ends[0] is None
    assert heard == ([] if reset else [b"220 here\r\n"])


def test_whoever_is_near_is_connected_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as ours:
        ours.setblocking(False)
        assert connected(ours, server.getsockname())
        assert ours.getpeername() == server.getsockname()


def test_where_nobody_listens_is_told_at_once() -> None:
    with socket.socket() as nobody, socket.socket() as ours:
        nobody.bind(("127.0.0.1", 0))
        ours.setblocking(False)
        with pytest.raises(ConnectionRefusedError):
            connected(ours, nobody.getsockname())


def test_whoever_does_not_answer_yet_is_waited_for() -> None:
    """The kernel answers nobody for a listener whose queue is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        others = [socket.socket() for _ in range(5)]
        for one in others:
            one.setblocking(False)
        try:
            assert [connected(one, server.getsockname()) for one in others][-1] is False
        finally:
            for one in others:
                one.close()

"""The world's nameserver on the loopback interface, for labs that need nothing else of the world."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import NamedTuple

from grader.formats.dns.library import dns
from grader.formats.dns.masterfile import ZoneFile
from grader.model.errors import EngineError
from grader.world.dns.answers import Answers
from grader.world.dns.zones import Zones

ADDRESS = "127.0.0.1"
LARGEST_QUERY = 65_535
TCP_SECONDS = 10.0
"""How long a client may be silent: it is a thread of this process, and a busy machine lets it wait."""
TRIES = 20
"""UDP and TCP must share a port, and the system picks it for UDP alone: somebody may hold its twin."""


class Served(NamedTuple):
    """A nameserver that runs, and where."""

    nameserver: Answers
    address: str
    port: int


def zones_of(files: dict[str, ZoneFile]) -> Zones:
    """Zones by origin, as they were read, for the nameserver."""
    zones = Zones([])
    for origin, file in files.items():
        labels = filter(None, dns.name.from_text(origin).labels)
        zones.hold(tuple(labels), [record.on_the_wire() for record in file.served])
    return zones


@contextmanager
def served(zones: Zones, *, kind: type[Answers] = Answers) -> Iterator[Served]:
    """Answer for the zones over UDP and TCP, in a thread, until the context ends. Raises ``EngineError``."""
    nameserver = kind(zones, _clock())
    with ExitStack() as stack:
        udp, tcp = _sockets(stack)
        wake, woken = socket.socketpair()
        stack.enter_context(wake)
        stack.enter_context(woken)
        thread = threading.Thread(
            target=_serve, args=(nameserver, udp, tcp, woken), name="nameserver", daemon=True
        )
        thread.start()
        try:
            yield Served(nameserver, ADDRESS, udp.getsockname()[1])
        finally:
            wake.close()
            thread.join()


def _sockets(stack: ExitStack) -> tuple[socket.socket, socket.socket]:
    """A socket for datagrams and one for connections, on the same port."""
    for attempt in range(TRIES):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind((ADDRESS, 0))
            tcp = socket.create_server((ADDRESS, udp.getsockname()[1]))
        except OSError as error:
            udp.close()
            if attempt == TRIES - 1:
                raise EngineError(f"DNS cannot be answered at {ADDRESS}: {error.strerror}") from error
            continue
        return stack.enter_context(udp), stack.enter_context(tcp)
    raise AssertionError("unreachable")


def _serve(nameserver: Answers, udp: socket.socket, tcp: socket.socket, stop: socket.socket) -> None:
    """Answer until the other end of ``stop`` is closed."""
    with selectors.DefaultSelector() as ready:
        for link in (udp, tcp, stop):
            ready.register(link, selectors.EVENT_READ)
        while True:
            for key, _ in ready.select():
                if key.fileobj is stop:
                    return
                # A client that goes away before its answer comes is its own affair, as is one that breaks the answer.
                with suppress(Exception):
                    if key.fileobj is udp:
                        packet, client = udp.recvfrom(LARGEST_QUERY)
                        if (response := nameserver.answer(packet, client[0], udp=True)) is not None:
                            udp.sendto(response, client)
                    else:
                        _connection(nameserver, tcp)


def _connection(nameserver: Answers, tcp: socket.socket) -> None:
    """Answer the questions of one connection, one after the other (RFC 7766)."""
    link, client = tcp.accept()
    with link:
        link.settimeout(TCP_SECONDS)
        with link.makefile("rb") as stream:
            while len(head := stream.read(2)) == 2:
                response = nameserver.answer(stream.read(int.from_bytes(head, "big")), client[0], udp=False)
                if response is None:
                    return
                link.sendall(len(response).to_bytes(2, "big") + response)


def _clock() -> Callable[[], float]:
    """Milliseconds since now."""
    began = time.monotonic()
    return lambda: round((time.monotonic() - began) * 1000, 3)

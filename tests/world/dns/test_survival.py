"""One name's fault costs that name: a nameserver goes on answering for all others."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.message
import dns.query
import dns.rcode
import pytest

from grader.formats.dns.masterfile import read_records
from grader.formats.dns.octets import Name
from grader.world.dns.answers import Answers
from grader.world.dns.loopback import Served, served
from grader.world.dns.nameserver import Nameserver
from grader.world.dns.zones import Lookup, Zones
from tests.conftest import PATIENCE
from tests.world.bed import OWN

ZONE = "$TTL 300\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 203.0.113.53\n"
HUGE = ZONE + "".join(f't TXT "{number}" "{"x" * 250}"\n' for number in range(300))


class Broken(Zones):
    """Zones in which looking up one name fails as nobody foresaw."""

    def look_up(self, name: Name, rdtype: int) -> Lookup:
        """See ``Zones``."""
        if name[:1] == (b"broken",):
            raise ZeroDivisionError
        return super().look_up(name, rdtype)


class Fragile(Answers):
    """A nameserver whose own code fails for short questions."""

    def answer(self, packet: bytes, client: str, *, udp: bool) -> bytes | None:
        """See ``Answers``."""
        if len(packet) < 20:
            raise ZeroDivisionError
        return super().answer(packet, client, udp=udp)


def zones(text: str = HUGE) -> Broken:
    held = Broken([])
    # As a set of keys could grow together from several files: each record may be read, and all do not fit.
    records = read_records(text.encode(), "example.com").served
    held.hold((b"example", b"com"), [record.on_the_wire() for record in records])
    return held


def rcode(where: tuple[str, int], name: str, type_: str, *, tcp: bool) -> str:
    query = dns.message.make_query(name, type_)
    ask = dns.query.tcp if tcp else dns.query.udp
    return dns.rcode.to_text(ask(query, where[0], PATIENCE, where[1]).rcode())


@contextmanager
def over_asyncio() -> Iterator[tuple[str, int]]:
    """The nameserver of the world's program, in a thread of its own."""
    nameserver, loop = Nameserver(zones(), lambda: 0.0), asyncio.new_event_loop()
    with socket.socket() as free:
        free.bind((OWN, 0))
        port = int(free.getsockname()[1])
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(nameserver.start(OWN, port), loop).result(PATIENCE)
        yield OWN, port
    finally:

        async def stop() -> None:
            nameserver.stop()
            await asyncio.sleep(0)

        asyncio.run_coroutine_threadsafe(stop(), loop).result(PATIENCE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()


@contextmanager
def over_loopback() -> Iterator[tuple[str, int]]:
    """The nameserver of labs without a host."""
    with served(zones()) as server:
        yield server.address, server.port


@pytest.mark.parametrize("nameserver", [over_asyncio, over_loopback])
def test_a_name_that_no_answer_holds_costs_that_name_alone(
    nameserver: object, caplog: pytest.LogCaptureFixture
) -> None:
    with nameserver() as where, caplog.at_level(logging.WARNING):  # type: ignore[operator]
        assert rcode(where, "t.example.com", "TXT", tcp=True) == "SERVFAIL"
        assert rcode(where, "broken.example.com", "A", tcp=True) == "SERVFAIL"
        assert rcode(where, "broken.example.com", "A", tcp=False) == "SERVFAIL"
        assert rcode(where, "ns.example.com", "A", tcp=True) == "NOERROR"
        assert rcode(where, "ns.example.com", "A", tcp=False) == "NOERROR"
    assert caplog.records == []


def test_the_failure_is_recorded_with_its_question() -> None:
    nameserver = Answers(zones(), lambda: 0.0)
    query = dns.message.make_query("broken.example.com", "A")
    response = nameserver.answer(query.to_wire(), "192.0.2.1", udp=True)
    assert response is not None
    assert dns.message.from_wire(response).question == query.question
    assert [(q.name, q.type, q.answer) for q in nameserver.queries] == [
        ("broken.example.com.", "A", "SERVFAIL")
    ]


def test_the_largest_answer_that_can_be_is_given() -> None:
    def answer(count: int) -> dns.message.Message | None:
        zone = ZONE + "".join(f"t A 10.{n // 62500}.{n // 250 % 250}.{n % 250}\n" for n in range(count))
        query = dns.message.make_query("t.example.com", "A")
        packet = Answers(zones(zone), lambda: 0.0).answer(query.to_wire(), "192.0.2.1", udp=False)
        return None if packet is None else dns.message.from_wire(packet)

    # 12 octets of head, 19 of the question, 16 a record (RFC 1035 section 4.1).
    fits = (65_535 - 12 - 19) // 16
    full, over = answer(fits), answer(fits + 1)
    assert full is not None
    assert len(full.answer[0]) == fits
    assert over is not None
    assert over.rcode() == dns.rcode.SERVFAIL


def test_a_fault_of_the_servers_own_does_not_end_it() -> None:
    with served(zones(ZONE), kind=Fragile) as server:
        check_alive(server)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            link.sendto(b"\0" * 13, (server.address, server.port))
        with socket.create_connection((server.address, server.port), 5) as stream:
            stream.sendall(b"\0\x0d" + b"\0" * 13)
            assert stream.recv(1) == b""
        check_alive(server)


def check_alive(server: Served) -> None:
    """The nameserver answers over UDP and over TCP."""
    for tcp in (False, True):
        assert rcode((server.address, server.port), "ns.example.com", "A", tcp=tcp) == "NOERROR"

"""A receiver's DNS client, against the world's nameserver on loopback."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from grader.formats.dns.masterfile import read_zone
from grader.kinds.zone.run.resolver import ALL_SECONDS, EFFORT_SECONDS, NOTHING, NoAnswer, Resolver
from grader.model.deadline import Effort
from grader.world.dns.answers import Answers
from grader.world.dns.loopback import served, zones_of
from tests.kinds.zone.beds import world


class Silent(Answers):
    """A nameserver that never answers."""

    def answer(self, packet: bytes, client: str, *, udp: bool) -> bytes | None:
        """See ``Answers``."""
        return None


def test_data_of_every_kind() -> None:
    zone = 'a A 192.0.2.1\na AAAA 2001:db8::1\n@ MX 10 a\n@ MX 0 .\nc CNAME a\nt TXT "x" "y;z"\n'
    with world(example_com=zone) as resolver:
        assert resolver.ask("A.example.com.", "A").values == ["192.0.2.1"]
        assert resolver.ask("c.example.com", "AAAA").values == ["2001:db8::1"]
        assert sorted(resolver.ask("example.com", "MX").values) == [(0, ""), (10, "a.example.com")]
        assert sorted(resolver.ask("example.com", "MX").texts) == ["0 .", "10 a.example.com."]
        assert resolver.ask("c.example.com", "CNAME").values == ["a.example.com"]
        assert resolver.texts("t.example.com") == [b"xy;z"]
        assert resolver.ask("a.example.com", "MX") == ("NOERROR", [], [])
        assert not resolver.ask("b.example.com", "MX").exists


def test_names_below_a_dname_are_found_where_it_leads() -> None:
    zones = {"example_com": "keys DNAME keys.example.net.\n", "example_net": 'a.keys TXT "the key"\n'}
    with world(**zones) as resolver:
        assert resolver.texts("a.keys.example.com") == [b"the key"]
        assert not resolver.ask("b.keys.example.com", "TXT").exists
        assert resolver.ask("keys.example.com", "TXT") == ("NOERROR", [], [])


def test_the_order_of_a_file_is_the_order_of_an_answer() -> None:
    zone = "".join(f't TXT "{number}"\n' for number in range(50))
    with world(example_com=zone) as resolver:
        assert resolver.texts("t.example.com") == [str(number).encode() for number in range(50)]


@pytest.mark.parametrize("name", ["", "a..b", "a" * 64 + ".example", ".".join(["a" * 60] * 5), "ä" * 40])
def test_a_name_that_cannot_be_does_not_exist(name: str) -> None:
    with world(example_com="") as resolver:
        assert resolver.ask(name, "A") == NOTHING


def test_an_answer_too_large_for_a_datagram_comes_over_tcp() -> None:
    zone = "\n".join(f't TXT "{number}" "{"x" * 250}" "{"y" * 250}"' for number in range(7))
    file = read_zone(("@ SOA ns h 1 2 3 4 5\n@ NS ns\n" + zone + "\n").encode(), "example.com")
    with served(zones_of({"example.com": file})) as server:
        assert len(Resolver(server.address, server.port).texts("t.example.com")) == 7
        assert [query.name for query in server.nameserver.queries] == ["t.example.com."] * 2


def test_silence_and_refusal_are_no_answer() -> None:
    with (
        served(zones_of({}), kind=Silent) as server,
        pytest.raises(NoAnswer, match=r"no answer about a\.example TXT"),
    ):
        Resolver(server.address, server.port, seconds=0.05).ask("a.example", "TXT")
    with pytest.raises(NoAnswer):
        Resolver(server.address, server.port, seconds=0.05).ask("a.example", "TXT")


def test_an_answer_to_another_question_is_passed_over() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def lie() -> None:
            packet, client = server.recvfrom(512)
            server.sendto(b"\xff\xff" + packet[2:], client)
            server.sendto(packet[:2] + b"\x84\x03" + packet[4:], client)

        thread = threading.Thread(target=lie)
        thread.start()
        assert Resolver(*server.getsockname()).ask("a.example", "A").rcode == "NXDOMAIN"
        thread.join()


def test_when_the_time_is_over_nothing_more_is_asked() -> None:
    with world(example_com="") as resolver:
        resolver.ask("a.example.com", "A")
        resolver.deadline = Effort(0, at_most=60)
        with pytest.raises(NoAnswer, match="time for this zone is over"):
            resolver.ask("a.example.com", "A")


def test_a_busy_machine_takes_no_time_from_a_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What others compute meanwhile is not what this zone costs."""
    clock, work = time.monotonic, time.process_time
    with world(example_com="") as resolver:
        monkeypatch.setattr(time, "monotonic", lambda: clock() + ALL_SECONDS - 10)
        assert not resolver.ask("a.example.com", "A").exists
        monkeypatch.setattr(time, "process_time", lambda: work() + EFFORT_SECONDS)
        with pytest.raises(NoAnswer, match="time for this zone is over"):
            resolver.ask("b.example.com", "A")
        monkeypatch.setattr(time, "process_time", work)
        assert not resolver.ask("b.example.com", "A").exists
        monkeypatch.setattr(time, "monotonic", lambda: clock() + ALL_SECONDS)
        with pytest.raises(NoAnswer, match="time for this zone is over"):
            resolver.ask("c.example.com", "A")


def test_a_connection_that_says_nothing_does_not_stop_the_nameserver() -> None:
    with served(zones_of({})) as server, socket.create_connection((server.address, server.port)) as link:
        link.sendall(b"\x00")
        link.shutdown(socket.SHUT_WR)
        assert link.recv(1) == b""
        assert Resolver(server.address, server.port).ask("a.example", "A") == NOTHING

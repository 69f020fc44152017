"""The nameserver, asked by dnspython over real sockets."""

from __future__ import annotations

import asyncio
import socket
import threading
import tracemalloc
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.model.errors import EngineError, LabError
from grader.model.plan import Zone
from grader.world.dns import answers
from grader.world.dns.nameserver import Nameserver
from grader.world.dns.zones import Zones
from tests.conftest import PATIENCE
from tests.world.bed import OWN

ADDRESS = OWN

EXAMPLE = r"""
$TTL 300
; the student's domain
@       IN SOA  ns hostmaster ( 1 3600
                600 86400 300 )
@       IN NS   ns
        IN MX   10 mail
        IN MX   20 backup.elsewhere.example.
        IN TXT  "v=spf1 mx -all" " and (more); of it"
ns      IN A    127.0.0.53
mail    IN A    203.0.113.10
        IN AAAA 2001:db8:113::10
www     IN CNAME mail
away    IN CNAME mx.elsewhere.example.
dangling IN CNAME nobody.elsewhere.example.
loop    IN CNAME pool
pool    IN CNAME loop
*.wild  IN TXT  "everything"
a.b.deep IN A   203.0.113.11
_submission._tcp IN SRV 0 1 587 mail
big     IN TXT  "{long}" "{long}" "{long}" "{long}" "{long}" "{long}"
""".format(long="x" * 250)

ELSEWHERE = """$TTL 300
@ IN SOA ns hostmaster 1 3600 600 86400 300
mx IN A 198.51.100.25
"""

REVERSE = """$TTL 300
@ IN SOA ns.example.com. hostmaster.example.com. 1 3600 600 86400 300
10 IN PTR mail.example.com.
"""

ZONES = [
    Zone("example.com", EXAMPLE),
    Zone("elsewhere.example.", ELSEWHERE),
    Zone("113.0.203.in-addr.arpa", REVERSE),
]


class Served:
    """A nameserver in a thread of its own."""

    def __init__(self) -> None:
        self.nameserver = Nameserver(Zones(ZONES), lambda: 7.0)
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def start(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind((ADDRESS, 0))
            self.port = free.getsockname()[1]
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.nameserver.start(ADDRESS, self.port), self._loop).result(
            PATIENCE
        )

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._closed(), self._loop).result(PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    async def _closed(self) -> None:
        self.nameserver.stop()
        await asyncio.sleep(0)

    def ask(self, name: str, kind: str, *, tcp: bool = False, edns: bool = False) -> dns.message.Message:
        query = dns.message.make_query(name, kind, use_edns=edns, payload=1232)
        if tcp:
            return dns.query.tcp(query, ADDRESS, PATIENCE, self.port)
        return dns.query.udp(query, ADDRESS, PATIENCE, self.port)

    def texts(self, name: str, kind: str, **how: bool) -> list[str]:
        return [str(rr) for rrset in self.ask(name, kind, **how).answer for rr in rrset]


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    served = Served()
    served.start()
    yield served
    served.stop()


@pytest.mark.parametrize("tcp", [False, True])
@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("mail.example.com", "A", ["203.0.113.10"]),
        ("mail.example.com", "AAAA", ["2001:db8:113::10"]),
        ("MAIL.Example.COM", "A", ["203.0.113.10"]),
        ("example.com", "MX", ["10 mail.example.com.", "20 backup.elsewhere.example."]),
        ("example.com", "TXT", ['"v=spf1 mx -all" " and (more); of it"']),
        ("example.com", "NS", ["ns.example.com."]),
        ("example.com", "SOA", ["ns.example.com. hostmaster.example.com. 1 3600 600 86400 300"]),
        ("10.113.0.203.in-addr.arpa", "PTR", ["mail.example.com."]),
        ("_submission._tcp.example.com", "SRV", ["0 1 587 mail.example.com."]),
        ("www.example.com", "A", ["mail.example.com.", "203.0.113.10"]),
        ("away.example.com", "A", ["mx.elsewhere.example.", "198.51.100.25"]),
        ("www.example.com", "CNAME", ["mail.example.com."]),
        ("any.thing.wild.example.com", "TXT", ['"everything"']),
    ],
)
def test_what_the_zones_say(served: Served, name: str, kind: str, expected: list[str], tcp: bool) -> None:
    assert served.texts(name, kind, tcp=tcp) == expected


@pytest.mark.parametrize(
    ("name", "kind", "rcode"),
    [
        ("mail.example.com", "MX", dns.rcode.NOERROR),
        ("deep.example.com", "A", dns.rcode.NOERROR),
        ("b.deep.example.com", "MX", dns.rcode.NOERROR),
        ("wild.example.com", "TXT", dns.rcode.NOERROR),
        ("any.wild.example.com", "A", dns.rcode.NOERROR),
        ("mail.example.com", "TLSA", dns.rcode.NOERROR),
        ("nobody.example.com", "A", dns.rcode.NXDOMAIN),
        ("x.mail.example.com", "A", dns.rcode.NXDOMAIN),
        ("dangling.example.com", "A", dns.rcode.NXDOMAIN),
        ("example.org", "A", dns.rcode.NXDOMAIN),
        ("com", "NS", dns.rcode.NXDOMAIN),
    ],
)
def test_what_is_not_there(served: Served, name: str, kind: str, rcode: int) -> None:
    response = served.ask(name, kind)
    assert response.rcode() == rcode
    assert [rrset for rrset in response.answer if rrset.rdtype == dns.rdatatype.from_text(kind)] == []
    assert [rrset.rdtype for rrset in response.authority] == [dns.rdatatype.SOA], (
        "so that the denial can be cached"
    )


def test_a_loop_of_aliases_fails(served: Served) -> None:
    assert served.ask("loop.example.com", "A").rcode() == dns.rcode.SERVFAIL


def test_it_is_a_resolver_for_the_host(served: Served) -> None:
    assert served.ask("mail.example.com", "A").flags & dns.flags.RA


def test_the_question_comes_back_in_its_own_case(served: Served) -> None:
    response = served.ask("MaIl.ExAmPlE.cOm", "A")
    assert str(response.question[0].name) == "MaIl.ExAmPlE.cOm."
    assert str(response.answer[0].name) == "MaIl.ExAmPlE.cOm."


def test_what_does_not_fit_comes_over_tcp(served: Served) -> None:
    small = served.ask("big.example.com", "TXT")
    assert small.flags & dns.flags.TC
    assert len(small.answer) == 0
    assert served.ask("big.example.com", "TXT", edns=True).flags & dns.flags.TC
    assert len(served.texts("big.example.com", "TXT", tcp=True)[0]) > 1500


def test_edns_is_answered_in_kind(served: Served) -> None:
    assert served.ask("mail.example.com", "A", edns=True).edns == 0
    assert served.ask("mail.example.com", "A").edns == -1


def test_every_question_is_recorded(served: Served) -> None:
    before = len(served.nameserver.queries)
    for name in ("mail.example.com", "mail.example.com", "nobody.example.com"):
        served.ask(name, "A")
    served.ask("mail.example.com", "MX", tcp=True)
    fresh = served.nameserver.queries[before:]
    assert [(query.name, query.type, query.answer) for query in fresh] == [
        ("mail.example.com.", "A", "203.0.113.10"),
        ("mail.example.com.", "A", "203.0.113.10"),
        ("nobody.example.com.", "A", "NXDOMAIN"),
        ("mail.example.com.", "MX", "NODATA"),
    ]
    assert {query.client for query in fresh} == {"127.0.0.1"}
    assert {query.at for query in fresh} == {7.0}


def test_zone_transfers_and_other_operations_are_refused(served: Served) -> None:
    query = dns.message.make_query("example.com", "AXFR")
    assert dns.query.tcp(query, ADDRESS, PATIENCE, served.port).rcode() == dns.rcode.REFUSED
    notify = dns.message.make_query("example.com", "SOA")
    notify.set_opcode(dns.opcode.NOTIFY)
    assert dns.query.udp(notify, ADDRESS, PATIENCE, served.port).rcode() == dns.rcode.NOTIMP


@given(st.binary(max_size=600), st.booleans())
def test_no_packet_breaks_it(packet: bytes, udp: bool) -> None:
    response = Nameserver(Zones(ZONES), lambda: 0.0).answer(packet, "192.0.2.1", udp=udp)
    assert response is None or response[:2] == packet[:2]


@given(st.integers(min_value=0, max_value=60), st.integers(min_value=0, max_value=255))
def test_no_damaged_question_breaks_it(position: int, value: int) -> None:
    packet = bytearray(dns.message.make_query("mail.example.com", "A", use_edns=True).to_wire())
    packet[position % len(packet)] = value
    response = Nameserver(Zones(ZONES), lambda: 0.0).answer(bytes(packet), "192.0.2.1", udp=True)
    assert response is None or (response[:2] == bytes(packet[:2]) and response[2] & 0x80)


def test_it_survives_rubbish_on_the_wire(served: Served) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rubbish:
        for packet in (b"", b"x", b"\0" * 12, b"\xff" * 500, b"\0\1\1\0\0\1\0\0\0\0\0\0\xc0\x0c\0\1\0\1"):
            rubbish.sendto(packet, (ADDRESS, served.port))
    with socket.create_connection((ADDRESS, served.port), PATIENCE) as stream:
        stream.sendall(b"\xff\xff" + b"rubbish")
    assert served.texts("mail.example.com", "A") == ["203.0.113.10"]


@pytest.mark.parametrize(("limit", "most"), [("MOST_QUERIES", 3), ("MOST_CHARACTERS", 3 * 30)])
def test_the_record_of_questions_is_bounded(limit: str, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, limit, most)
    nameserver = Nameserver(Zones(ZONES), lambda: 0.0)
    for number in range(5):
        query = dns.message.make_query(f"host{number}.example.com", "A")
        assert nameserver.answer(query.to_wire(), "192.0.2.1", udp=True) is not None
    assert len(nameserver.queries) == 3
    assert nameserver.notes == ["Only the first 3 DNS queries were recorded."]


def test_what_is_remembered_of_large_packets_takes_no_memory() -> None:
    nameserver = Nameserver(Zones(ZONES), lambda: 0.0)
    tracemalloc.start()
    try:
        for number in range(50):
            packet = number.to_bytes(12, "big") + bytes(60_000)
            assert nameserver.answer(packet, "192.0.2.1", udp=True) is not None
        assert tracemalloc.get_traced_memory()[0] < 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "text",
    ["mail IN A 1.2.3", "mail IN", "mail IN NOSUCH x", "other.example. IN A 192.0.2.1", "@ IN MX mail"],
)
def test_a_zone_that_cannot_be_read_is_the_labs_fault(text: str) -> None:
    with pytest.raises(LabError, match=r"^zone example\.com: "):
        Zones([Zone("example.com", text)])


def test_an_address_of_nobodys_is_one_sentence() -> None:
    with pytest.raises(EngineError, match=r"cannot answer DNS at 203\.0\.113\.99 port 5353"):
        asyncio.run(Nameserver(Zones([]), lambda: 0.0).start("203.0.113.99", 5353))


def test_a_server_is_known_by_the_name_its_address_leads_to() -> None:
    zones = Zones(ZONES)
    assert zones.name_of("203.0.113.10") == "mail.example.com"
    assert zones.name_of("2001:db8:113::10") == "mail.example.com"
    assert zones.name_of("198.51.100.25") == "mx.elsewhere.example"
    assert zones.name_of("192.0.2.1") is None

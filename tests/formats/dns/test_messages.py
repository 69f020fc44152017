"""Questions are the octets that the DNS library writes, and answers hold what it reads."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rrset
import pytest

from grader.formats.dns import messages
from tests.tables import every

NAME = "_dmarc.mail.example.com."


@every("type_", ["TXT", "MX", "AAAA", "SPF"])
@every("payload", [None, 1232])
@every("name", [NAME, ".", "xn--e1aybc.example."])
def test_a_question_is_what_the_library_would_ask(name: str, type_: str, payload: int | None) -> None:
    asked = dns.name.from_text(name)
    query = dns.message.make_query(asked, type_, id=7, use_edns=payload is not None, payload=payload or 0)
    assert messages.question(asked, type_, identity=7, payload=payload) == query.to_wire()


def _packet(*records: tuple[str, ...], rcode: str = "NOERROR") -> bytes:
    made = dns.message.make_response(dns.message.make_query(NAME, "TXT", id=7, use_edns=True, payload=1232))
    made.set_rcode(dns.rcode.from_text(rcode))
    made.answer += [dns.rrset.from_text(name, 60, "IN", *rest) for name, *rest in records]
    soa = "ns.example.com. host.example.com. 1 2 3 4 5"
    made.authority.append(dns.rrset.from_text("example.com.", 60, "IN", "SOA", soa))
    return made.to_wire()


PACKETS = {
    "one": _packet((NAME, "TXT", '"v=DMARC1; p=none"')),
    "alias": _packet((NAME, "CNAME", "d.example.org."), ("d.example.org.", "TXT", '"a" "b"', '"c"')),
    "several": _packet(
        (NAME, "MX", "10 mx.example.com.", "20 mx.example.org."), ("mx.example.com.", "A", "192.0.2.1")
    ),
    "no such name": _packet(rcode="NXDOMAIN"),
    "failure": _packet(rcode="SERVFAIL"),
}


@pytest.mark.parametrize("packet", PACKETS.values(), ids=PACKETS)
def test_an_answer_is_what_the_library_reads(packet: bytes) -> None:
    message = dns.message.from_wire(packet)
    read = messages.response(packet)
    assert read.rcode == dns.rcode.to_text(message.rcode())
    assert read.truncated == bool(message.flags & dns.flags.TC)
    assert read.answer == [data for records in message.answer for data in records]


@pytest.mark.parametrize("packet", PACKETS.values(), ids=PACKETS)
def test_an_answer_that_is_cut_off_is_none(packet: bytes) -> None:
    whole = len(messages.response(packet).answer)
    for size in range(len(packet)):
        try:
            assert len(messages.response(packet[:size]).answer) == whole
        except messages.BadMessage:
            continue


def test_a_record_that_is_told_twice_is_one() -> None:
    packet = bytearray(_packet((NAME, "A", "192.0.2.1", "192.0.2.2")))
    packet = packet.replace(bytes([192, 0, 2, 2]), bytes([192, 0, 2, 1]))
    assert [data.to_text() for data in messages.response(bytes(packet)).answer] == ["192.0.2.1"]

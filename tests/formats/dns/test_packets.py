"""What a server reads and says is what dnspython, which is somebody else's, says and reads."""

from __future__ import annotations

import dns.edns
import dns.message
import dns.opcode
import dns.rcode
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.formats.dns.packets import BadPacket, request, response
from tests.world.dns.library import labels as labels_of_name
from tests.world.dns.library import record_set

LABELS = st.lists(st.text("abcXYZ-_0", min_size=1, max_size=20), min_size=0, max_size=6)
RECORDS = [
    dns.rrset.from_text("mail.example.com.", 300, "IN", "A", "203.0.113.10", "203.0.113.11"),
    dns.rrset.from_text(
        "example.com.", 300, "IN", "MX", "10 mail.example.com.", "20 backup.elsewhere.example."
    ),
    dns.rrset.from_text("example.com.", 300, "IN", "TXT", '"v=spf1 mx" " -all"'),
]
SETS = [record_set(rrset) for rrset in RECORDS[:2]], [record_set(rrset) for rrset in RECORDS[2:]]


@given(LABELS, st.sampled_from(["A", "MX", "TYPE65280"]), st.sampled_from([None, 0, 512, 4096]))
def test_it_reads_what_others_ask(labels: list[str], type_: str, payload: int | None) -> None:
    query = dns.message.make_query(
        ".".join([*labels, ""]) or ".", type_, use_edns=payload is not None, payload=payload or 0
    )
    read = request(query.to_wire())
    assert (read.identity, read.opcode, read.payload) == (query.id, dns.opcode.QUERY, payload)
    assert read.recursion_desired
    asked = query.question[0]
    assert [tuple(question) for question in read.questions] == [
        (labels_of_name(asked.name.to_text()), asked.rdtype, asked.rdclass)
    ]


@pytest.mark.parametrize("payload", [None, 1232])
@pytest.mark.parametrize("name", ["example.com.", "MAIL.example.com.", "."])
def test_others_read_what_it_says(name: str, payload: int | None) -> None:
    query = dns.message.make_query(name, "MX", use_edns=payload is not None, payload=payload or 0)
    asked = request(query.to_wire())
    packet = response(asked, dns.rcode.NXDOMAIN, *SETS, offered=1232, truncated=True)
    read = dns.message.from_wire(packet, ignore_trailing=False)
    assert query.is_response(read)
    assert (read.rcode(), read.answer, read.authority) == (dns.rcode.NXDOMAIN, RECORDS[:2], RECORDS[2:])
    assert [rrset.ttl for rrset in read.answer] == [300, 300]
    assert dns.flags.to_text(read.flags) == "QR AA TC RD RA"
    assert (read.edns, read.payload) == ((0, 1232) if payload else (-1, 0))
    # A name that was asked for is not written twice (RFC 1035 section 4.1.4).
    assert packet.count(b"\x07example\x03com") == 1


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda packet: packet[:-3], "malformed"),
        (lambda packet: packet + b"\0", "octets behind the message"),
        (lambda packet: packet[:11] + b"\2" + packet[12:] + packet[-11:], "more than one OPT record"),
        (lambda packet: packet[:5] + b"\2" + packet[6:], "more than one question"),
        (lambda packet: packet[:11] + b"\x09" + packet[12:] + packet[-11:] * 8, "more than 8 records"),
        (lambda packet: b"", "malformed"),
    ],
)
def test_what_is_no_message_is_refused(damage: object, said: str) -> None:
    packet = dns.message.make_query("example.com", "A", use_edns=True).to_wire()
    with pytest.raises(BadPacket, match=said):
        request(damage(packet))  # type: ignore[operator]


@given(st.binary(max_size=300))
def test_no_packet_raises_anything_else(packet: bytes) -> None:
    try:
        read = request(packet)
    except BadPacket:
        return
    assert response(read, dns.rcode.FORMERR, offered=1232)[:2] == packet[:2]

"""A zone is read without the library for DNS where all in it is ordinary, and then as the library reads it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader import labs
from grader.formats.dns.masterfile import read_records
from grader.formats.dns.octets import labels_of
from grader.formats.dns.ordinary import read_ordinary
from grader.kinds.server.declare import ServerLab
from grader.kinds.server.plan import make
from grader.model.submission import Submission
from tests.conftest import examples
from tests.tables import every

ORIGIN = (b"example", b"com")
WORDS = st.sampled_from(
    ["@", "a", "A.b", "mail.example.com.", ".", "*", "IN", "60", "1h", "A", "AAAA", "NS", "CNAME", "PTR", "MX", "TXT",
     "SOA", "10", "65536", "192.0.2.1", "192.0.2.01", "2001:db8::1", "fe80::1%x", '"v=spf1 -all"', '"a" "b"', "( ", ")",
     "ns hostmaster 1 2 3 4 5", "ns hostmaster 1 2h 3 4 5", "\\097", "x" * 64, "other.example.", "$TTL 5", "$ORIGIN b",
     "SRV", "0 1 2 mail", "\u00fc", ";c", " ", "\n", "\n"]
)  # fmt: skip


def same(text: str) -> bool:
    """Whether a file is ordinary; then it must be what the library makes of it."""
    read = read_ordinary(text.encode(), ORIGIN)
    if read is None:
        return False
    known = read_records(text.encode(), "example.com")
    assert known.faults == []
    assert read == [record.on_the_wire() for record in known.served]
    return True


@settings(max_examples=examples(500))
@given(st.lists(WORDS, max_size=12).map(" ".join), st.booleans())
def test_what_is_read_is_what_the_library_reads(text: str, timed: bool) -> None:
    same(("$TTL 300\n" if timed else "") + text)


@every(
    ("text", "ordinary"),
    [
        ("$TTL 300\n@ SOA ns hostmaster 1 2 3 4 5\n@ NS ns\n MX 10 @\n", True),
        ('a 60 IN TXT "v=spf1" -all\nb 60 IN CNAME a.example.com.\n', True),
        ("a 60 A 192.0.2.1\nA 60 AAAA ::1\n", True),
        ("$ORIGIN sub\n$TTL 1h\n*.x ( A\n 192.0.2.1 ) ; all\n", True),
        ("a A 192.0.2.1\n", False),
        ("a 60 SRV 0 1 2 b\n", False),
        ("a.example.net. 60 A 192.0.2.1\n", False),
        ("a 60 TXT \\097\n", False),
        (f'a 60 TXT "{"x" * 256}"\n', False),
        ("a 60 TXT " + '"' + '" "'.join(["x" * 250] * 20) + '"\n', False),
        ("@ 60 SOA ns hostmaster 1 2h 3 4 5\n", False),
        ("a 60 A 192.0.2\n", False),
        ("a 60 AAAA fe80::1%eth0\n", False),
        ("a 60 MX 65536 b\n", False),
        ("a 60 MX 10\n", False),
        ("a..b 60 A 192.0.2.1\n", False),
        ('"a" 60 A 192.0.2.1\n', True),
        ("a 60 TXT (x\n", False),
    ],
)
def test_what_is_left_to_the_library(text: str, ordinary: bool) -> None:
    assert same(text) is ordinary


@pytest.mark.parametrize("lab_id", ["open-relay", "dkim"])
@pytest.mark.parametrize("student", [None, "carol"])
def test_all_of_a_labs_world_is_ordinary(lab_id: str, student: str | None) -> None:
    lab = labs.load(labs.find(lab_id))
    assert isinstance(lab, ServerLab)
    files = {"main.cf": b"mynetworks = 192.0.2.0/24 friend.example.net\nrelay_domains = partner.example\n"}
    variant = labs.draw_variant(lab, student, "course-key" if student else None)
    for zone in make(lab, Submission(files, frozenset()), variant).world.zones:
        origin = labels_of(zone.origin)
        assert origin is not None
        assert read_ordinary(zone.text.encode(), origin) is not None, zone.text


def test_no_library_is_loaded_for_the_world() -> None:
    command = (
        "import sys\nfrom grader.world import service\nfrom grader.world.dns.answers import Answers\n"
        "from grader.world.dns.zones import Zones\nfrom grader.model.plan import Zone\n"
        "answers = Answers(Zones([Zone('example.com', 'a 60 A 192.0.2.1')]), lambda: 0.0)\n"
        "packet = bytes([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]) + b'\\1a\\7example\\3com\\0\\0\\1\\0\\1'\n"
        "assert answers.answer(packet, '', udp=True).endswith(bytes([192, 0, 2, 1]))\n"
        "assert answers.queries[0].answer == '192.0.2.1'\n"
        "sys.exit('dns' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", command], check=False).returncode == 0

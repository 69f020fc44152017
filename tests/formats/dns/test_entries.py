"""Owners and types without a library for DNS, as the planner of a world needs them."""

from __future__ import annotations

import subprocess
import sys

from hypothesis import given, settings
from hypothesis import strategies as st

from grader.formats.dns.entries import owners
from grader.formats.dns.masterfile import read_records
from tests.conftest import examples
from tests.tables import every


@every(
    ("text", "found"),
    [
        ("mail A 192.0.2.1\n", [("mail.example.com", "A")]),
        ("MAIL 60 in a 192.0.2.1\n", [("mail.example.com", "A")]),
        ("@ MX 10 a\n  TXT x\n", [("example.com", "MX"), ("example.com", "TXT")]),
        ("mail.elsewhere.example. IN A 192.0.2.1\n", [("mail.elsewhere.example", "A")]),
        ("$ORIGIN sub\n@ ( ; all\n A\n 192.0.2.1 )\n", [("sub.example.com", "A")]),
        ('a TXT "x\nb A 192.0.2.1\n', [("b.example.com", "A")]),
        ("; a A 192.0.2.1\n", []),
        ("$ORIGIN " + "a." * 600 + "\nb A 192.0.2.1\n", [("b.example.com", "A")]),
    ],
)
def test_owner_and_type_of_each_record(text: str, found: list[tuple[str, str]]) -> None:
    assert owners(text.encode(), "Example.com.") == found


@settings(max_examples=examples(300))
@given(st.text(alphabet='@ab \t\n;()".1TXMA$', max_size=60))
def test_whatever_is_read_whole_has_the_same_owners_and_types(text: str) -> None:
    whole = read_records(text.encode(), "example.com", inside=False)
    if whole.faults == []:
        assert owners(text.encode(), "example.com") == [(r.owner, r.type) for r in whole.records]


def test_no_library_is_loaded_for_it() -> None:
    command = "import sys, grader.labs.world_dns; sys.exit('dns' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", command], check=False).returncode == 0

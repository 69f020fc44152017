"""Which keys DNS is asked for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from grader.kinds.server.facts import Published
from grader.kinds.server.run.keys import MOST_KEYS, key_names
from grader.model.dns import KeyRecord
from tests.judge.builders import arrival

NONE = Published([], [], [])


def named(raw: bytes, published: Published = NONE) -> list[str]:
    return key_names([arrival(raw=raw)], published)


def test_keys_of_signatures_and_published_ones() -> None:
    raw = (
        b"Received: x\r\nDKIM-Signature: v=1; d=Example.com;\r\n\ts=mail; bh=x; b=y\r\n\r\ns=not; d=this\r\n"
    )
    records = [KeyRecord(f"{name}._domainkey.example.com", "TXT", [b"x"]) for name in ("mail", "old", "*")]
    assert named(raw, Published([], records, [])) == [
        "mail._domainkey.example.com",
        "old._domainkey.example.com",
    ]


def test_a_signature_too_odd_to_ask_for() -> None:
    assert named(b"DKIM-Signature: v=1; d=example.com; s=a b\r\n\r\n") == []
    assert named(b"DKIM-Signature: v=1; d=example..com; s=a\r\n\r\n") == []
    assert named(b"DKIM-Signature: v=1; d=" + b"x" * 80 + b".com; s=a\r\n\r\n") == []


def test_no_more_than_can_be_asked() -> None:
    raw = b"".join(b"DKIM-Signature: d=example.com; s=k%d\r\n" % n for n in range(MOST_KEYS * 2)) + b"\r\n"
    assert len(named(raw)) == MOST_KEYS


@given(st.binary(max_size=300))
def test_any_message_can_be_looked_at(raw: bytes) -> None:
    assert all(len(name) < 250 for name in named(b"DKIM-Signature: s=a; d=b.c" + raw))

"""What fell out of fuzzing once: inputs that raised, never ended, or took their length squared."""

from __future__ import annotations

import pytest

from tests.fuzz.growth import steep
from tests.fuzz.target import Shape
from tests.fuzz.test_fuzz import BY_NAME
from tests.tables import every

DEEP = 100_000
RAISED = [
    ("DKIM key", b"v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUQUQUAA4GNADCBiQKBgQC7"),
    ("master file", b"a MX " + b"9" * 5_000 + b" b\n"),
    ("master file", b"a " + b"9" * 40 + b"x TXT a\n"),
    ("zone", b"@ SOA ns h 1 " + b"1" * 40 + b"x 1 1 1\n"),
    ("signed message", b" first\r\nDKIM-Signature: v=1\r\nFrom: alice@example.com\r\n\r\nx\r\n"),
    ("signed message", b"DKIM-Signature: v=1\r\nFrom: " + b"(" * 5_000 + b"\r\n\r\nx\r\n"),
    ("sent message", b"Content-Type: " + b"(" * 2_900 + b"\r\n\r\nx"),
    ("patterns", b"(" * 90 + b"a{5}" + b"){5}" * 90),
    ("socket table", b" 0: 00000000:-19 0:0 0A\n 1: 00000000:FFFFF 0:0 0A\n"),
    ("started", b'{"lab": ' + b"[" * 9_000),
    ("host's answers", b'{"ok": true, "value": ' + b"[" * DEEP),
    ("host's answers", b'{"ok": true, "x": ' + b"[" * DEEP),
    ("AUTH challenge", "ü".encode()),
    ("lab.yaml", b"[" * DEEP),
    ("lab.yaml", b"- " * DEEP),
    ("lab.yaml", b"? " * DEEP),
]
SQUARED: list[tuple[str, Shape]] = [
    ("content type", (b"text/plain; a*=", b"a", b"")),
    (
        "message",
        (
            b"Content-Type: multipart/mixed; boundary=b\r\n" + b" \r\n" * 2_000 + b"X: y\r\n\r\n",
            b"--b\r\n\r\n\r\n",
            b"--b--\r\n",
        ),
    ),
    ("header analyser", (b'Authentication-Results: "', b'\\"', b"\r\n\r\n")),
    ("header analyser", (b"Authentication-Results: a; ", b"a", b"\r\n\r\n")),
    ("header analyser", (b"From: <", b"@", b"\r\n\r\n")),
    ("header analyser", (b"From: ", b"a", b"\r\n\r\n")),
    ("header analyser", (b"From: ", b"a", b" <a@b.c>\r\n\r\n")),
    ("judged words", (b"1 ", b"opendkim: ", b"")),
    ("judged words", (b"1 ", b"warning: ", b"")),
    ("judged words", (b"450 ", b"<", b"")),
    ("judged words", (b"", b"message-id:<\n", b"")),
    ("one answer", (b"a", b" ", b"b")),
    ("server plan", (b"", b":", b"")),
    ("sent message", (b"Content-Type: ", b';a="', b"\r\n\r\nx")),
    ("sent message", (b"Content-Type: ", b"=?a?q?a?= ", b"\r\n\r\nx")),
    ("lab.yaml", (b"", b"{", b"")),
]


@every(("name", "data"), RAISED, ids=range(len(RAISED)))
def test_it_is_read_or_refused(name: str, data: bytes) -> None:
    BY_NAME[name].survives(data)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "shape"), SQUARED, ids=range(len(SQUARED)))
def test_it_takes_as_long_as_it_is(name: str, shape: Shape) -> None:
    target = BY_NAME[name]
    assert steep(target, shape, min(32_768, target.largest)) == ""

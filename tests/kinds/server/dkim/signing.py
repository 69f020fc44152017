"""Signs messages with dkimpy, as a server would, and builds evidence of them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from functools import cache
from typing import Any
from unittest.mock import patch

import dkim
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from grader.judge import judge
from grader.kinds.server.declare import ServerCheck
from grader.kinds.server.facts import ServerEvidence
from grader.model.dns import KeyAnswer
from grader.model.result import CheckResult
from grader.model.traffic import Arrival
from tests.judge import builders
from tests.judge.builders import OUTSIDE, TOKEN

DOMAIN = "example.com"
MOMENT = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
"""When messages are signed: as the run of ``builders`` begins."""
KEY_NAME = "mail2026._domainkey.example.com"
MESSAGE = f"""\
Received: from desk.example.com by mail.example.com; Mon, 23 Nov 2026 10:00:00 +0000
From: Alice <alice@example.com>
To: <{OUTSIDE}>
Subject: Lunch ({TOKEN})
Date: Mon, 23 Nov 2026 10:00:00 +0000
Message-ID: <1@desk.example.com>

Shall we have lunch?
.hidden
""".replace("\n", "\r\n").encode()


@cache
def pair(bits: int = 2048) -> tuple[bytes, str]:
    """A private key for dkimpy, and its public half for ``p=``; 256 bits are Ed25519."""
    if bits == 256:
        key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
        seed = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return base64.b64encode(seed), base64.b64encode(public).decode()
    made = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    private = made.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    public = made.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return private, base64.b64encode(public).decode()


def signed(message: bytes = MESSAGE, *, bits: int = 2048, selector: str = "mail2026", domain: str = DOMAIN,
           algorithm: str = "rsa-sha256", longer: int = 0, **options: Any) -> bytes:  # fmt: skip
    """The message with a signature on top, whose ``l=``, if any, counts some octets more than there are."""
    signer = _Signer(message)
    signer.longer = longer
    with patch("dkim.time.time", return_value=MOMENT):
        field: bytes = signer.sign(
            selector.encode(), domain.encode(), pair(bits)[0], algorithm.encode(), **options
        )
    return field + message


class _Signer(dkim.DKIM):  # type: ignore[misc]
    longer = 0

    def gen_header(self, fields: list[tuple[bytes, bytes]], *rest: Any) -> Any:
        counted = [
            (name, b"%d" % (int(value) + self.longer) if name == b"l" else value) for name, value in fields
        ]
        return super().gen_header(counted, *rest)


def answer(text: str | None = None, name: str = KEY_NAME, bits: int = 2048) -> KeyAnswer:
    """What DNS says of a key; the right record unless another text is given."""
    record = f"v=DKIM1; k=rsa; p={pair(bits)[1]}" if text is None else text
    return KeyAnswer(name, "NOERROR", [], [[record.encode()]])


def run(
    check: ServerCheck, *raws: bytes, keys: list[KeyAnswer] | None = None, **fields: Any
) -> ServerEvidence:
    """Evidence of messages that arrived, each of an attempt of its own."""
    numbers = range(1, len(raws) + 1)
    return builders.evidence(
        builders.lab(check),
        [builders.facts(check.code, n, sender="alice@example.com") for n in numbers],
        [builders.outcome("accepted", f"{check.code}/{n}") for n in numbers],
        [arrival(n, raw, [f"{check.code}/{n}"]) for n, raw in zip(numbers, raws, strict=True)],
        keys=[answer()] if keys is None else keys,
        **fields,
    )


def arrival(number: int, raw: bytes, attempts: list[str]) -> Arrival:
    return builders.arrival(id=number, raw=raw, attempts=attempts)


def judged(check: ServerCheck, *raws: bytes, **fields: Any) -> CheckResult:
    """The result of the one check."""
    return judge(run(check, *raws, **fields)).checks[0]

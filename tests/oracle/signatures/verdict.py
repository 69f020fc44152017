"""Which rule of the handout what became of a letter, or of its signatures, breaks."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from grader.model.protocol.host import DeliveredMail
from grader.model.traffic import Arrival, Queued
from tests.oracle.faults import Fault
from tests.oracle.signatures.letters import Letter
from tests.oracle.signatures.receiver import Receiver, Signature

A_DAY = 24 * 3600 - 600
"""A signature has to hold for a day after the message has arrived; a slow run is not held against it."""
LEAST_BITS = 2048
ALTERED = 4
"""So many letters are altered in every way."""
_FIELD = r"(?ims)^{name}:[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*\r?\n"
OTHERS = {
    "from": b"From: <somebody.else@elsewhere.example>\r\n",
    "to": b"To: <another@elsewhere.example>\r\n",
    "cc": b"Cc: <another@elsewhere.example>\r\n",
    "subject": b"Subject: something else\r\n",
    "date": b"Date: Wed, 02 Dec 2026 11:11:11 +0000\r\n",
}


@dataclass
class Arrived:
    """Letters, and where they are at the end."""

    letters: list[Letter]
    outside: list[Arrival]
    kept: list[DeliveredMail]
    queued: list[Queued]
    greets: bool
    runs: bool

    @cached_property
    def _outside(self) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for arrival in self.outside:
            for recipient in arrival.recipients:
                found.setdefault(recipient.partition("@")[0].lower(), arrival.raw)
        return found

    def raw(self, letter: Letter) -> bytes | None:
        """The letter as it lies at its end, outside or in a mailbox."""
        if letter.kind != "strangers":
            return self._outside.get(letter.token)
        mark = letter.token.encode()
        found = next((mail.raw for mail in self.kept if mark in _header(mail.raw)), None)
        # A mailbox has the line ends of its host, a signature is of those of the wire.
        return None if found is None else found.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")

    def waits(self, letter: Letter) -> bool:
        """Whether it is in the queue."""
        return any(entry.recipient.lower() == letter.recipient.lower() for entry in self.queued)


def faults_of(arrived: Arrived, receiver: Receiver, names: dict[str, str]) -> Iterator[Fault]:
    """Everything that is wrong."""
    if not arrived.greets:
        yield Fault("starts", "nobody is greeted")
        return
    if not arrived.runs:
        yield Fault("runs", "OpenDKIM does not run")
    altered = 0
    for letter in arrived.letters:
        raw = arrived.raw(letter)
        if letter.kind == "stopped":
            yield from _lost(letter, raw, arrived)
        elif raw is None and _wants_tls(letter):
            # Others write in the clear: between servers TLS is an offer (RFC 3207 section 4).
            continue
        elif raw is None:
            yield _missing(letter, arrived)
        elif letter.kind == "strangers":
            signed = [s for s in receiver.signatures(raw) if _aligned(s.domain, names["domain"])]
            if signed:
                yield Fault("strangers", f"{letter}; bears {signed[0]}")
        else:
            ours = [s for s in receiver.signatures(raw) if _aligned(s.domain, names["domain"])]
            yield from _of_ours(letter, ours, receiver)
            if any(s.holds for s in ours) and altered < ALTERED:
                altered += 1
                yield from _alterations(letter, raw, receiver, names["domain"])


def _wants_tls(letter: Letter) -> bool:
    """Whether a letter was not sent as port 25 offers no TLS."""
    offered = any("STARTTLS" in line for line in letter.dialogue)
    return letter.port == 25 and letter.tls == "starttls" and letter.stage == "session" and not offered


def _missing(letter: Letter, arrived: Arrived) -> Fault:
    where = "waits" if arrived.waits(letter) else "is nowhere"
    rule = "receives" if letter.kind == "strangers" else "flows"
    return Fault(rule, f"{letter}; {where}")


def _lost(letter: Letter, raw: bytes | None, arrived: Arrived) -> Iterator[Fault]:
    if letter.stage == "accepted" and raw is None and not arrived.waits(letter):
        yield Fault("lost", f"{letter}; is nowhere")


def _of_ours(letter: Letter, ours: list[Signature], receiver: Receiver) -> Iterator[Fault]:
    if not ours:
        yield Fault(letter.kind, f"{letter}; bears no signature of the domain")
        return
    for signature in ours:
        if not signature.known:
            # Of such a signature no more is asked here than that there is a key for it.
            if not receiver.has_key(signature):
                yield Fault("verifies", f"{letter}; no key for {signature}")
        elif not signature.holds:
            yield Fault("verifies", f"{letter}; {signature}")
        elif signature.expires and signature.expires < time.time() + A_DAY:
            yield Fault("verifies", f"{letter}; expires too early: {signature}")
    rsa = [s for s in ours if s.algorithm == "rsa-sha256" and s.holds]
    if not rsa or any(s.bits < LEAST_BITS for s in rsa):
        yield Fault("strength", f"{letter}; {ours}")


def _alterations(letter: Letter, raw: bytes, receiver: Receiver, domain: str) -> Iterator[Fault]:
    """Copies of a message that verifies, each with one thing changed: they must not."""
    head, end, body = raw.partition(b"\r\n\r\n" if b"\r\n\r\n" in raw else b"\n\n")
    for name, field in OTHERS.items():
        pattern = _FIELD.format(name=name).encode()
        changed, count = re.subn(pattern, field, head + b"\r\n", count=1)
        if count and _holds(receiver, changed[:-2] + end + body, domain):
            yield Fault("headers", f"{letter}; another {name} goes unnoticed")
    for said, text in (
        ("a line more", body + b"One more line.\r\n"),
        ("other words", b"Other words.\r\n" + body),
    ):
        if _holds(receiver, head + end + text, domain):
            yield Fault("text", f"{letter}; {said} goes unnoticed")


def _holds(receiver: Receiver, raw: bytes, domain: str) -> bool:
    return any(s.holds for s in receiver.signatures(raw) if _aligned(s.domain, domain))


def _aligned(domain: str, author: str) -> bool:
    """Relaxed alignment (RFC 9989 section 4.10.1) with an author at the organizational domain itself."""
    return domain == author or domain.endswith(f".{author}")


def _header(raw: bytes) -> bytes:
    return raw.replace(b"\r\n", b"\n").partition(b"\n\n")[0]

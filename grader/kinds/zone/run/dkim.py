"""DKIM signatures on the messages that receivers judge, made and verified by dkimpy (RFC 6376)."""

from __future__ import annotations

import logging

from grader.formats.address import domain_of
from grader.formats.dkim import Key, read_key
from grader.kinds.zone.declare import Signer, ZoneMessage
from grader.kinds.zone.facts import Dkim, DkimFault
from grader.kinds.zone.run.libraries import dkim
from grader.kinds.zone.run.resolver import NoAnswer, Resolver

SIGNED = (b"From", b"To", b"Subject", b"Date", b"Message-ID")
_QUIET = logging.getLogger("grader.kinds.zone.run.dkim")
_QUIET.addHandler(logging.NullHandler())
_QUIET.propagate = False


class Verifier:
    """Signs and verifies messages; each signature is made and looked up once a run."""

    def __init__(self, resolver: Resolver, keys: dict[str, bytes]) -> None:
        self._resolver = resolver
        self._keys = keys
        self._known: dict[tuple[str, Signer], Dkim] = {}

    def verify(self, message: ZoneMessage) -> Dkim | None:
        """Whether the signature that the message bears verifies; ``None`` where it bears none."""
        if message.signed is None:
            return None
        key = message.author, message.signed
        if key not in self._known:
            self._known[key] = self._verified(message.author, message.signed)
        return self._known[key]

    def _verified(self, author: str, wanted: Signer) -> Dkim:
        text = _letter(author)
        header = dkim.sign(
            text,
            wanted.selector.encode(),
            wanted.domain.encode(),
            self._keys[wanted.key],
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=list(SIGNED),
            logger=_QUIET,
        )
        return self._looked_up(header + text, wanted)

    def _looked_up(self, message: bytes, wanted: Signer) -> Dkim:
        name = f"{wanted.selector}._domainkey.{wanted.domain}"

        def failed(fault: DkimFault, why: str, place: tuple[int, int] | None = None) -> Dkim:
            return Dkim(False, wanted.domain, wanted.selector, why, fault, place)

        try:
            records = self._resolver.texts(name)
        except NoAnswer:
            return failed("no-answer", f"DNS does not answer about {name}")
        if not records:
            return failed("no-key", f"{name} has no TXT record")
        if len(records) > 1:
            return failed("several", f"{name} has {len(records)} TXT records, where one belongs")
        key = read_key(records[0])
        if key.problem:
            return failed("key", f"the key at {name} cannot be used: {key.problem}", key.span)
        if key.revoked:
            return failed("revoked", f"the key at {name} was withdrawn: its p= is empty")
        if not _verifies(message, key):
            return failed("signature", f"the signature does not verify with the key at {name}")
        return Dkim(True, wanted.domain, wanted.selector)


def _verifies(message: bytes, key: Key) -> bool:
    """Whether a signature verifies with a key that can be used; dkimpy is not asked what the record means."""
    try:
        return bool(dkim.DKIM(message, logger=_QUIET).verify(dnsfunc=lambda asked, timeout=0: key.record))
    except (dkim.DKIMException, ValueError, IndexError, KeyError):
        return False


def _letter(author: str) -> bytes:
    lines = (
        f"From: {author}",
        "To: reader@receiver.invalid",
        "Subject: News of the month",
        "Date: Mon, 23 Nov 2026 09:00:00 +0000",
        f"Message-ID: <november@{domain_of(author)}>",
        "",
        "This month brought news.",
        "",
    )
    return "\r\n".join(lines).encode()

"""DKIM signatures on the messages that receivers judge, made and verified by dkimpy (RFC 6376)."""

from __future__ import annotations

import logging

from grader.kinds.zone.declare import Signer, ZoneMessage
from grader.kinds.zone.facts import Dkim
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
        name = f"{wanted.selector}._domainkey.{wanted.domain}"
        try:
            records = self._resolver.texts(name)
        except NoAnswer as error:
            return Dkim(False, wanted.domain, wanted.selector, f"DNS: {error}")
        if len(records) != 1:
            found = f"{len(records)} TXT records, where one belongs" if records else "no TXT record"
            return Dkim(False, wanted.domain, wanted.selector, f"{name} has {found}")
        try:
            verified = dkim.DKIM(header + text, logger=_QUIET).verify(
                dnsfunc=lambda asked, timeout=0: records[0]
            )
        except (dkim.DKIMException, ValueError, IndexError, KeyError) as error:
            return Dkim(False, wanted.domain, wanted.selector, f"the key at {name} cannot be used: {error}")
        explanation = "" if verified else f"the signature does not verify with the key at {name}"
        return Dkim(bool(verified), wanted.domain, wanted.selector, explanation)


def _letter(author: str) -> bytes:
    lines = (
        f"From: {author}",
        "To: reader@receiver.invalid",
        "Subject: News of the month",
        "Date: Mon, 23 Nov 2026 09:00:00 +0000",
        f"Message-ID: <november@{author.rpartition('@')[2]}>",
        "",
        "This month brought news.",
        "",
    )
    return "\r\n".join(lines).encode()

"""The mail of an attempt: its envelope, its message, and what is said in place of an ordinary session."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from grader.formats.address import split_address
from grader.formats.rawfields import raw_fields
from grader.kinds.server.declare import USERS
from grader.kinds.server.plan.programs import Programs
from grader.labs.messages import as_programs_write, hidden_message, ordinary_message
from grader.labs.variant import RandomStream
from grader.labs.world import WordLists
from grader.model.attempt import Mail
from grader.model.latepattern import late_pattern
from grader.model.templates import fill
from grader.model.traffic import ANY_MAILBOX
from grader.model.variant import Variant

EIGHT_BITS = "BODY=8BITMIME"
"""The parameter of MAIL that announces octets beyond ASCII (RFC 6152 section 2)."""
_ONCE = frozenset({b"subject", b"date", b"message-id", b"mime-version", b"content-type"})
"""Fields of which a message has one (RFC 5322 section 3.6, RFC 2045 section 4), save those of who writes to whom."""
_NAMES = late_pattern(rb"^([!-9;-~]+):", re.MULTILINE)
_BEYOND = 100
"""Octets by which a message is larger than what a program compares its size with."""


class AttemptNames(Struct, frozen=True):
    """What one attempt may name, and what the rest of it is drawn from."""

    identity: str
    names: dict[str, str]
    draw: RandomStream


class MailWriter:
    """Writes the mails of one run. ``when`` is the Date of all; ``programs`` are what the submission brings."""

    def __init__(self, variant: Variant, words: WordLists, programs: Programs, when: str) -> None:
        self._words = words
        self._programs = programs
        self._when = when
        self._here = frozenset({"", "localhost", variant.names["domain"], variant.names["host"]})

    def fields(
        self, mail: Mail, told: AttemptNames, helo: str, where: str, *, any_mailbox: bool
    ) -> dict[str, Any]:
        """What an attempt has where a mail is to be sent, by its fields. ``helo`` is how the client calls itself.

        ``where`` is the place in the lab for a sentence about a wrong name; ``any_mailbox`` tells that mail to others
        than the users belongs into some mailbox, too. Raises ``LabError`` where a text uses a name that there is not.
        """
        names = told.names

        def filled(text: str) -> str:
            return fill(text, names, where) if "{" in text else text

        recipients = [filled(to) for to in mail.to]
        sender = names["sender_default"] if mail.sender is None else filled(mail.sender)
        message = ordinary_message(
            told.draw,
            self._words,
            token=names["token"],
            sender=sender if mail.header_from is None else filled(mail.header_from),
            recipient=recipients[0] if mail.header_to is None else filled(mail.header_to),
            helo=helo,
            outside=names["outside"],
            when=self._when,
            octets=self._octets(mail),
        )
        if mail.lifelike:
            message = as_programs_write(message)
        if mail.fields:
            message = _with_fields(message, _in_lines(map(filled, mail.fields)))
        if mail.lines:
            header, _, text = message.partition(b"\r\n\r\n")
            message = header + b"\r\n\r\n" + _in_lines(map(filled, mail.lines)) + text
        shown = mail.title or f"mail to {' and '.join(mail.to)}".replace("{token}", "somebody")
        return {
            "title": filled(shown),
            "helo": helo if mail.helo is None else filled(mail.helo),
            "sender": sender,
            "recipients": recipients,
            "parameters": EIGHT_BITS if mail.lifelike else filled(mail.parameters),
            "rcpt_parameters": filled(mail.rcpt_parameters),
            "script": self._script(mail, filled),
            "message": message,
            "before": [filled(command) for command in mail.before],
            "preamble": None if mail.preamble is None else filled(mail.preamble),
            "smuggled": hidden_message(message, sender=sender, recipient=recipients[0])
            if mail.smuggle
            else b"",
            "certificate": mail.certificate,
            "qmqp": mail.qmqp,
            "milter": mail.milter,
            "mailbox": self._mailbox(recipients[0], any_mailbox),
        }

    def _octets(self, mail: Mail) -> int:
        """The least size of a message. Where a program measures sizes, it is beyond the largest that stands in it."""
        measured = self._programs.largest(mail.octets_at_most, 0)
        return max(mail.octets, measured + _BEYOND if measured else 0)

    def _script(self, mail: Mail, filled: Callable[[str], str]) -> list[list[str]]:
        """What is said in each write. A name that stands for several lines makes as many writes of its command."""
        times = max(mail.times, self._programs.largest(mail.times_at_most, 0))
        said: list[list[str]] = []
        for entry in mail.script:
            if isinstance(entry, str):
                said += [[line] for line in filled(entry).split("\n")]
            else:
                said += [[filled(command) for command in entry]] * times
        return said

    def _mailbox(self, recipient: str, any_mailbox: bool) -> str | None:
        """The user into whose mailbox a recipient's mail belongs, or any; ``None`` where it is to go elsewhere."""
        address = split_address(recipient)
        user = address.local.split("+", 1)[0]
        if user in USERS and address.domain in self._here:
            return user
        return ANY_MAILBOX if any_mailbox else None


def _with_fields(message: bytes, fields: bytes) -> bytes:
    """A message with fields before all others, in the place of its own where there may be but one of a name."""
    names = {name.lower() for name in _NAMES.findall(fields)} & _ONCE
    header, separator, text = message.partition(b"\r\n\r\n")
    kept = [field for field in raw_fields(header + b"\r\n") if field.partition(b":")[0].lower() not in names]
    return fields + b"".join(kept) + separator.removeprefix(b"\r\n") + text


def _in_lines(texts: Iterable[str]) -> bytes:
    """Texts as lines of a message; one may be several."""
    return "".join(f"{line}\r\n" for text in texts for line in text.split("\n")).encode("ascii")

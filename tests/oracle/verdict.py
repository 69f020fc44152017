"""Which rule of the handout what became of a letter breaks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from grader.model.protocol.host import DeliveredMail
from grader.model.traffic import Arrival, Queued
from grader.world.kept import RECIPIENTS, SAMPLES
from tests.oracle.faults import Fault
from tests.oracle.letters import FOREIGN, Letter

LARGE = 60_000
MOST_KEPT = SAMPLES + RECIPIENTS
"""Messages of which the world keeps what arrived: the oracle's are of no attempt of the lab's."""


class Whereabouts:
    """Where all mail is at the end: outside, in mailboxes, in the queue; and what the server's log says of the rest."""

    def __init__(
        self,
        names: dict[str, str],
        outside: list[Arrival],
        kept: list[DeliveredMail],
        queued: list[Queued],
        log: list[str],
    ) -> None:
        self.names = names
        self.outside = outside
        self.kept = kept
        self.queued = queued
        self.log = log

    @cached_property
    def here(self) -> set[str]:
        """The tokens of letters that lie in mailboxes; a notice that quotes one is none."""
        return {
            token
            for message in self.kept
            for token in message.tokens
            if f"letter {token}".encode() in _header(message.raw)
        }

    def delivered(self, letter: Letter) -> bool:
        """Whether a letter lies in the mailbox of the user to whom it was written; a postmaster may be anybody."""
        user = letter.recipient.partition("@")[0].casefold()
        mark = f"letter {letter.token}".encode()
        return any(
            mark in _header(message.raw) and (user == "postmaster" or user in message.path)
            for message in self.kept
        )

    @cached_property
    def hidden(self) -> list[DeliveredMail]:
        """Messages that came out of others."""
        return [m for m in self.kept if b"\nSubject: hidden " in _header(m.raw)]

    def carried(self, letter: Letter) -> list[Arrival]:
        """What arrived outside and has to do with a letter."""
        mark = letter.token.encode()
        return [
            a
            for a in self.outside
            if mark in a.raw or any(letter.token in r for r in (*a.recipients, a.sender))
        ]

    def waits(self, letter: Letter) -> Queued | None:
        """The entry of the queue in which a letter waits for whom it names."""
        named = letter.recipient.casefold()
        return next(
            (
                entry
                for entry in self.queued
                if letter.token in entry.recipient
                or (entry.recipient.casefold() == named and entry.sender == letter.sender)
            ),
            None,
        )

    def sent_to(self, letter: Letter) -> set[str]:
        """To whom Postfix says that it sent this letter or a bounce of it, where more arrived than is kept."""
        if len(self.outside) < MOST_KEPT:
            return set()
        sent = re.compile(
            rf"to=<([^>]*{letter.token}[^>]*)>,.* relay=\S+\[[\d.]+\]:25, .*status=sent", re.IGNORECASE
        )
        return {found[1] for line in self.log if (found := sent.search(line)) is not None}

    def came_to_an_end(self, letter: Letter) -> bool:
        """Whether Postfix says that it threw the letter away or gave it up, and not that a program got it."""
        ids = set()
        for line in self.log:
            if letter.token in line and (found := re.search(r": ([0-9A-Za-z]{6,20}): ", line)):
                ids.add(found[1])
        about = [line for line in self.log if letter.token in line or any(f": {i}: " in line for i in ids)]
        if any("postfix/pipe[" in line and "status=sent" in line for line in about):
            return False
        return any(
            re.search(r"/discard\[|: discard: |status=(bounced|expired)|/dev/null", line) for line in about
        )


def absent(names: dict[str, str], listeners: list[tuple[str, int, str]]) -> Iterator[Fault]:
    """The ports of the handout that do not serve at one of the server's addresses."""
    for server in (names["host_v4"], names["host_v6"], names["host_lan"]):
        ports = {(port, tls) for address, port, tls in listeners if address == server}
        if not {(587, "starttls"), (465, "implicit")} <= ports:
            yield Fault("user", f"no login is to be had at {server}, which speaks {sorted(ports)}")
        if (25, "none") not in ports:
            rule = "office" if server == names["host_lan"] else "local"
            yield Fault(rule, f"nothing greets at {server} port 25")


def fault_of(letter: Letter, known: Whereabouts) -> Fault | None:
    """The rule that what became of a letter breaks, if any."""
    carried = known.carried(letter)
    bounces = [a for a in carried if not a.sender and letter.sender in a.recipients]
    # Whoever writes to somebody here cannot choose where an alias of theirs leads.
    letters = [a for a in carried if a not in bounces and any(letter.token in r for r in a.recipients)]
    if letter.kind in ("relay", "nobody", "borrowed"):
        return _unwanted(letter, known, carried, bounces, letters)
    if letter.kind == "smuggled":
        count = sum(letter.token.encode() in m.raw for m in known.hidden)
        return Fault("smuggled", str(letter)) if count else None
    if len(letter.text) > LARGE and " 5.3.4 " in letter.reply:
        return Fault("large", str(letter))
    if letter.stage == "session" and letter.port == 25 and letter.tls == "starttls":
        return None  # Whoever meets a server whose TLS is broken sends in the clear (RFC 3207 section 4.1).
    if letter.kind in ("local", "postmaster", "inside"):
        return None if known.delivered(letter) else Fault(letter.kind, str(letter))
    return None if letters or known.sent_to(letter) else Fault(letter.kind, str(letter))


def _unwanted(
    letter: Letter,
    known: Whereabouts,
    carried: list[Arrival],
    bounces: list[Arrival],
    letters: list[Arrival],
) -> Fault | None:
    """What was to be refused: somebody else's mail, mail for nobody, mail under somebody else's name."""
    if letter.kind != "borrowed" and (sent := known.sent_to(letter)):
        bounced = sent <= {letter.sender}
        return Fault("backscatter" if bounced else "relay", f"{letter}; was sent to {sent}, as the log says")
    named = [*letters, *(a for a in carried if letter.recipient in a.recipients and a not in bounces)]
    rule = "borrowed" if letter.kind == "borrowed" else "relay"
    if named:
        return Fault(rule, f"{letter}; arrived at {named[0].where} for {named[0].recipients}")
    if letter.kind == "borrowed":
        if letter.token in known.here:
            return Fault(rule, f"{letter}; is in a mailbox")
        kept = letter.stage == "accepted" and not (carried or known.came_to_an_end(letter))
        return Fault(rule, f"{letter}; was taken and kept") if kept else None
    if bounces and letter.sender:
        return Fault("backscatter", f"{letter}; bounced to {letter.sender}")
    if letter.stage != "accepted":
        return None
    if (waiting := known.waits(letter)) is not None:
        rule = "backscatter" if letter.kind == "nobody" else "relay"
        return Fault(rule, f"{letter}; waits in the queue: {waiting.reason}")
    if letter.kind == "nobody":
        return Fault("unknown", str(letter))
    elsewhere = (*FOREIGN, known.names["outside"], known.names["partner"])
    domain = letter.recipient.rpartition("@")[2].rstrip(".")
    if domain in elsewhere and not (carried or letter.token in known.here or known.came_to_an_end(letter)):
        return Fault("vanished", f"{letter}; is nowhere")
    return None


def _header(raw: bytes) -> bytes:
    """The header of a message, with a line end before each field."""
    return b"\n" + raw.replace(b"\r\n", b"\n").partition(b"\n\n")[0]

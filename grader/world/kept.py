"""What is kept of mail that arrived outside: of attempts' mail all that judging needs, of other mail a sample.

A host may flood the world with mail that nobody asked for. All of it is taken, counted and searched for the tokens of
attempts before any of it is dropped: a flood hides no relayed message, since none of what is kept for one attempt takes
room from another's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from typing import Literal

from msgspec.structs import replace

from grader.model.attempt import Attempt
from grader.model.traffic import Arrival, OutsideMail

SEARCHED_OCTETS = 256 * 1024
"""Of a message, where tokens are looked for, beside its envelope."""

DIGITS_AT_END = 4
"""Of a token as labs draw them. Hundreds of tokens are looked for: in most texts, few of their numbers occur."""
_DIGITS_ONLY = bytes(octet if octet in b"0123456789" else ord(" ") for octet in range(256))

WHOLE_OCTETS = 24 * 1024 * 1024
"""Of attempts' mail that is kept whole, all together."""
WHOLE_MESSAGES = 50
"""Kept of one attempt in one role, while there is room to keep them whole."""
CUT_MESSAGES = 3
"""Kept of one attempt in one role in any case, cut where there is no more room."""
CUT_OCTETS = 8 * 1024

SAMPLES = 50
"""Messages of no attempt that are kept: the first, and then the first to each recipient."""
SAMPLE_OCTETS = 64 * 1024
RECIPIENTS = 100
"""Whose first message of no attempt is kept as well."""
RECIPIENT_OCTETS = 4 * 1024

ENVELOPE_RECIPIENTS = 20
"""Listed of a message that is cut, beside those that a token or an attempt names."""

Role = Literal["named", "notice", "other"]
"""A message to whom the attempt named, a notice (RFC 3464) to its sender, and any other."""


class KeptMail:
    """Mail as it arrives, and what is kept of it."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.tokens: set[str] = set()
        self.through: set[str] = set()
        """Tokens of attempts whose mail came to somebody outside whom they named."""
        self._expected: dict[bytes, tuple[bytes, Attempt]] = {}
        self._octets = 0
        self._kept: Counter[tuple[str, Role]] = Counter()
        self._samples = 0
        self._recipients: set[str] = set()
        self._count = Counter[str]()
        self._digest = sha256()

    def expect(self, attempts: Iterable[Attempt]) -> None:
        """Attempts whose tokens are looked for in what comes from now on."""
        tokens = {attempt.token.lower().encode(): attempt for attempt in attempts if attempt.token}
        self._expected.update({token: (_number_of(token), attempt) for token, attempt in tokens.items()})

    def take(self, arrival: Arrival) -> None:
        """Count a message, look for tokens in it, and keep as much of it as is needed. It may come cut already."""
        digest = arrival.digest or sha256(arrival.raw).hexdigest()
        octets = arrival.octets or len(arrival.raw)
        self._digest.update(bytes.fromhex(digest))
        carried = self._carried(arrival)
        self._count.update(messages=1, octets=octets)
        if not carried:
            self._count.update(unclaimed=1, unclaimed_octets=octets)
            self._sample(arrival, digest)
            return
        self.tokens.update(attempt.token for attempt in carried)
        arrival = replace(arrival, attempts=[attempt.id for attempt in carried])
        self.through.update(a.token for a in carried if _got_through(a, arrival))
        roles = [(attempt.id, _role(arrival, attempt)) for attempt in carried]
        size = len(arrival.raw) + sum(map(len, arrival.recipients))
        if self._octets + size <= WHOLE_OCTETS and any(self._kept[role] < WHOLE_MESSAGES for role in roles):
            self._octets += size
        elif any(self._kept[role] < CUT_MESSAGES for role in roles):
            senders = {attempt.sender.casefold() for attempt in carried}
            named = [
                to
                for to in arrival.recipients
                if to.casefold() in senders or any(_names(attempt, to) for attempt in carried)
            ]
            arrival = _cut(arrival, CUT_OCTETS, digest, named)
        else:
            return
        self._kept.update(roles)
        self._keep(arrival)

    def record(self) -> OutsideMail:
        """What arrived in all, and how much of it was kept."""
        return OutsideMail(
            messages=self._count["messages"],
            octets=self._count["octets"],
            unclaimed=self._count["unclaimed"],
            unclaimed_octets=self._count["unclaimed_octets"],
            kept=len(self.arrivals),
            digest=self._digest.hexdigest(),
        )

    def _carried(self, arrival: Arrival) -> list[Attempt]:
        """The attempts whose token a message carries. Servers on the way may have changed the token's case."""
        envelope = "\n".join((arrival.sender, *arrival.recipients)).encode("utf-8", "replace")
        text = (envelope + b"\n" + arrival.raw[:SEARCHED_OCTETS]).lower()
        numbers = _numbers(text)
        return [
            attempt
            for token, (number, attempt) in self._expected.items()
            if number in numbers and token in text
        ]

    def _sample(self, arrival: Arrival, digest: str) -> None:
        if self._samples < SAMPLES:
            self._samples += 1
            self._keep(_cut(arrival, SAMPLE_OCTETS, digest))
            return
        fresh = [to.casefold() for to in arrival.recipients if to.casefold() not in self._recipients]
        if fresh and len(self._recipients) < RECIPIENTS:
            self._recipients.update(fresh[: RECIPIENTS - len(self._recipients)])
            self._keep(_cut(arrival, RECIPIENT_OCTETS, digest))

    def _keep(self, arrival: Arrival) -> None:
        self.arrivals.append(replace(arrival, id=len(self.arrivals)))


def _number_of(token: bytes) -> bytes:
    """The digits that end a token; none where it ends in anything else."""
    return token[-DIGITS_AT_END:] if token[-DIGITS_AT_END:].isdigit() else b""


def _numbers(text: bytes) -> set[bytes]:
    """What a text may hold of what ends tokens: every sequence of so many digits, overlapping ones too, and nothing."""
    numbers = {
        digits[at : at + DIGITS_AT_END]
        for digits in text.translate(_DIGITS_ONLY).split()
        for at in range(len(digits) - DIGITS_AT_END + 1)
    }
    return numbers | {b""}


def _role(arrival: Arrival, attempt: Attempt) -> Role:
    if any(_names(attempt, to) for to in arrival.recipients):
        return "named"
    sender = attempt.sender.casefold()
    returned = not arrival.sender and any(to.casefold() == sender for to in arrival.recipients)
    return "notice" if returned else "other"


def _got_through(attempt: Attempt, arrival: Arrival) -> bool:
    """Whether a message shows that the attempt got through.

    A notice to its sender does not, nor a copy that a user has sent on, whatever stands in it.
    """
    token, named = attempt.token.casefold(), {to.casefold() for to in attempt.recipients}
    folded = [to.casefold().rstrip(".") for to in arrival.recipients]
    return any(token in to or (attempt.mailbox is None and to in named) for to in folded)


def _names(attempt: Attempt, recipient: str) -> bool:
    """Whether a recipient is one that the attempt named, or carries its token."""
    folded = recipient.casefold().rstrip(".")
    return attempt.token.casefold() in folded or folded in {
        to.casefold().rstrip(".") for to in attempt.recipients
    }


def _cut(arrival: Arrival, octets: int, digest: str, named: Iterable[str] = ()) -> Arrival:
    """The beginning of a message, and of its recipients those ``named`` first."""
    recipients = arrival.recipients
    if len(recipients) > ENVELOPE_RECIPIENTS:
        recipients = list(dict.fromkeys([*named, *recipients[:ENVELOPE_RECIPIENTS]]))[:ENVELOPE_RECIPIENTS]
    if len(arrival.raw) <= octets:
        return replace(arrival, recipients=recipients)
    return replace(
        arrival,
        recipients=recipients,
        raw=arrival.raw[:octets],
        octets=arrival.octets or len(arrival.raw),
        digest=digest,
    )

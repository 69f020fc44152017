"""Evidence with its look-ups made once: what one attempt said, met and caused."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Generic, TypeVar

from msgspec import Struct

from grader.formats.address import split_address
from grader.model.evidence import AnyEvidence
from grader.model.latepattern import late_pattern
from grader.model.pointer import Pointer
from grader.model.traffic import Arrival, AttemptFacts, Outcome, Queued, Reply, Session, Traffic

F = TypeVar("F", bound=Traffic)

OWN_TROUBLE = late_pattern(r"^\d+ smtplab: fatal: ")
"""What the program says that asks the host: the cause of what others complain of."""
SYSTEM_TROUBLE = late_pattern(r"\b(?:fatal|panic): ")
TROUBLE = late_pattern(r"\b(?:error|warning): ")

NULL_SENDERS = ("", "MAILER-DAEMON")
"""How the queue names the null reverse path (RFC 5321 section 4.5.5)."""


END_OF_HEADER = late_pattern(rb"\r?\n\r?\n")

PASSING = late_pattern(
    r"^\d+ |(?<=\w)\[\d+\](?=:)|(?<=: )(?:[0-9A-F]{6,12}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{12,20}): "
    r"| delay=[\d.]+, delays=[\d./]+,"
)
"""What differs in a log line from run to run: when it was written, by which process, about which message, how long it
took."""


class TrafficCase(Struct, frozen=True):
    """One attempt with everything that belongs to it."""

    facts: AttemptFacts
    outcome: Outcome
    session: Session | None
    arrivals: list[Arrival]
    queued: list[Queued]
    tried: bool = True

    @property
    def reached_server(self) -> bool:
        """Whether the server greeted this attempt at all."""
        return self.outcome.stage not in ("connect", "greeting")

    @property
    def accepted(self) -> bool:
        """Whether the server took responsibility for the message (RFC 5321 section 4.2.5)."""
        return self.outcome.stage == "accepted"

    @property
    def last_reply(self) -> Reply | None:
        """The reply that decided the attempt."""
        return self.outcome.replies[-1] if self.outcome.replies else None

    def pointers(self, reply: Reply | None = None) -> list[Pointer]:
        """Where in the evidence to look: the session at its decisive line, then each message."""
        found: list[Pointer] = []
        if self.session is not None:
            reply = reply or self.last_reply
            line = reply.line if reply is not None else max(0, len(self.session.lines) - 1)
            found.append(Pointer("session", self.session.id, line))
        found += [Pointer("message", arrival.id) for arrival in self.arrivals]
        return found

    def relayed(self) -> list[Arrival]:
        """Arrivals outside that are this attempt's mail sent on to the recipient it named.

        A bounce to the sender, an ``always_bcc`` copy or a forwarded alias carries the attempt's text as well,
        but goes to somebody the attempt did not name: that is no relaying.
        """
        return [a for a in self.arrivals if a.place == "outside" and self._named_one_of(a.recipients)]

    def addressed_to(self, arrival: Arrival) -> bool:
        """Whether an arrival went to a recipient as the attempt wrote it, and no alias or route led elsewhere."""
        asked = {recipient.casefold().rstrip(".") for recipient in self.facts.recipients}
        return any(recipient.casefold().rstrip(".") in asked for recipient in arrival.recipients)

    def delivered(self) -> list[Arrival]:
        """This attempt's mail in mailboxes of the host. A notice that quotes it, as a postmaster gets them, is none."""
        token = self.facts.token.encode()
        return [
            a
            for a in self.arrivals
            if a.place == "mailbox" and token in END_OF_HEADER.split(a.raw, maxsplit=1)[0]
        ]

    def bounced(self) -> list[Arrival]:
        """Non-delivery notices about this attempt sent to its envelope sender (RFC 3464)."""
        sender = self.facts.sender.casefold()
        return [
            arrival
            for arrival in self.arrivals
            if arrival.place == "outside"
            and not arrival.sender
            and any(recipient.casefold() == sender for recipient in arrival.recipients)
        ]

    def waiting(self) -> list[Queued]:
        """This attempt's mail that still waits in the queue; a bounce about it does not count."""
        return [entry for entry in self.queued if entry.sender not in NULL_SENDERS or not self.facts.sender]

    def waits_for_outside(self) -> list[Queued]:
        """This attempt's mail in the queue that goes to a recipient that the attempt named."""
        return [entry for entry in self.waiting() if self.names_outside(entry.recipient)]

    def names_outside(self, recipient: str) -> bool:
        """Whether a queued recipient is the one that the attempt named."""
        return self._named_one_of([recipient])

    @property
    def for_users_alone(self) -> bool:
        """Whether the message goes to users of the server and to nobody outside."""
        return self.facts.mailbox is not None and not any(
            self.facts.token.casefold() in recipient.casefold() for recipient in self.facts.recipients
        )

    def _is_users(self, recipient: str) -> bool:
        """Whether a recipient is the user of the server to whom the message belongs, and not somebody outside."""
        return split_address(recipient).local.partition("+")[0] == self.facts.mailbox

    def _named_one_of(self, recipients: list[str]) -> bool:
        token = self.facts.token.casefold()
        named = {
            recipient.casefold().rstrip(".")
            for recipient in self.facts.recipients
            if not self._is_users(recipient)
        }
        return any(
            (token and token in recipient.casefold()) or recipient.casefold() in named
            for recipient in recipients
        )


class EvidenceIndex(Generic[F]):
    """Look-ups into one evidence document: ``evidence`` is its head, ``facts`` what the kind recorded."""

    def __init__(self, evidence: AnyEvidence, facts: F) -> None:
        self.evidence = evidence
        self.facts = facts
        self._sessions = {session.id: session for session in facts.sessions}
        self._outcomes = {outcome.attempt: outcome for outcome in facts.outcomes}
        self._arrivals: dict[str, list[Arrival]] = defaultdict(list)
        for arrival in facts.arrivals:
            for attempt in arrival.attempts:
                self._arrivals[attempt].append(arrival)
        self._lines_with: dict[re.Pattern[str], dict[int, re.Match[str]]] = {}
        self._first_with: dict[re.Pattern[str], int | None] = {}
        self._logged: dict[int, str] = {}
        self._queued: dict[str, list[Queued]] = defaultdict(list)
        for entry in self.left_in_queue():
            for attempt in entry.attempts:
                self._queued[attempt].append(entry)

    def left_in_queue(self) -> list[Queued]:
        """What still waited in the student's queue, where there is one."""
        return []

    def cases(self, check: str) -> Iterator[TrafficCase]:
        """The attempts made for a check, in the order of the plan."""
        for facts in self.facts.attempts:
            if facts.check == check:
                known = self._outcomes.get(facts.id)
                outcome = known or Outcome(attempt=facts.id, stage="untried")
                session = self._sessions.get(outcome.session) if outcome.session is not None else None
                yield TrafficCase(
                    facts,
                    outcome,
                    session,
                    self._arrivals[facts.id],
                    self._queued[facts.id],
                    known is not None,
                )

    def comes_of_a_client(self, line: str) -> bool:
        """Whether a line of the log tells of what a client did, which is no reason for a server not to serve."""
        return False

    @cached_property
    def decisive_log(self) -> int | None:
        """Index of the log line that best explains a server that does not serve: a fatal one, else a warning."""
        for pattern in (OWN_TROUBLE, SYSTEM_TROUBLE, TROUBLE):
            found = [n for n in self.lines_with(pattern) if not self.comes_of_a_client(self.facts.log[n])]
            if found:
                # Which process is first to complain is chance: the same trouble is told in the same words every time.
                return min(found, key=self.logged)
        return None

    def lines_with(self, pattern: re.Pattern[str]) -> Mapping[int, re.Match[str]]:
        """The lines of the log in which a pattern is found, in their order; each pattern is looked for once."""
        if pattern not in self._lines_with:
            searched = ((n, pattern.search(line)) for n, line in enumerate(self.facts.log))
            self._lines_with[pattern] = {n: found for n, found in searched if found is not None}
        return self._lines_with[pattern]

    def first_with(self, pattern: re.Pattern[str]) -> int | None:
        """Of the lines in which a pattern is found, the first by its words; ``None`` where there is none.

        Which process is first to complain is chance: the same trouble is told in the same words every time.
        """
        if pattern not in self._first_with:
            self._first_with[pattern] = min(self.lines_with(pattern), key=self.logged, default=None)
        return self._first_with[pattern]

    def logged(self, index: int) -> str:
        """A line of the log without what is different in every run."""
        if index not in self._logged:
            self._logged[index] = PASSING.sub("", self.facts.log[index])
        return self._logged[index]

"""Look-ups into the evidence of a server: beside what all traffic has, its queue, its milters, signatures."""

from __future__ import annotations

import re
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from grader.kinds.server.facts import ServerFacts
from grader.kinds.server.judge.settings import PostfixSettings
from grader.kinds.traffic.index import SYSTEM_TROUBLE, TROUBLE, EvidenceIndex, TrafficCase
from grader.kinds.traffic.log import LogLine, LogLookups
from grader.model.latepattern import late_pattern
from grader.model.traffic import Queued

if TYPE_CHECKING:
    from grader.kinds.server.judge.dkim.reading import Signatures

MILTER_TROUBLE = late_pattern(
    r"\A(?>.*?\bopendkim(?:\[\d+\])?: ).*?(?:error|can't|cannot|corrupt|not secure|failed|unable|"
    r"unavailable|unknown key)|"
    r"\A(?>.*?\bwarning: ).*?\bmilter\b",
    re.IGNORECASE,
)
"""A milter that cannot work, and Postfix that cannot reach it. What begins a line counts where it first stands: to go
on from each place where it stands again would take a hostile line's length squared."""
REFUSED_BY_MILTER = late_pattern(r"milter-reject: END-OF-MESSAGE")
"""What cleanup(8) notes of a message that a milter did not let pass."""
CAUSE = late_pattern(
    r"can't|corrupt|not secure|unknown key '|No such|denied|refused|\bPEM_|resource unavailable|unsupported|"
    r"unknown smtpd restriction|has been removed|private key too small|disabling TLS support"
)
"""Words of a line that names a cause; others tell what came of it."""
_HARMLESS = r"ignored: no SASL support|does not resolve to address|hostname \S+ verification failed"
HARMLESS = late_pattern(_HARMLESS)
"""Warnings that come of a client, or of a rule that does not apply to it."""
OF_CLIENTS = late_pattern(
    rf"{_HARMLESS}|authentication failed|reject: ETRN|TLS library problem: .*:(?:http request|https proxy "
    r"request|wrong version number|unexpected eof|unexpected message|packet length|bad record type)"
)
"""Warnings about what a client did: probing makes all of them."""
WITHOUT_TLS = late_pattern("disabling TLS support")
"""What a process of Postfix says once, before it serves anybody, where it cannot read its certificate or its key."""
NO_TLS = late_pattern(r"TLS not available due to local problem|TLS context initialization failed")
MOST_TROUBLES = 2
"""Lines of a session's trouble that are quoted."""
MOST_SEARCHED = 500
"""Lines of it among which these are chosen: a log may be flooded."""


def _last_words(about: list[LogLine]) -> set[int]:
    """What a milter said last before Postfix notes that it refused a message: that says why, in whatever words."""
    found: set[int] = set()
    before: int | None = None
    for line in about:
        if line.program.startswith("opendkim") and line.queue:
            before = line.index
        elif before is not None and REFUSED_BY_MILTER.match(line.text):
            found.add(before)
    return found


class ServerIndex(EvidenceIndex[ServerFacts]):
    """Look-ups into one evidence document of a server."""

    def left_in_queue(self) -> list[Queued]:
        """See ``EvidenceIndex``."""
        return self.facts.queued

    def comes_of_a_client(self, line: str) -> bool:
        """See ``EvidenceIndex``."""
        return OF_CLIENTS.search(line) is not None

    @cached_property
    def log(self) -> LogLookups:
        """The server's log, which knows what its lines are about."""
        return LogLookups(self.facts.log)

    def troubles(self, case: TrafficCase) -> list[int]:
        """Lines of the log in which this very session's trouble is told, the cause before what came of it."""
        about = self.log.of(case.facts, case.session)
        last_words = _last_words(about)
        telling = (line.index for line in about if line.index in last_words or line.index in self._troubles)
        # Passwords are tried that are wrong on purpose: of who has logged in, or never does, that tells nothing.
        spoken = case.outcome.stage not in ("greeting", "ehlo")
        tells = spoken and case.facts.user is not None and not case.outcome.authenticated
        harmless = HARMLESS if tells else OF_CLIENTS
        past = self.lines_with(harmless)
        lines = list(islice((index for index in telling if index not in past), MOST_SEARCHED))
        reply = case.last_reply
        if reply is not None and NO_TLS.search(reply.text):
            begun = self.lines_with(WITHOUT_TLS)
            lines = [min(begun, key=self.logged)] if begun else lines
        told = {self.logged(index): index for index in reversed(lines)}
        causes = self.lines_with(CAUSE)
        return sorted(told.values(), key=lambda n: (n not in causes, n))[:MOST_TROUBLES]

    def refused_to_strangers(self, case: TrafficCase) -> bool:
        """Whether mail for the same user was refused to somebody who had not logged in."""
        taken = {outcome.attempt for outcome in self.facts.outcomes if outcome.stage == "accepted"}
        tried = {outcome.attempt for outcome in self.facts.outcomes}
        return any(
            other.id != case.facts.id
            and other.mailbox == case.facts.mailbox
            and other.user is None
            and other.recipients == case.facts.recipients
            and other.id in tried - taken
            for other in self.facts.attempts
        )

    @cached_property
    def _troubles(self) -> set[int]:
        """The lines of the log that tell of a trouble, whosever it is."""
        return {n for p in (MILTER_TROUBLE, TROUBLE, SYSTEM_TROUBLE) for n in self.lines_with(p)}

    @cached_property
    def settings(self) -> PostfixSettings:
        """What Postfix said of its settings."""
        return PostfixSettings(self.facts.commands, self.facts.settings)

    @cached_property
    def signatures(self) -> Signatures:
        """The signatures of the messages that arrived."""
        # Few labs are about signatures, and the others need not wait for the libraries.
        from grader.kinds.server.judge.dkim.reading import Signatures

        return Signatures(self.evidence, self.facts)

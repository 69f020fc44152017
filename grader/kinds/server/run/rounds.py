"""The order in which attempts are made."""

from __future__ import annotations

import time
from collections.abc import Iterator

from msgspec.structs import replace

from grader.kinds.server.declare import WANTED, ServerLab
from grader.model.attempt import Attempt
from grader.model.deadline import Deadline
from grader.model.traffic import Outcome, Reply
from grader.world.sharing import ERRORS_A_SESSION, session_of, sociable

TEMPORARY = (421, 450, 451)
"""Replies that ask a sender to come back: greylisting, postscreen's first meeting (RFC 5321 section 4.2.1)."""

MILTERS = (451, 454)

NO_SMTPD = "All server ports are busy"
"""How postscreen(8) parts from a client whom it cannot hand to an smtpd: none is there."""

PASSING = "4.3.2"
WITHOUT_MILTER = "Service unavailable - try again later"
"""How Postfix puts mail off while it cannot ask a milter: trouble of its own too, though it does not say 4.3.x."""

COME_BACK_SECONDS = 3.0
FIRST_PAUSE_SECONDS = 0.1


class Rounds:
    """Attempts in rounds; each round may look at the outcomes of those before it.

    First the greetings and one attempt a listener, so that a dead one is not waited for again and again; then all that
    stands on its own; then what is needless once something simpler got through. What the server puts off is tried
    again, as every real sender does.

    ``besides`` may be made in the sessions of the first round, and those that were are in no later one: a session costs
    a server more than what is said in it.
    """

    def __init__(self, lab: ServerLab, attempts: list[Attempt], outcomes: dict[str, Outcome]) -> None:
        self._greetings = {check.code for check in lab.checks if check.expect.greets}
        self._wanted = {
            check.code for check in lab.checks if check.expect.arrives in WANTED or check.expect.authenticates
        }
        self._lab = lab
        self._outcomes = outcomes
        self._greets = [a for a in attempts if a.check in self._greetings]
        self._first = [*self._greets, *self._one_a_listener(attempts)]
        later = [a for a in attempts if a not in self._first]
        wanted = [a for a in later if a.check in self._wanted]
        others = [a for a in later if a.check not in self._wanted]
        self._second = [*wanted, *(a for a in others if not a.unless_arrived)]
        self._third = [a for a in others if a.unless_arrived]
        self.besides = _fitting(self._first, [a for a in self._second if a not in wanted])

    def __iter__(self) -> Iterator[list[Attempt]]:
        yield self._first
        made = [a for a in self.besides if a.id in self._outcomes]
        yield from self._again([*(a for a in self._first if a not in self._greets), *made])
        doomed = self._doomed()
        for some in ([a for a in self._second if a not in made], self._third):
            attempts = [attempt for attempt in some if attempt.check not in doomed]
            yield attempts
            yield from self._again(attempts)

    def _one_a_listener(self, attempts: list[Attempt]) -> list[Attempt]:
        """One plain attempt on each listener that no greeting is asked of, so that its death is known as early."""
        chosen = {(a.server, a.listener): a for a in self._greets}
        for attempt in sorted(attempts, key=lambda a: a.check not in self._wanted):
            odd = attempt.before or attempt.preamble is not None or attempt.not_smtp or attempt.script
            if not (attempt.unless_arrived or odd):
                chosen.setdefault((attempt.server, attempt.listener), attempt)
        return [attempt for attempt in chosen.values() if attempt not in self._greets]

    def _doomed(self) -> set[str]:
        """Checks that will be skipped whatever happens, because they need a server that greets."""
        failed = {a.check for a in self._greets if not answered(self._outcomes.get(a.id))}
        grown = True
        while grown:
            more = {check.code for check in self._lab.checks if failed & set(check.needs)} - failed
            failed |= more
            grown = bool(more)
        return failed - self._greetings

    def _again(self, attempts: list[Attempt]) -> Iterator[list[Attempt]]:
        """Come back as a sender's queue would (RFC 5321 section 4.5.4.1), in shorter steps.

        Spammers do so too: a relay that opens at the second try is open.
        """
        deadline, pause = Deadline(COME_BACK_SECONDS), 0.0
        while back := [a for a in attempts if asks_to_come_back(self._outcomes.get(a.id))]:
            if deadline.over:
                return
            time.sleep(min(pause, deadline.left))
            pause = pause * 2 or FIRST_PAUSE_SECONDS
            yield back


def _fitting(first: list[Attempt], later: list[Attempt]) -> list[Attempt]:
    """Later attempts for which sessions of the first ones have room."""
    room = {session_of(attempt): ERRORS_A_SESSION for attempt in first if sociable(attempt)}
    for attempt in first:
        if sociable(attempt):
            room[session_of(attempt)] -= 1
    found = []
    for attempt in later:
        key = session_of(attempt)
        if room.get(key, 0) > 0:
            room[key] -= 1
            found.append(attempt)
    return found


def greeted(outcome: Outcome | None) -> bool:
    """Whether the server greeted this attempt."""
    return outcome is not None and outcome.stage not in ("connect", "greeting")


def answered(outcome: Outcome | None) -> bool:
    """Whether the server greeted this attempt or refused it: what it refuses one client, it may give the next."""
    return outcome is not None and (greeted(outcome) or bool(outcome.replies))


def silent(outcome: Outcome) -> bool:
    """Whether the server was gone before anything could be asked of it, and refused nothing either."""
    return outcome.stage in ("connect", "greeting", "preface") and not outcome.replies


def asks_to_come_back(outcome: Outcome | None) -> bool:
    """Whether a server refused for now only. Trouble of its own (4.3.x, RFC 3463) will not be over in a moment.

    4.3.2, "not accepting messages", is no trouble: postscreen says so once to every client that passed its deep tests.
    """
    if outcome is None or not outcome.replies:
        return False
    reply = outcome.replies[-1]
    return reply.code in TEMPORARY and not own_trouble(reply)


def own_trouble(reply: Reply) -> bool:
    """Whether a server puts off for a trouble of its own: no room, a table that cannot be read, a dead milter.

    A milter that has a trouble says 451 4.7.0, and Postfix 454 4.7.0 where it cannot check a password or begin TLS.
    """
    enhanced = reply.enhanced or ""
    return (
        (enhanced.startswith("4.3.") and (enhanced != PASSING or reply.text.endswith(NO_SMTPD)))
        or (reply.code in MILTERS and enhanced == "4.7.0")
        or reply.text.endswith(WITHOUT_MILTER)
    )


class DeadListeners:
    """Knows which listeners serve nobody, so that their attempts share what is known instead of waiting for it again.

    A port that waits for a PROXY header is dead to all but those who send one, one for QMQP to all but those who speak
    it, and a server that refuses one client by
    its greeting (RFC 5321 section 3.1) may serve the next.
    """

    def __init__(self, attempts: list[Attempt], outcomes: dict[str, Outcome]) -> None:
        self._outcomes = outcomes
        self._listeners: dict[tuple[str, str], list[str]] = {}
        for attempt in attempts:
            if attempt.preamble is None and not attempt.before and not attempt.not_smtp:
                self._listeners.setdefault((attempt.server, attempt.listener), []).append(attempt.id)

    def spare(self, attempt: Attempt) -> bool:
        """Whether the attempt needs no try; then it has the outcome of the one that found its listener dead."""
        if attempt.preamble is not None or attempt.not_smtp or attempt.id in self._outcomes:
            return False
        others = self._listeners.get((attempt.server, attempt.listener), [])
        known = next((self._outcomes[other] for other in others if other in self._outcomes), None)
        if known is None or not silent(known):
            return False
        self._outcomes[attempt.id] = replace(known, attempt=attempt.id)
        return True

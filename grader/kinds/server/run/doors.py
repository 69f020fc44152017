"""Ports at which a program of the student's greets nobody: it may greet whoever waits longer, or comes again.

Postfix greets, or says why not. A program may be mute for a quarter of a minute, or hang up on the first hundred
clients, and relay for the next; spammers have time for both. What it does to the end of the run nobody can know.
What Postfix asks at a port, such as a policy server, waits for the question, and is not waited for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from grader.kinds.server.facts import ServerPlan
from grader.kinds.server.run.rounds import silent
from grader.model.attempt import Attempt
from grader.model.deadline import Deadline
from grader.model.protocol.world import Probe
from grader.model.traffic import Outcome, Session

KNOCK_SECONDS = 25.0
"""How long those who were not greeted wait at such a port, or come again; handouts promise that of twenty."""
FIRST_PAUSE_SECONDS = 0.5
LONGER = 1.5

Door = tuple[str, int]
"""A server's address and a port of it."""


def knock(
    plan: ServerPlan,
    attempts: Sequence[Attempt],
    outcomes: dict[str, Outcome],
    sessions: Mapping[int, Session],
    probe: Callable[[Probe], list[Outcome]],
    deadline: Deadline,
    sleep: Callable[[float], None] = time.sleep,
) -> list[str]:
    """Make again what programs left without a greeting, and give the ids of what never got one.

    ``outcomes`` are kept up to date. Whoever is hung up on comes again and again; whoever hears nothing waits, once.
    """
    within, pause = deadline.within(KNOCK_SECONDS), FIRST_PAUSE_SECONDS

    def try_(some: Sequence[Attempt], greeting: float | None = None) -> None:
        again = Probe(list(some), within.left, greeting, afresh=greeting is not None)
        outcomes.update({outcome.attempt: outcome for outcome in probe(again)})

    while closed := _at(attempts, _shut(plan, attempts, outcomes, sessions, ("closed", "reset"))):
        if within.over:
            break
        sleep(min(pause, within.left))
        pause *= LONGER
        try_(closed)
        if not _shut(plan, closed, outcomes, sessions, ("closed", "reset")):
            try_([a for a in closed if silent(outcomes[a.id])])
    mute = _at(attempts, _shut(plan, attempts, outcomes, sessions, ("timeout",)))
    if plain := [a for a in mute if _plain(a)]:
        try_(plain, within.left)
    return [a.id for a in _at(attempts, _shut(plan, attempts, outcomes, sessions))]


def _shut(
    plan: ServerPlan,
    attempts: Sequence[Attempt],
    outcomes: Mapping[str, Outcome],
    sessions: Mapping[int, Session],
    ends: Sequence[str] = ("closed", "reset", "timeout"),
) -> set[Door]:
    """Where a program greeted nobody, in whichever way it was spoken to, and a session ended in one of these ways."""
    if not plan.programs:
        return set()
    met = [(a, outcomes[a.id]) for a in attempts if a.id in outcomes and a.port not in plan.explained_ports]
    # QMQP has no greeting: whoever speaks it begins (cr.yp.to/proto/qmqp.html).
    open_ = {_door(a) for a, outcome in met if outcome.replies or not (a.not_smtp or silent(outcome))}
    ended = {
        _door(a) for a, outcome in met if outcome.stage == "greeting" and _end(outcome, sessions) in ends
    }
    return ended - open_


def _at(attempts: Sequence[Attempt], doors: set[Door]) -> list[Attempt]:
    return [a for a in attempts if _door(a) in doors and not a.apart]


def _door(attempt: Attempt) -> Door:
    return attempt.server, attempt.port


def _end(outcome: Outcome, sessions: Mapping[int, Session]) -> str:
    session = sessions.get(outcome.session) if outcome.session is not None else None
    return session.end if session is not None else ""


def _plain(attempt: Attempt) -> bool:
    """Whether it takes no session of its own; with STARTTLS the greeting is the same as without TLS."""
    odd = (
        attempt.before or attempt.preamble is not None or attempt.not_smtp or attempt.script or attempt.login
    )
    return not odd and not attempt.smuggled and attempt.tls != "starttls"

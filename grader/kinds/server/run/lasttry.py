"""What a server left without an answer is tried once more at the end, beside mail that it is known to take.

A server that is starved, out of room or out of memory sends nothing on for the moment: that is no refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence

from msgspec import Struct

from grader.kinds.server.declare import WANTED, ServerLab
from grader.kinds.server.run.rounds import greeted, own_trouble, silent
from grader.model.attempt import Attempt
from grader.model.deadline import Deadline
from grader.model.traffic import Outcome, Session

LEAST_SECONDS = 6.0
"""How long the last try may take where nothing of the run's time is left."""
MOST_SECONDS = 25.0
LATE_SECONDS = 2.0
"""At least, for the others at a listener that has greeted after all."""

Try = Callable[[list[Attempt], float], list[Outcome]]
"""Makes attempts within so many seconds, with more patience than usual, and gives what became of each."""


Place = tuple[str, str]
"""A server's address and a way to speak to one of its ports."""


class LastTry(Struct, frozen=True):
    """What came of it: the attempts that still have no answer, and whether the server took what it took before.

    ``serving`` is ``None`` where nothing was open, and nobody asked. ``outcomes`` are those of attempts that were
    answered now.
    """

    unanswered: list[str] = []
    serving: bool | None = None
    outcomes: dict[str, Outcome] = {}


def make_last_try(
    lab: ServerLab,
    attempts: Sequence[Attempt],
    outcomes: Mapping[str, Outcome],
    sessions: Mapping[int, Session],
    try_: Try,
    left: float,
    dead_ports: Container[int] = (),
) -> LastTry:
    """Make again what was left open, beside a message that was taken.

    That is what ought to be refused, and wanted mail that had no answer in time. Listeners that greeted nobody are
    asked once more, unless they hung up on everybody, as one that waits for a PROXY header does, or are known as
    ``dead_ports``.
    ``sessions`` holds those of ``try_`` too, once it was called; ``left`` are the seconds that remain of the run.
    """
    mute = _mute_listeners(attempts, outcomes)
    control = _taken_before(lab, attempts, outcomes)
    open_ = [a for a in attempts if not a.apart and left_open(a, outcomes.get(a.id), sessions)]
    wanted = {c.code for c in lab.checks if c.expect.arrives in WANTED or c.expect.authenticates}
    slow = [
        a
        for a in open_
        if a.check in wanted and _place(a) not in mute and _timed_out(outcomes[a.id], sessions)
    ]
    # Where nobody could send anything, checks with controls are not judged.
    judged = {c.code for c in lab.checks if c.expect.keeps_out and (control or slow or not c.control)}
    hangs_up = {
        a.port for a in _plain(attempts) if _place(a) in mute and _turned_away(outcomes.get(a.id), sessions)
    }
    kept_out = [
        a
        for a in open_
        if a.check in judged and not (_place(a) in mute and (a.port in hangs_up or a.port in dead_ports))
    ]
    if not slow and not kept_out:
        return LastTry()
    seconds = min(max(left, LEAST_SECONDS), MOST_SECONDS)
    deadline = Deadline(seconds)
    first = [a for a in kept_out if _place(a) not in mute]
    asked = {_place(a): a for a in reversed(kept_out) if _place(a) in mute}
    takers = [*([control] if control else []), *slow]
    found = {o.attempt: o for o in try_([*takers, *first, *asked.values()], seconds)}
    serving = any(found[a.id].stage == "accepted" for a in takers if a.id in found)
    heard = {place for place, a in asked.items() if _spoke(found.get(a.id))}
    if late := [a for a in kept_out if _place(a) in heard and a is not asked[_place(a)]]:
        found.update({o.attempt: o for o in try_(late, max(deadline.left, LATE_SECONDS))})
    answered = {
        a.id: found[a.id]
        for a in (*slow, *kept_out)
        if a.id in found and not left_open(a, found[a.id], sessions)
    }
    # A listener that greeted nobody from first to last, while another served, serves nobody.
    dead = mute - heard if serving else set()
    unanswered = [a.id for a in kept_out if a.id not in answered and _place(a) not in dead]
    return LastTry(unanswered, serving, answered)


def left_open(attempt: Attempt, outcome: Outcome | None, sessions: Mapping[int, Session]) -> bool:
    """Whether a server neither took nor refused: it fell silent, hung up, or spoke of a trouble of its own.

    A port that is closed is an answer, and so is what a server of SMTP makes of a PROXY header or of QMQP.
    """
    if outcome is None or outcome.stage in ("accepted", "said", "untried"):
        return False
    if attempt.preamble is not None or attempt.not_smtp:
        return False
    session = sessions.get(outcome.session) if outcome.session is not None else None
    if session is None or session.end == "refused":
        return False
    reply = outcome.replies[-1] if outcome.replies else None
    broke_off = outcome.last_line >= len(session.lines) - 1 and session.end != "quit"
    if attempt.say and broke_off and session.end == "timeout":
        return True
    if reply is not None and reply.code >= 400:
        return own_trouble(reply)
    return broke_off


def _taken_before(
    lab: ServerLab, attempts: Sequence[Attempt], outcomes: Mapping[str, Outcome]
) -> Attempt | None:
    """A message that the server took, of those by which checks are controlled if there is one."""
    controls = {code for check in lab.checks for code in check.control}
    taken = [
        a
        for a in attempts
        if not a.apart and (outcome := outcomes.get(a.id)) is not None and outcome.stage == "accepted"
    ]
    return min(taken, key=lambda a: a.check not in controls, default=None)


def _plain(attempts: Sequence[Attempt]) -> list[Attempt]:
    """Those that speak SMTP from the start: what is made of a PROXY header or of QMQP tells nothing of the others."""
    return [a for a in attempts if a.preamble is None and not a.before and not a.not_smtp]


def _timed_out(outcome: Outcome, sessions: Mapping[int, Session]) -> bool:
    session = sessions.get(outcome.session) if outcome.session is not None else None
    return session is not None and session.end == "timeout"


def _place(attempt: Attempt) -> Place:
    return attempt.server, attempt.listener


def _mute_listeners(attempts: Sequence[Attempt], outcomes: Mapping[str, Outcome]) -> set[Place]:
    """Where nobody who spoke SMTP from the start, as other servers and mail programs do, was ever greeted."""
    plain = [a for a in _plain(attempts) if a.id in outcomes]
    return {_place(a) for a in plain} - {_place(a) for a in plain if _spoke(outcomes[a.id])}


def _turned_away(outcome: Outcome | None, sessions: Mapping[int, Session]) -> bool:
    """Whether a server hung up instead of greeting, with 421 or without a word."""
    if outcome is None or outcome.stage != "greeting":
        return False
    session = sessions.get(outcome.session) if outcome.session is not None else None
    return bool(outcome.replies) or (session is not None and session.end == "closed")


def _spoke(outcome: Outcome | None) -> bool:
    """Whether a server greeted."""
    return outcome is not None and greeted(outcome) and not silent(outcome)

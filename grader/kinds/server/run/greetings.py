"""Greetings that have not come yet: what the server's log and its first words say of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grader.model.attempt import Attempt
from grader.model.latepattern import late_pattern
from grader.model.traffic import Outcome, Session

WAITS = late_pattern(r"postscreen\[\d+\]: CONNECT from \[[^\]]*\]:\d+ to \[([^\]]*)\]:(\d+)")
DEATH = late_pattern(r"smtpd\[\d+\]: (?:fatal|panic): |smtpd: bad command startup -- throttling")
WORK = late_pattern(r"smtpd\[(\d+)\]: (?:connect from \S*\[([^\]]*)\]|disconnect from |fatal: |panic: )")

NOBODY_THERE = late_pattern(
    r"smtpd\[\d+\]: warning: connect #\d+ to subsystem \S+: No such file or directory"
)
"""An smtpd needs a program that master.cf does not start: it tries ten times, ten seconds apart (mail_connect.c)."""

NOBODY_MOVES = late_pattern(
    r"cleanup\[\d+\]: warning: unable to look up public/\S+: No such file or directory"
)
"""A cleanup(8) tells no queue manager of the mail that it has put into the queue: master.cf starts none."""


def nobody_moves(log: Sequence[str]) -> bool:
    """Whether mail stays where it is because no queue manager runs, by the server's log."""
    return any(NOBODY_MOVES.search(line) for line in log)


def nobody_there(log: Sequence[str]) -> bool:
    """Whether an smtpd waits for a program that will not come, by the server's log."""
    return any(NOBODY_THERE.search(line) for line in log)


def held_back(log: Sequence[str]) -> set[tuple[str, int]]:
    """Addresses and ports where postscreen lets clients wait for its greeting (postscreen(8)), by the server's log."""
    return {(found[1], int(found[2])) for line in log if (found := WAITS.search(line))}


def died(log: Sequence[str]) -> bool:
    """Whether a process of Postfix that was to greet came to its end instead, by the server's log."""
    return any(DEATH.search(line) for line in log)


def at_work(log: Sequence[str]) -> set[str]:
    """Addresses of clients for whom some smtpd is at work, by the server's log: it may be letting them wait."""
    clients: dict[str, str] = {}
    for line in log:
        if found := WORK.search(line):
            clients[found[1]] = found[2] or ""
    return {address for address in clients.values() if address}


def half_greeted(outcome: Outcome, sessions: Mapping[int, Session]) -> bool:
    """Whether a greeting had begun and was to go on, as postscreen's does while it waits."""
    session = sessions.get(outcome.session) if outcome.session is not None else None
    lines = session.lines if session is not None else []
    return bool(lines) and lines[-1].who == "S" and lines[-1].text.startswith("220-")


def mute(attempt: Attempt, outcome: Outcome, spoken: set[tuple[str, int]]) -> bool:
    """Whether a port took a connection and has said nothing in any way, so that a longer wait may bring a greeting.

    What listens on a further port need not be a mail server, or one that speaks first: where it has ``spoken`` in
    another way, in TLS for one, nobody waits.
    """
    connected = outcome.stage != "connect" and attempt.tls != "implicit"
    return connected and (attempt.server, attempt.port) not in spoken


def fell_silent(outcome: Outcome, sessions: Mapping[int, Session]) -> bool:
    """Whether a server that had greeted left a command without an answer."""
    session = sessions.get(outcome.session) if outcome.session is not None else None
    greeted = outcome.stage not in ("connect", "greeting", "accepted")
    return greeted and session is not None and session.end == "timeout"

"""Coming back, at the end, to what a server has only put off: greylisting lets through whoever waits long enough.

A temporary refusal refuses nothing yet: senders keep the message and come back for days (RFC 5321 section 4.5.4.1),
and those who send spam do so too. Where nothing but Postfix decides, it says the same tomorrow; a program, a milter or
postscreen may say something else in ten seconds.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Container, Mapping, Sequence

from grader.kinds.server.declare import WANTED, ServerLab
from grader.kinds.server.run.rounds import own_trouble
from grader.model.attempt import Attempt
from grader.model.deadline import Deadline
from grader.model.latepattern import late_pattern
from grader.model.traffic import Outcome

COME_BACK_SECONDS = 25.0
"""How long whoever was put off keeps coming back; handouts promise twenty of them."""
FIRST_PAUSE_SECONDS = 2.0
LONGER = 1.5
"""Each pause is so many times as long as the one before."""

SETTLED = late_pattern(
    r"\A4\d\d \S+ <[^>]*>: (?:Relay access denied|Recipient address rejected: User unknown in \S+ \S+ table|"
    r"(?:Recipient|Sender) address rejected: unverified address: (?!Address verification in progress))|"
    r"\A421 4\.3\.0 \S+ Server local error\Z"
)
"""What Postfix itself says, soft_bounce, defer_unauth_destination and what a callout found out included, and where it
waits for a PROXY header and gets none. A policy server cannot say the first: what it says is quoted behind
"rejected:"."""
BY_DNS = late_pattern(
    r"\A450 4\.\S+ (?:<[^>]*>: )?(?:Helo command rejected: Host not found|(?:Sender|Recipient) address rejected: "
    r"Domain not found|Client host rejected: cannot find your (?:reverse )?hostname(?:, \[[^\]]*\])?)\Z"
)
"""How Postfix refuses whom DNS does not know (``unknown_client_reject_code`` and its like in postconf(5)): 450, since a
name may be there tomorrow. In the world of a run there is none later either."""
NO_HEADER = late_pattern(r"\A421 4\.3\.2 No system resources\Z")
WANTS_HEADER = late_pattern(r"postscreen\[\d+\]: warning: haproxy read")
"""What postscreen says to whoever sends no PROXY header where it wants one: it will say so for ever."""
TOO_MANY = late_pattern(
    r"\A(?:421 4\.7\.0 \S+ Error: too many errors|4\d\d 4\.7\.[01] \S*\s?Error: too (?:much|many) \w+ from )"
)
"""How Postfix ends a session with errors, of which a script makes some by itself, or one that asks for too much: it
would end the next one too."""
BY_A_LIMIT = late_pattern(r"\A4\d\d 4\.7\.[01] (?:\S+ )?Error: too (?:many|much) ")
"""How Postfix puts off a client that asks for more than a limit allows (``smtpd_client_message_rate_limit`` and its
like in postconf(5))."""
WARNING = late_pattern(
    r"\]: (?:fatal|panic): |"
    r"\]: warning: (?:(?:cannot )?connect to |problem talking |unknown |"
    r"(?!.*: SASL ).*(?:unavailable|unsupported|lookup |milter))"
)
"""Why Postfix is in trouble, in its own words; what else it warns of is what its clients do."""

Try = Callable[[list[Attempt]], list[Outcome]]
"""Makes attempts and gives what became of each."""


def come_back(
    lab: ServerLab,
    attempts: Sequence[Attempt],
    outcomes: Mapping[str, Outcome],
    try_: Try,
    deadline: Deadline,
    log: Sequence[str],
    sleep: Callable[[float], None] = time.sleep,
    only: re.Pattern[str] | None = None,
    feigned: bool = False,
) -> list[str]:
    """Make again what was put off until it is answered for good, and give the ids of what never was.

    With ``only``, other answers than these stay what they are: nothing but Postfix decides. ``try_`` keeps what it
    finds in ``outcomes``. A trouble inside the server, of which its ``log`` warns, will not be over in a moment; where
    nothing warns of it, a program only says so. With ``feigned`` a program may be saying what Postfix says of DNS.
    """
    warned = any(WARNING.search(line) for line in log)
    proxied = any(WANTS_HEADER.search(line) for line in log)
    mails = {c.code for c in lab.checks if c.expect.arrives is not None or c.expect.refused}
    unwanted = {c.code for c in lab.checks if c.expect.keeps_out}
    wanted = {c.code for c in lab.checks if c.expect.arrives in WANTED}
    within, pause = deadline.within(COME_BACK_SECONDS), FIRST_PAUSE_SECONDS

    def back() -> list[Attempt]:
        doubted: Container[str] = () if warned else unwanted
        return [
            a
            for a in attempts
            if a.check in mails
            and not a.apart
            and not (proxied and _said(outcomes.get(a.id), NO_HEADER))
            and put_off(a, outcomes.get(a.id), a.check in doubted, only, feigned)
        ]

    while some := back():
        if within.over:
            return [attempt.id for attempt in some]
        sleep(min(pause, within.left))
        pause *= LONGER
        try_(_first(some, wanted) if within.left else some)
    return []


def _said(outcome: Outcome | None, words: re.Pattern[str]) -> bool:
    return (
        outcome is not None and bool(outcome.replies) and words.search(outcome.replies[-1].text) is not None
    )


def _first(some: Sequence[Attempt], wanted: Container[str]) -> list[Attempt]:
    """Those of the attempts that are not better made once others have got through.

    Wanted mail goes alone: a server may put off whoever has just tried what it refuses. So does what makes another
    attempt needless.
    """
    alone = [a for a in some if a.check in wanted] or some
    ids = {a.id for a in alone}
    return [a for a in alone if not ids.intersection(a.unless_arrived)]


def put_off(
    attempt: Attempt,
    outcome: Outcome | None,
    doubted: bool,
    only: re.Pattern[str] | None = None,
    feigned: bool = False,
) -> bool:
    """Whether a mail was refused for now only, in ``only`` these words if any are given.

    With ``doubted``, a trouble of the server's own is no better reason, and with ``feigned`` a name that DNS lacks is
    none.
    """
    if outcome is None or attempt.say or outcome.stage in ("accepted", "auth") or not outcome.replies:
        return False
    reply = outcome.replies[-1]
    if not 400 <= reply.code < 500 or SETTLED.search(reply.text):
        return False
    if not feigned and BY_DNS.search(reply.text):
        return False
    if only is not None and not only.search(reply.text):
        return False
    if attempt.script and TOO_MANY.search(reply.text):
        return False
    return doubted or not own_trouble(reply)

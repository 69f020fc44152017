"""Which attempts may share a session: what each of them meets there does not depend on the others."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from grader.model.attempt import Attempt

ERRORS_A_SESSION = 9
"""Once Postfix has counted ten (``smtpd_soft_error_limit``), it sleeps for a second before each reply."""
ATTEMPTS_A_SESSION = 18
"""At most, where not all are refused."""

STANDS_ALONE = re.compile(r"(?:VRFY|EXPN|ETRN|HELP|NOOP)\b", re.IGNORECASE)
"""Commands whose answer depends on nothing that was said before (RFC 5321 section 4.1.4, RFC 1985)."""


def is_mail(attempt: Attempt) -> bool:
    """Whether an attempt is a mail transaction, and not a dialogue."""
    return bool(attempt.recipients) and not attempt.say


def sociable(attempt: Attempt) -> bool:
    """Whether an attempt leaves a session as it found it."""
    return (is_mail(attempt) and not (attempt.smuggled or attempt.not_smtp or attempt.script)) or _only_asks(
        attempt
    )


def session_of(attempt: Attempt) -> Any:
    """What attempts must have in common to share a session; a key for a dictionary."""
    key = (
        attempt.address,
        attempt.server,
        attempt.listener,
        attempt.port,
        attempt.tls,
        tuple(attempt.before),
        attempt.preamble,
        msgspec.structs.astuple(attempt.login) if attempt.login else None,
        attempt.certificate,
    )
    if not sociable(attempt):
        return *key, attempt.id
    # What comes before MAIL may depend on the name; a client without one does not say EHLO at all.
    named = attempt.helo if attempt.before or attempt.preamble or not attempt.helo else True
    return *key, named


def errors_asked_for(attempt: Attempt) -> int:
    """How many of a dialogue's commands may be refused, which a server counts as errors: NOOP never is."""
    return sum(command.upper() != "NOOP" for command in attempt.say)


def _only_asks(attempt: Attempt) -> bool:
    """Whether an attempt is a dialogue of commands that stand alone, each with an answer to itself."""
    plain = not (attempt.before or attempt.preamble or attempt.login)
    return (
        errors_asked_for(attempt) > 0
        and plain
        and all(STANDS_ALONE.match(command) for command in attempt.say)
    )

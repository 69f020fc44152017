"""What the evidence keeps of a planned attempt."""

from __future__ import annotations

from grader.model.attempt import Attempt
from grader.model.traffic import AttemptFacts


def attempt_facts(attempt: Attempt) -> AttemptFacts:
    """Without credentials and the message's text."""
    return AttemptFacts(
        id=attempt.id,
        check=attempt.check,
        title=attempt.title,
        source=attempt.source,
        address=attempt.address,
        server=attempt.server,
        listener=attempt.listener,
        token=attempt.token,
        sender=attempt.sender,
        recipients=attempt.recipients,
        user=attempt.login.user if attempt.login else None,
        say=attempt.say,
        mailbox=attempt.mailbox,
        stopped=attempt.stopped,
        under_load=attempt.under_load,
        inside=attempt.inside,
    )

"""How long a probing client waits for what."""

from __future__ import annotations

from msgspec import Struct


class Timeouts(Struct, frozen=True):
    """How long to wait for what, in seconds."""

    connect: float = 3.0
    greeting: float = 8.0
    """Postfix's postscreen lets a stranger wait for six."""
    begun_greeting: float = 30.0
    """RFC 5321 section 4.5.3.2.1 gives five minutes."""
    command: float = 5.0
    text: float = 10.0
    """A content filter may look at a message before the server answers."""
    goodbye: float = 2.0
    second_reply: float = 1.0
    unanswered: float = 0.5
    """For what this server has left unanswered again and again."""
    second_try: float = 15.0
    """For an answer that did not come in time before."""
    full: bool = True
    """Whether a greeting is waited for as long as usual: else its absence shows nothing yet."""
    penalty: float = 0.9
    """A reply that takes so long is a penalty: Postfix sleeps for whole seconds (``smtpd_error_sleep_time``)."""

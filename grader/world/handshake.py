"""A probing client's handshakes in TLS: whom it trusts, and which session it resumes."""

from __future__ import annotations

import ssl

from grader.model.attempt import Attempt
from grader.model.deadline import Deadline
from grader.model.traffic import Certificate
from grader.world.listener import Listener
from grader.world.tls import Contexts, facts
from grader.world.wire import HungUp, Wire, reason


class Untrusted(Exception):
    """TLS with the lab's authority failed. ``problem`` says why; others might be less strict.

    It is ``None`` where no more was tried than to resume a session.
    """

    def __init__(self, problem: str | None) -> None:
        super().__init__(problem)
        self.problem = problem


async def shake_hands(
    wire: Wire, attempt: Attempt, listener: Listener, contexts: Contexts, seconds: float, deadline: Deadline
) -> Certificate:
    """Begin TLS as an attempt asks for it; what the server showed. Raises ``Untrusted`` and ``HungUp``."""
    strict, own = listener.problem is None, attempt.certificate
    context = contexts.context(strict=strict, named=listener.name is not None, certificate=own)
    usual = strict and not own and attempt.preamble is None
    session = listener.session if usual and listener.resumes else None
    try:
        # Where TLS begins with the connection the server greets; after STARTTLS the client speaks (RFC 3207).
        speaks = attempt.tls == "starttls"
        await wire.begin_tls(context, listener.name, seconds, session, speaks=speaks)
    except (ssl.SSLError, HungUp) as error:
        if session is not None and not deadline.over:
            # Whatever it was: the server is asked again as if nobody had been there before.
            listener.resumes = False
            raise Untrusted(None) from error
        if isinstance(error, HungUp):
            raise
        if strict:
            raise Untrusted(reason(error)) from error
        raise HungUp("reset", f"no TLS: {reason(error)}") from error
    assert wire.encryption is not None
    tls = wire.encryption.tls
    # The certificate of a session that is resumed is the one that was shown when it began (RFC 8446 section 2.2).
    return facts(tls, listener.problem, listener.names if tls.session_reused else None)


def keep_session(wire: Wire, attempt: Attempt, listener: Listener, shown: Certificate | None) -> None:
    """Keep a listener's first session in TLS for all clients to come: to resume it costs half of a handshake.

    Clients that show a certificate begin anew each time, as does everybody where the server is not trusted. One is
    enough: its ticket may be shown again, and Python copies each that it is asked for.
    """
    if shown is None or not shown.trusted or attempt.certificate:
        return
    if listener.session is None and wire.encryption is not None:
        listener.session, listener.names = wire.encryption.session, shown.names

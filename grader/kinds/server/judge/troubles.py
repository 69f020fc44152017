"""Troubles inside the student's server for which it refuses, or is silent: it blames nobody who writes to it."""

from __future__ import annotations

from grader.kinds.server.judge.index import ServerIndex
from grader.kinds.traffic.index import TrafficCase
from grader.model.latepattern import late_pattern

OWN_TROUBLE = late_pattern(
    r"[45]\d\d (?:\S+ )*?(?:[45]\.3\.[0135]\b|4\.7\.0\b|Service unavailable\b|DKIM signing error)"
)
"""A server that refuses because of a trouble inside (RFC 3463 section 3.4), a milter's among them."""
HANGS_UP = late_pattern(r"421 .*Service unavailable")
"""How Postfix parts from clients while it cannot ask a milter (``milter_default_action = shutdown``)."""
_PROGRAM = late_pattern(r"\A\S+: (?=\S)")


def in_trouble(case: TrafficCase, index: ServerIndex) -> bool:
    """Whether the server refused for a trouble of its own, of which its log tells."""
    reply = case.last_reply
    return reply is not None and OWN_TROUBLE.match(reply.text) is not None and bool(index.troubles(case))


def trouble(case: TrafficCase, index: ServerIndex) -> str | None:
    """The trouble of its own for which the server refused, whichever of its programs tells; ``None`` without one."""
    if (helper := helper_ended(case, index)) is not None:
        return _PROGRAM.sub("", index.logged(helper))
    if not in_trouble(case, index):
        return None
    return _PROGRAM.sub("", index.logged(index.troubles(case)[0]))


def helper_ended(case: TrafficCase, index: ServerIndex) -> int | None:
    """The line of the log about another program's end, where mail met silence or trouble for it."""
    from grader.kinds.server.judge.remedies import death_of_helper

    reply = case.last_reply
    if reply is None:
        waits = case.reached_server and case.session is not None and case.session.end == "timeout"
        return death_of_helper(case, index) if waits else None
    return death_of_helper(case, index) if OWN_TROUBLE.match(reply.text) else None

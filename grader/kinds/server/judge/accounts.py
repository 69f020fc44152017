"""What a server that took a stranger's mail for other people can show for it.

An answer of 250 to the text is the server's word that it will deliver the message or report that it cannot (RFC 5321
section 4.2.5 and 6.1). A message that was taken and is found nowhere may be sent on once nobody looks.

What counts as shown is what lies before us: a message that arrived, a bounce, an entry of the queue, a mailbox; and
what Postfix says in the host's log of this recipient: that it threw the message away or gave it up. The log is the
host's own word, and root there can write what it likes, so it excuses only what nothing else speaks against: no other
line may say that a program got the message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from grader.formats.address import domain_of, split_address
from grader.kinds.server.judge.index import ServerIndex
from grader.kinds.traffic.index import TrafficCase
from grader.kinds.traffic.log import LogLine
from grader.model.latepattern import late_pattern

ELSEWHERE = ("outside", "partner", "third")
"""The variant's domains of people who have nothing to do with the student's server."""

_DISCARDED = late_pattern(r"(?:NOQUEUE: )?(?:milter-)?discard: ")
"""The action DISCARD of access(5), header_checks(5) or a milter."""
_GIVEN_UP = late_pattern(r"\bstatus=(?:bounced|expired)\b")
"""No bounce follows where the sender was null (RFC 5321 section 4.5.5)."""
_SENT = late_pattern(r"\bstatus=sent\b")
_PUT_ASIDE = late_pattern(r"\bstatus=deferred\b")
_RENAMED = ", orig_to=<"
"""Beside the address that an alias or another table put into the place of the one that was given."""
_BINNED = "delivered to file: /dev/null"
_COMMAND = "delivered to command:"
_MAILBOX = late_pattern(r"^/var/mail/|/(?:new|cur)/[^/]+$")


def vanished(case: TrafficCase, index: ServerIndex) -> bool:
    """Whether the server took the message for somebody elsewhere and nothing shows what became of it.

    Evidence in which nobody looked for such mail says nothing about it.
    """
    if not (index.facts.sought and case.accepted and _taken_for_elsewhere(case, index)):
        return False
    if case.relayed() or case.waiting():
        return False
    lines = list(_about(case, index))
    if any(_handed_over(line, index) for line in lines):
        return True
    return not (_is_found(case) or any(_accounted(line, index) for line in lines))


def handed_over(case: TrafficCase, index: ServerIndex) -> LogLine | None:
    """The line of the log that names a program of the student's to which the message was given, if there is one."""
    return next((line for line in _about(case, index) if _handed_over(line, index)), None)


def given_up(case: TrafficCase, index: ServerIndex) -> LogLine | None:
    """The line of the log in which Postfix gives the message up and says why."""
    return next((line for line in _about(case, index) if _says(line, _GIVEN_UP, index)), None)


def put_aside(case: TrafficCase, index: ServerIndex) -> LogLine | None:
    """The line of the log in which Postfix keeps the message for later and says why."""
    return next((line for line in _about(case, index) if _says(line, _PUT_ASIDE, index)), None)


def renamed(case: TrafficCase, index: ServerIndex) -> LogLine | None:
    """The line of the log by which the message was delivered under an address that it was not sent to."""
    lines = _about(case, index)
    return next((line for line in lines if _RENAMED in line.text and _says(line, _SENT, index)), None)


def last_word(case: TrafficCase, index: ServerIndex) -> LogLine | None:
    """The line of the log that says what Postfix did with the message last: sent it on, or threw it away."""
    told = _about(case, index)
    lines = [line for line in told if _DISCARDED.match(line.text) or _says(line, _SENT, index)]
    return lines[-1] if lines else None


def arrived(case: TrafficCase) -> bool:
    """Whether mail is where it was sent to: with a recipient outside, or in a user's own mailbox."""
    return bool(case.relayed() or (case.delivered() and not astray(case)))


def astray(case: TrafficCase) -> str:
    """Where mail lies that came to others than it was sent to, notices apart; empty where it is nowhere."""
    if case.relayed():
        return ""
    locals_ = [split_address(recipient).local.casefold() for recipient in case.facts.recipients]
    own = {*locals_, *(local.partition("+")[0] for local in locals_)}
    if delivered := case.delivered():
        # A mailbox is a file that is called as its user is, or a folder in one that is.
        return next((a.where for a in delivered if own.isdisjoint(a.where.casefold().split("/"))), "")
    sent = (a.recipients[0] for a in case.arrivals if a.place == "outside" and a.sender and a.recipients)
    return next(sent, "")


def excuse(case: TrafficCase, index: ServerIndex) -> LogLine | None:
    """The line of the log by which Postfix accounts for a message that was taken and is found nowhere."""
    if not case.accepted or _is_found(case) or case.waiting():
        return None
    return next((line for line in _about(case, index) if _accounted(line, index)), None)


def excused_for_others(case: TrafficCase, index: ServerIndex) -> bool:
    """Whether a message was taken for somebody elsewhere alone, and Postfix accounts for it: no user is asked for."""
    return _taken_for_elsewhere(case, index) and excuse(case, index) is not None


def _taken_for_elsewhere(case: TrafficCase, index: ServerIndex) -> bool:
    """Whether a recipient was taken who is other people's, by a domain that no submission can make its own."""
    names, unheard = index.evidence.names, index.facts.unheard
    domains = [names[name].lower() for name in ELSEWHERE if name in names] + ([unheard] if unheard else [])
    refused = [reply.command.casefold() for reply in case.outcome.replies if reply.code >= 300]
    return any(
        (found := domain_of(recipient)) in domains
        or found.endswith(tuple(f".{domain}" for domain in domains))
        for recipient in case.facts.recipients
        if not any(said.startswith(f"rcpt to:<{recipient.casefold()}>") for said in refused)
    )


def _about(case: TrafficCase, index: ServerIndex) -> Iterator[LogLine]:
    """The lines that name one of this attempt's recipients, under the address it gave or the one it became.

    An address that other attempts write to as well needs the message's queue id, or its sender, beside it.
    """
    sender = f"from=<{case.facts.sender}>"
    named = {recipient.casefold().rstrip(".") for recipient in case.facts.recipients}
    log, own = index.log, index.log.to_token(case.facts.token)
    queues = set(log.queues(case.facts, case.session))
    for place in sorted(own | log.to_addresses(named)):
        line = log.lines[place]
        if place in own or line.queue in queues or sender in line.text:
            yield line


def _program(line: LogLine) -> str:
    """The program of Postfix, whatever ``syslog_name`` stands before it."""
    return line.program.rpartition("/")[2]


def _says(line: LogLine, status: re.Pattern[str], index: ServerIndex) -> bool:
    """Whether a line tells of a status. One line may be about hundreds of attempts, and is read once."""
    return line.index in index.lines_with(status)


def _handed_over(line: LogLine, index: ServerIndex) -> bool:
    return _says(line, _SENT, index) and (_program(line) == "pipe" or _COMMAND in line.text)


def _accounted(line: LogLine, index: ServerIndex) -> bool:
    if _DISCARDED.match(line.text) or _says(line, _GIVEN_UP, index):
        return True
    return _says(line, _SENT, index) and (_program(line) == "discard" or _BINNED in line.text)


def _is_found(case: TrafficCase) -> bool:
    """Whether it is where mail is read: at another server, or in a mailbox (mbox or Maildir) of the host."""
    return any(arrival.place == "outside" for arrival in case.arrivals) or any(
        arrival.raw.startswith(b"From ") or _MAILBOX.search(arrival.where) for arrival in case.delivered()
    )

"""One function for each key of a lab's ``expect``: cases in, findings out."""

from __future__ import annotations

import re
from collections.abc import Callable

from grader.kinds.server.declare import Expect, ServerCheck
from grader.kinds.server.judge.accounts import (
    astray,
    excused_for_others,
    given_up,
    last_word,
    put_aside,
    renamed,
    vanished,
)
from grader.kinds.server.judge.answers import alike, replies
from grader.kinds.server.judge.index import ServerIndex
from grader.kinds.server.judge.letout import led_astray
from grader.kinds.server.judge.sentences import from_whom, sent_on, taken_and_vanished
from grader.kinds.server.judge.troubles import HANGS_UP, OWN_TROUBLE, helper_ended, in_trouble
from grader.kinds.traffic.index import TrafficCase
from grader.kinds.traffic.log import LogLine
from grader.kinds.traffic.sentences import client, how_it_ended, how_it_waits, quoted
from grader.model.finding import Finding, broken, met, unproven
from grader.model.latepattern import late_pattern
from grader.model.pointer import Pointer
from grader.model.traffic import ANY_MAILBOX, Arrival, Queued, Session

Judgement = Callable[[ServerCheck, list[TrafficCase], ServerIndex], list[Finding]]

MESSAGE_ID = late_pattern(rb"^message-id:\s*(<[^>\r\n]*>)", re.IGNORECASE | re.MULTILINE)
KEEP_YOUR_WORD = (
    "With 250 after the text your server takes a message over, and whoever keeps a stranger's mail for other people "
    "may send it on later. Refuse such mail in the session, with `reject_unauth_destination` in "
    "`smtpd_relay_restrictions`; look for what takes it instead: a `FILTER`, `content_filter`, `transport_maps` or a "
    "`pipe` of yours. (Mail that Postfix throws away itself, by `DISCARD` or discard(8), counts as such where its log "
    "says so.)"
)
STILL_PUT_OFF = "The client came back again and again, to the end of the run, and was never let through."
LET_THROUGH = (
    "Find out which of your programs put the client off: the server's log quotes its words. Here a client comes back "
    "for twenty seconds; greylisting has to let it through by then, or to leave it alone from the start."
)
OUTDATED = ("SSLv3", "TLSv1", "TLSv1.1")
"""Versions that nobody may use any more (RFC 7568, RFC 8996). The world takes one where a server has no other."""
NEWER_TLS = (
    "Find what leaves out the newer versions, in `smtpd_tls_protocols`, `smtpd_tls_mandatory_protocols` or the "
    "overrides of them in master.cf, and delete it, or write `>=TLSv1.2`."
)
AUTH_OFFER = late_pattern(r"^250[- ]AUTH\b", re.IGNORECASE)


def greets(check: ServerCheck, cases: list[TrafficCase], index: ServerIndex) -> list[Finding]:
    """The server answers the connection with a 220 greeting (RFC 5321 section 4.3.1)."""
    return [_greets(case, index) for case in cases]


def _greets(case: TrafficCase, index: ServerIndex) -> Finding:
    reply = case.last_reply
    if case.reached_server:
        return met(case)
    if reply is not None and HANGS_UP.match(reply.text) and index.troubles(case):
        # It runs, and would greet if it could ask its milter: that is for the checks to tell that want mail.
        return met(case, how_it_ended(case))
    if in_trouble(case, index):
        return not_taken(case, index)
    if (line := index.decisive_log) is None:
        return broken(case, how_it_ended(case))
    sentence = f"{how_it_ended(case)} Its log says: {quoted(index.logged(line))}"
    return broken(case, sentence, [Pointer("log", line), *case.pointers()])


def arrives_outside(check: ServerCheck, cases: list[TrafficCase], index: ServerIndex) -> list[Finding]:
    """The message reaches the outside mailbox that it was addressed to; one for a user of the server is taken."""
    return [_taken(case, index) if case.for_users_alone else outside(case, index) for case in cases]


def _taken(case: TrafficCase, index: ServerIndex) -> Finding:
    """Whether mail for users was taken. Where strangers' is not either, another check is about it."""
    if case.accepted:
        return met(case)
    if index.refused_to_strangers(case):
        return unproven(case, how_it_ended(case))
    return not_taken(case, index)


def outside(case: TrafficCase, index: ServerIndex) -> Finding:
    """Whether one message reached its recipient outside, and where it is if it did not."""
    if case.relayed():
        return met(case)
    if not case.accepted:
        return not_taken(case, index)
    if waiting := case.waiting():
        return _waits(case, index, "The server took the message, but it", waiting[0])
    sentence = f"The server took the message{from_whom(case)}, but it never reached its recipient outside."
    line = given_up(case, index) or renamed(case, index)
    if line is None and (where := astray(case)):
        sentence = f"{sentence} It was put into {quoted(where)} instead."
    return _with_line(case, index, sentence, line or last_word(case, index))


def _with_line(case: TrafficCase, index: ServerIndex, said: str, line: LogLine | None) -> Finding:
    """What went wrong with mail that was taken, in the log's words where it has any."""
    pointers = case.pointers()
    if line is not None:
        said = f"{said} The server's log says: {quoted(index.logged(line.index))}"
        pointers = [Pointer("log", line.index), *pointers]
    return broken(case, said, pointers)


def _waits(case: TrafficCase, index: ServerIndex, what: str, entry: Queued) -> Finding:
    """Mail that was taken is still in the queue. Whoever died over it could give no reason; the log may."""
    from grader.kinds.server.judge.remedies import death_of_carrier

    sentence = f"{what} {how_it_waits(entry)}"
    if entry.reason or entry.queue == "hold":
        return broken(case, sentence)
    if (line := death_of_carrier(index)) is None:
        aside = put_aside(case, index)
        return _with_line(case, index, f"{what} still waits in the queue." if aside else sentence, aside)
    said = f"{sentence} Its log says: {quoted(index.logged(line))}"
    return broken(case, said, [Pointer("log", line), *case.pointers()])


def not_taken(case: TrafficCase, index: ServerIndex) -> Finding:
    """What stopped a message. Where it was trouble inside the server, what the log says of this session comes first."""
    from grader.kinds.server.judge.absent import awaited, for_absent
    from grader.kinds.server.judge.remedies import death_of_greeter, for_helper, nobody_behind_postscreen

    reply, ended = case.last_reply, how_it_ended(case)
    troubled = case.outcome.stage != "connect" if reply is None else OWN_TROUBLE.match(reply.text)
    if troubled and (nobody := awaited(index)) is not None:
        line, name = nobody
        said = f"{ended} The server's log says: {quoted(index.logged(line))}"
        return broken(case, said, [Pointer("log", line), *case.pointers()], next=for_absent(name))
    if reply is not None and (alone := nobody_behind_postscreen(reply.text, index)) is not None:
        line, remedy = alone
        said = f"{ended} The server's log says: {quoted(index.logged(line))}"
        return broken(case, said, [Pointer("log", line), *case.pointers()], next=remedy)
    if case.facts.id in index.facts.put_off:
        return broken(case, f"{ended} {STILL_PUT_OFF}", next=LET_THROUGH)
    # Whoever greets and then falls silent is alive: what the log tells of a death is another port's.
    waits = case.reached_server and case.session is not None and case.session.end == "timeout"
    if reply is None and case.session is not None and not waits and (death := death_of_greeter(case, index)):
        lines, remedy = death
        said = " and ".join(quoted(index.logged(line)) for line in lines)
        pointers = [*(Pointer("log", line) for line in lines), *case.pointers()]
        return broken(case, f"{ended} The server's log says: {said}", pointers, next=remedy)
    if (helper := helper_ended(case, index)) is not None:
        said = f"{ended} The server's log says: {quoted(index.logged(helper))}"
        return broken(case, said, [Pointer("log", helper), *case.pointers()], next=for_helper(helper, index))
    if reply is None or not OWN_TROUBLE.match(reply.text) or not (troubles := index.troubles(case)):
        return broken(case, ended)
    said = " and ".join(quoted(index.logged(line)) for line in troubles)
    pointers = [Pointer("log", line) for line in troubles]
    return broken(case, f"The server's log says: {said}. {ended}", [*pointers, *case.pointers()])


def arrives_mailbox(check: ServerCheck, cases: list[TrafficCase], index: ServerIndex) -> list[Finding]:
    """The message reaches the mailbox of the local user that it was addressed to."""
    return [_mailbox(case, index) for case in cases]


def _mailbox(case: TrafficCase, index: ServerIndex) -> Finding:
    delivered = case.delivered()
    if case.facts.mailbox == ANY_MAILBOX:
        user = ", ".join(case.facts.recipients)
        if delivered:
            return met(case)
    else:
        user = case.facts.mailbox or ""
        if any(user in arrival.where for arrival in delivered):
            return met(case)
    if not case.accepted:
        return not_taken(case, index)
    if delivered:
        return broken(
            case,
            f"The message for {user} was put into {quoted(delivered[0].where)}, which is not {user}'s mailbox.",
        )
    if case.bounced():
        sentence = f"The server took the message for {user} and then sent it back to its sender."
        return _with_line(case, index, sentence, given_up(case, index))
    if waiting := case.waiting():
        return _waits(case, index, f"The message for {user}", waiting[0])
    sentence = f"The server took the message, but no mailbox of {user} on the host holds it."
    return _with_line(case, index, sentence, last_word(case, index))


def arrives_nobody(check: ServerCheck, cases: list[TrafficCase], index: ServerIndex) -> list[Finding]:
    """The message reaches no mailbox at all, nor waits in the queue for one outside."""
    return [_nobody(check, case, index) for case in cases]


def _nobody(check: ServerCheck, case: TrafficCase, index: ServerIndex) -> Finding:
    if delivered := case.delivered():
        first = delivered[0]
        sentence = f"A message{from_whom(case)} was put into {quoted(first.where)}."
        return broken(case, sentence, _session_and(case, first))
    return _nowhere(check, case, index)


def arrives_nowhere(check: ServerCheck, cases: list[TrafficCase], index: ServerIndex) -> list[Finding]:
    """The message reaches no mailbox outside and does not wait in the queue for one."""
    return [_nowhere(check, case, index) for case in cases]


def _nowhere(check: ServerCheck, case: TrafficCase, index: ServerIndex) -> Finding:
    if relayed := case.relayed():
        first = relayed[0]
        return broken(case, sent_on(case, first), _session_and(case, first))
    if (strayed := led_astray(case, index)) is not None:
        arrival, advice = strayed
        sentence = (
            f"A message{from_whom(case)} for {quoted(arrival.recipients[0])} was handed to the mail server "
        )
        return broken(case, f"{sentence}{quoted(arrival.where)}.", _session_and(case, arrival), next=advice)
    if waiting := case.waits_for_outside():
        return broken(
            case,
            f"A message{from_whom(case)} was taken and waits in the queue to be sent on to "
            f"{quoted(waiting[0].recipient)}.",
        )
    if check.expect.accounted and vanished(case, index):
        sentence, pointers = taken_and_vanished(case, index)
        return broken(case, sentence, pointers, next=KEEP_YOUR_WORD)
    if case.accepted:
        return unproven(case, f"A message{from_whom(case)} was taken, and did not arrive outside.")
    return met(case)


def _session_and(case: TrafficCase, arrival: Arrival) -> list[Pointer]:
    """How the message was handed in, and where it went: of several places, this one."""
    return [p for p in case.pointers() if p.kind == "session"] + [Pointer("message", arrival.id)]


def refused(check: ServerCheck, cases: list[TrafficCase], index: ServerIndex) -> list[Finding]:
    """The recipient is refused in the session (RFC 5321 section 6.1: no later bounce to a forged sender)."""
    findings = []
    for case in cases:
        whom = quoted(", ".join(case.facts.recipients))
        if not case.reached_server:
            findings.append(unproven(case, how_it_ended(case)))
        elif not case.accepted or case.relayed() or excused_for_others(case, index):
            # What is taken for people at a server outside is a relay, or none: other checks are about that.
            findings.append(met(case))
        elif bounced := case.bounced():
            findings.append(
                broken(
                    case,
                    f"The server took the message for {whom} and later sent a bounce to its sender, who may never have "
                    "written it.",
                    [*case.pointers(), Pointer("message", bounced[0].id)],
                )
            )
        else:
            findings.append(broken(case, f"The server took the message for {whom}."))
    return findings


def authenticates(check: ServerCheck, cases: list[TrafficCase], index: ServerIndex) -> list[Finding]:
    """AUTH succeeds with right credentials (RFC 4954)."""
    return [_authenticates(case, index) for case in cases]


def _authenticates(case: TrafficCase, index: ServerIndex) -> Finding:
    if not case.outcome.authenticated:
        return not_taken(case, index)
    if case.session is not None and _asked_for_offers(case.session) and _auth_offer(case.session) is None:
        # Postfix takes AUTH from those to whom it does not offer it; no mail program asks for what is not offered.
        who = client(case)
        said = f"On port {case.facts.listener} the server does not offer AUTH to {who}."
        return broken(case, f"{said} Mail programs do not log in where EHLO does not name AUTH.")
    shown = case.session.tls if case.session is not None else None
    if shown is not None and shown.version in OUTDATED:
        said = f"On port {case.facts.listener} the server speaks {shown.version} and nothing newer."
        return broken(case, f"{said} Mail programs of today begin with TLS 1.2 (RFC 8996).", next=NEWER_TLS)
    return met(case)


def _asked_for_offers(session: Session) -> bool:
    return any(line.who == "C" and line.text.upper().startswith("EHLO ") for line in session.lines)


def _auth_offer(session: Session) -> int | None:
    """The first line of a session in which the server offers AUTH; ``None`` where it does not."""
    offers = (n for n, line in enumerate(session.lines) if line.who == "S" and AUTH_OFFER.match(line.text))
    return next(offers, None)


def authenticates_not(check: ServerCheck, cases: list[TrafficCase], index: ServerIndex) -> list[Finding]:
    """AUTH is neither offered nor accepted here (RFC 4954 section 4)."""
    return [_no_auth(case) for case in cases]


def _no_auth(case: TrafficCase) -> Finding:
    if case.session is not None and (line := _auth_offer(case.session)) is not None:
        verb = "took a password" if case.outcome.authenticated else "offers AUTH"
        return broken(
            case,
            f"On port {case.facts.listener} the server {verb} before the connection is encrypted: "
            f"{quoted(case.session.lines[line].text)}",
            [Pointer("session", case.session.id, line)],
        )
    if case.outcome.authenticated:
        return broken(case, f"On port {case.facts.listener} the server took a password in the clear.")
    return met(case)


def arrivals_at_most(check: ServerCheck, cases: list[TrafficCase], index: ServerIndex) -> list[Finding]:
    """One attempt gives no more messages than allowed, wherever they end. Copies of one message are one."""
    most = check.expect.arrivals_at_most or 0
    findings = []
    for case in cases:
        messages = {message_id(arrival) for arrival in case.arrivals if not _is_notice(arrival)}
        if len(messages) > most:
            findings.append(broken(case, f"One message was sent, and {len(messages)} arrived."))
        else:
            findings.append(met(case))
    return findings


def message_id(arrival: Arrival) -> bytes | int:
    """What copies of one message have in common: the Message-ID (RFC 5322 section 3.6.4). One without it is no copy."""
    header = re.split(rb"\r?\n\r?\n", arrival.raw, maxsplit=1)[0]
    found = MESSAGE_ID.search(header)
    return found[1] if found else arrival.id


def _is_notice(arrival: Arrival) -> bool:
    """Whether this is a notice about a message (RFC 3464), written by a server."""
    return arrival.place == "outside" and not arrival.sender


def judgements(expect: Expect) -> list[Judgement]:
    """The functions that a check's expectations name, in the order in which their findings matter."""
    chosen: list[Judgement] = []
    if expect.greets:
        chosen.append(greets)
    if expect.authenticates is not None:
        chosen.append(authenticates if expect.authenticates else authenticates_not)
    if expect.arrives is not None:
        chosen.append(
            {
                "outside": arrives_outside,
                "mailbox": arrives_mailbox,
                "nowhere": arrives_nowhere,
                "nobody": arrives_nobody,
            }[expect.arrives]
        )
    if expect.refused:
        chosen.append(refused)
    if expect.replies:
        chosen.append(replies)
    if expect.alike:
        chosen.append(alike)
    if expect.arrivals_at_most is not None:
        chosen.append(arrivals_at_most)
    return chosen

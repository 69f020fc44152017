"""What a run leaves open: attempts that were neither taken nor refused, and mail that is found nowhere.

Nothing was sent on meanwhile, which would let an expectation that something is kept out pass by itself.
"""

from __future__ import annotations

from grader.kinds.server.judge.accounts import vanished
from grader.kinds.server.judge.index import ServerIndex
from grader.kinds.server.judge.sentences import taken_and_vanished
from grader.kinds.server.judge.troubles import in_trouble
from grader.kinds.traffic.index import TrafficCase
from grader.kinds.traffic.judging import attempts
from grader.kinds.traffic.sentences import quoted
from grader.model.finding import Judged
from grader.model.pointer import Pointer

MOST_PORTS_TOLD = 10

ENDED = "Postfix ended while it was probed, and some attempts had no answer: what it would have answered, nobody knows."

SILENT = (
    "{many} had no answer, however long the client waited, while the server took other mail: that is no refusal "
    "(RFC 5321 section 4.5.3.2 lets clients wait for minutes)."
)
SILENT_REMARK = "A person has to judge this: nothing was sent on meanwhile, and nothing was refused either."
IN_TROUBLE = (
    "{many} met a server in trouble, to the end of the run: {said} Such a server refuses nobody, it only asks to come "
    "back later, and what it would answer then, nobody knows."
)
MEND_TROUBLE = "Mend what the server's reply and its log name, then grade again: it must be able to serve."
TROUBLED = (
    "{many} met a trouble of the server's own, to the end of the run, while it served others: {said} Nobody got "
    "through, and that is what counts. But senders whom you want to refuse are only asked to come back, and what your "
    "restrictions would say to them was never to be seen: mend it, and grade again."
)
PUT_OFF = (
    "{many} were put off, again and again to the end of the run: {said} That is no refusal: senders come back for days "
    "(RFC 5321 section 4.5.4.1), and here something else than Postfix decides, which may let them through later."
)
PUT_OFF_REMARK = (
    "A person has to judge this: nothing was sent on meanwhile. A restriction of Postfix's own, or a reply that begins "
    "with 5, would show that the answer is no."
)
SHUT = (
    "{many} were made at ports that took the connection and greeted nobody to the end of the run, however long the "
    "client waited and however often it came: {ports}. A program of yours listens there, and may greet others later."
)
SHUT_REMARK = (
    "A person has to judge this: nothing was sent on meanwhile. A port that is closed would show it."
)
INNER = (
    "A program listens to the world that Postfix's other programs alone speak with, in a way of their own: port "
    "{ports}. No client of this run speaks so, and whoever does may hand over mail or read what is kept."
)
INNER_REMARK = "A person has to judge this. Without that line in master.cf there would be nothing to judge."
STARVED = (
    "{many} had no answer, and at the end the server did not even take mail that it had taken before: it or the "
    "machine had far too much to do. Grade again when the machine has less to do."
)


def unanswered(cases: list[TrafficCase]) -> bool:
    """Whether something was neither taken nor refused: the last that was said was no refusal, if anything was."""
    replies = [case.last_reply for case in cases if not case.accepted]
    return any(reply is None or reply.code < 400 for reply in replies)


def unanswered_to_the_end(cases: list[TrafficCase], index: ServerIndex) -> Judged | None:
    """What is made of attempts that had no answer even when they were made again; ``None`` where all had one.

    A sender waits for minutes and comes back for days (RFC 5321 sections 4.5.3.2 and 4.5.4.1): silence, a
    connection that breaks and a server in trouble refuse nothing. Where it served others meanwhile, only silence
    is left in doubt: a restriction that Postfix cannot work with (451 4.3.5) lets nobody through, and what is
    wanted and fails of it tells so. An ``error`` says that the server, or the machine, had too much to do.
    """
    left = left_unanswered(cases, index)
    troubled = [case for case in left if case.last_reply is not None and case.last_reply.code >= 400]
    silent = [case for case in left if case.session is not None and case.session.end == "timeout"]
    many = f"{len(left)} of {attempts(cases)}"
    if not left or (index.facts.serving and not silent):
        return None
    if index.facts.serving:
        return Judged("manual", SILENT.format(many=many), silent[0].pointers(), [SILENT_REMARK])
    if troubled:
        said = quoted(troubled[0].last_reply.text) if troubled[0].last_reply else ""
        return Judged(
            "fail", IN_TROUBLE.format(many=many, said=said), troubled[0].pointers(), next=MEND_TROUBLE
        )
    return Judged("error", STARVED.format(many=many), left[0].pointers())


def left_unanswered(cases: list[TrafficCase], index: ServerIndex) -> list[TrafficCase]:
    """Those of the cases that had no answer to the end of the run."""
    ids = set(index.facts.unanswered)
    return [case for case in cases if case.facts.id in ids]


def put_off_to_the_end(cases: list[TrafficCase], index: ServerIndex) -> Judged | None:
    """What is made of a temporary refusal that outlasted the run, where a program may have given it.

    With ``soft_bounce`` each refusal is one, and says nothing of what is to come.
    """
    put_off = set(index.facts.put_off)
    left = [case for case in cases if case.facts.id in put_off and not _soft(case, index)]
    if not left:
        return None
    said = quoted(left[0].last_reply.text) if left[0].last_reply else ""
    many = f"{len(left)} of {attempts(cases)}"
    return Judged("manual", PUT_OFF.format(many=many, said=said), left[0].pointers(), [PUT_OFF_REMARK])


def _soft(case: TrafficCase, index: ServerIndex) -> bool:
    return index.settings.on("soft_bounce", case.facts.listener, case.facts.server).value == "yes"


def shut_to_the_end(cases: list[TrafficCase], index: ServerIndex) -> Judged | None:
    """What is made of ports at which a program of the student's greeted nobody."""
    shut = set(index.facts.shut)
    left = [case for case in cases if case.facts.id in shut]
    if not left:
        return None
    ports = ", ".join(dict.fromkeys(case.facts.listener.partition("+")[0] for case in left))
    many = f"{len(left)} of {attempts(cases)}"
    return Judged("manual", SHUT.format(many=many, ports=ports), left[0].pointers(), [SHUT_REMARK])


def troubled_remark(cases: list[TrafficCase], index: ServerIndex) -> tuple[str, str, list[Pointer]] | None:
    """Where a trouble of the server's alone kept some out: its log's words, a remark on it, and where that stands."""
    met = [
        case
        for case in cases
        # 421 is what a client hears, too, who asks for too much.
        if case.last_reply is not None and case.last_reply.code in (451, 452) and not case.accepted
        if in_trouble(case, index)
    ]
    if not met:
        return None
    line = index.troubles(met[0])[0]
    logged = index.logged(line)
    many = f"{len(met)} of {attempts(cases)}"
    remark = TROUBLED.format(many=many, said=f"the server's log says {quoted(logged)}.")
    return logged, remark, [Pointer("log", line), *met[0].pointers()]


def too_many_ports(index: ServerIndex) -> Judged:
    """What listens and was not tried is not shown to be harmless."""
    ports = ", ".join(map(str, index.facts.untried[:MOST_PORTS_TOLD]))
    more = " and others" if len(index.facts.untried) > MOST_PORTS_TOLD else ""
    return Judged(
        "fail",
        f"The server listens on further ports on which nothing could be tried: {ports}{more}. They are too many, "
        "or were opened after the others.",
        next="Take what opens them out of master.cf: a mail server needs three ports.",
    )


def inner_ports(index: ServerIndex) -> Judged:
    """What is offered to strangers and cannot be tried is not shown to be harmless."""
    return Judged("manual", INNER.format(ports=", ".join(map(str, index.facts.inner))), [], [INNER_REMARK])


def found_nowhere(cases: list[TrafficCase], index: ServerIndex) -> Judged | None:
    """Nobody but a person can say what to make of mail that was taken and is found nowhere."""
    lost = [case for case in cases if vanished(case, index)]
    if not lost:
        return None
    told = [taken_and_vanished(case, index) for case in lost]
    pointers = list(dict.fromkeys(pointer for _, found in told for pointer in found))
    more = f" So did {len(lost) - 1} more." if len(lost) > 1 else ""
    remark = "A person has to judge this: nothing was sent on meanwhile, and it may have been kept for later."
    return Judged("manual", told[0][0] + more, pointers, [remark])

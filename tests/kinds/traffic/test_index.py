"""Look-ups into evidence: which mail is an attempt's own, what is a bounce about it, which line of a log decides."""

from __future__ import annotations

from typing import Any

import pytest

from grader.kinds.server.judge.index import ServerIndex
from grader.kinds.traffic.index import TrafficCase
from grader.model.pointer import Pointer
from grader.model.traffic import Arrival, Outcome, Queued
from tests.judge.builders import OUTSIDE, TOKEN, arrival, check, evidence, facts, lab, outcome
from tests.tables import every

SENDER = "someone@elsewhere.example"


def index(
    arrivals: list[Arrival] | None = None,
    queued: list[Queued] | None = None,
    log: list[str] | None = None,
    **attempt: Any,
) -> ServerIndex:
    """Look-ups into a run of one attempt, which the server took."""
    run = evidence(lab(check()), [facts(**attempt)], [outcome("accepted")], arrivals, queued, log=log or [])
    return ServerIndex(run, run.facts)


def case(**given: Any) -> TrafficCase:
    """The attempt of such a run with all that belongs to it."""
    (found,) = index(**given).cases("stranger")
    return found


def queued(sender: str = SENDER, recipient: str = OUTSIDE) -> Queued:
    return Queued("deferred", sender, recipient, "no route", ["stranger/1"])


def test_a_bounce_is_null_mail_to_the_sender_outside() -> None:
    bounce = arrival(SENDER.upper(), sender="")
    assert case(arrivals=[bounce]).bounced() == [bounce]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(arrival(SENDER, sender="alice@example.com"), id="an answer by a person"),
        pytest.param(arrival("other@elsewhere.example", sender=""), id="a bounce to somebody else"),
        pytest.param(arrival(SENDER, sender="", place="mailbox"), id="in a mailbox on the host"),
    ],
)
def test_other_mail_is_no_bounce(other: Arrival) -> None:
    assert case(arrivals=[other]).bounced() == []


@pytest.mark.parametrize("null", ["", "MAILER-DAEMON"])
def test_a_bounce_in_the_queue_is_not_the_mail_itself(null: str) -> None:
    itself = queued()
    assert case(queued=[queued(null, SENDER), itself]).waiting() == [itself]


def test_mail_that_had_the_null_sender_from_the_start_is_awaited_under_it() -> None:
    itself = queued("MAILER-DAEMON")
    assert case(queued=[itself], sender="").waiting() == [itself]


@pytest.mark.parametrize(
    ("named", "reached"),
    [
        ("victim@elsewhere.example", "victim@elsewhere.example"),
        ("Victim@Elsewhere.Example", "victim@elsewhere.example"),
        ("victim@elsewhere.example.", "victim@elsewhere.example"),
        ("victim@elsewhere.example", "VICTIM@ELSEWHERE.EXAMPLE"),
        (f"{TOKEN}%elsewhere.example@[203.0.113.10]", f"{TOKEN.upper()}@elsewhere.example"),
    ],
)
def test_mail_reached_whom_the_attempt_named(named: str, reached: str) -> None:
    came = arrival(reached)
    found = case(arrivals=[came], recipients=[named])
    assert found.relayed() == [came]
    assert found.names_outside(reached)


def test_mail_to_somebody_else_or_in_a_mailbox_is_not_sent_on() -> None:
    others = [arrival("archive@elsewhere.example"), arrival(OUTSIDE, place="mailbox")]
    assert case(arrivals=others).relayed() == []
    assert not case().names_outside("archive@elsewhere.example")


def test_without_a_token_only_the_named_address_counts() -> None:
    found = case(
        arrivals=[arrival("anybody@elsewhere.example")], token="", recipients=["x@elsewhere.example"]
    )
    assert found.relayed() == []


def test_each_attempt_has_its_own_mail_and_knows_whether_it_was_tried() -> None:
    mine, other = arrival(id=0), arrival(id=1, attempts=["stranger/2"])
    run = evidence(
        lab(check()), [facts(), facts(number=2), facts("else")], [outcome("accepted")], [other, mine]
    )
    first, second = ServerIndex(run, run.facts).cases("stranger")
    assert (first.tried, first.accepted, first.arrivals) == (True, True, [mine])
    assert (second.tried, second.outcome, second.arrivals) == (
        False,
        Outcome("stranger/2", "untried"),
        [other],
    )


@pytest.mark.parametrize(
    ("stage", "reached"), [("connect", False), ("greeting", False), ("said", True), ("accepted", True)]
)
def test_a_server_that_greets_is_reached(stage: str, reached: bool) -> None:
    run = evidence(lab(check()), [facts()], [outcome(stage)])
    assert [c.reached_server for c in ServerIndex(run, run.facts).cases("stranger")] == [reached]


def test_the_session_is_pointed_at_where_the_last_reply_is() -> None:
    assert case(arrivals=[arrival(id=7)]).pointers() == [Pointer("session", 1, 1), Pointer("message", 7)]


WARNING = "10 postfix/smtpd[7]: warning: unused parameter: foo=bar"
FATAL = "34 postfix/smtpd[9]: fatal: no working instance of reject_unauth_destination"
NOISE = "11 postfix/master[1]: daemon started -- version 3.10.1"


@every(
    ("log", "decisive"),
    [
        ([], None),
        ([NOISE], None),
        ([NOISE, WARNING], 1),
        ([WARNING, NOISE, FATAL], 2),
        ([FATAL, WARNING], 0),
        ([FATAL, "99 smtplab: fatal: 200 processes are running here, 190 of them called evil"], 1),
        (["12 dovecot[3]: auth: Error: passwd-file: no such file", NOISE], None),
        (["12 postfix/smtpd[3]: error: open /etc/postfix/x: no such file", NOISE], 0),
    ],
)
def test_a_fatal_line_says_more_than_a_warning(log: list[str], decisive: int | None) -> None:
    assert index(log=log).decisive_log == decisive


def test_the_line_chosen_does_not_hang_on_which_process_was_first() -> None:
    trouble = ["postfix/smtpd[{}]: fatal: b", "postfix/qmgr[{}]: fatal: a"]
    told = {
        index(log=log).logged(index(log=log).decisive_log or 0)
        for log in (
            [f"{at} {text.format(at)}" for at, text in enumerate(trouble, 10)],
            [f"{at} {text.format(at)}" for at, text in enumerate(reversed(trouble), 90)],
        )
    }
    assert told == {"postfix/qmgr: fatal: a"}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("34 postfix/smtpd[9]: fatal: no", "postfix/smtpd: fatal: no"),
        ("34 postfix/qmgr[9]: 4C3F2A1B09: removed", "postfix/qmgr: removed"),
        ("34 postfix/qmgr[9]: 4f2pJK3XW1z3Bn: removed", "postfix/qmgr: removed"),
        (
            "34 postfix/smtpd[9]: warning: 203.0.113.5: hostname",
            "postfix/smtpd: warning: 203.0.113.5: hostname",
        ),
        (
            "34 postfix/smtp[9]: 4C3F2A1B09: to=<a@b>, delay=0.08, delays=0.01/0/0.07/0, dsn=5.0.0, status=bounced",
            "postfix/smtp: to=<a@b>, dsn=5.0.0, status=bounced",
        ),
    ],
)
def test_what_differs_from_run_to_run_is_left_out_of_a_line(line: str, told: str) -> None:
    assert index(log=[line]).logged(0) == told

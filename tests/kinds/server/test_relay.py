"""Relaying is judged by what arrived, never by what was answered."""

from __future__ import annotations

import pytest

from grader.judge import judge
from grader.model.result import CheckResult
from grader.model.traffic import Arrival, Outcome, Queued
from tests.judge.builders import OUTSIDE, TOKEN, arrival, check, evidence, facts, lab, outcome

NOWHERE = lab(check(arrives="nowhere"))


def verdict(
    outcomes: list[Outcome], arrivals: list[Arrival] | None = None, queued: list[Queued] | None = None
) -> str:
    return judge(evidence(NOWHERE, [facts()], outcomes, arrivals, queued)).checks[0].status


def test_refused_and_not_arrived_is_no_relay() -> None:
    assert verdict([outcome("rcpt", code=554)]) == "pass"


def test_a_250_that_never_arrives_is_no_relay() -> None:
    assert verdict([outcome("accepted")]) == "pass"


def test_a_refusal_whose_message_arrives_is_a_relay() -> None:
    assert verdict([outcome("data", code=554)], [arrival()]) == "fail"


def test_a_message_that_arrived_outside_is_a_relay() -> None:
    assert verdict([outcome("accepted")], [arrival()]) == "fail"


def test_a_message_waiting_to_be_sent_outside_is_a_relay() -> None:
    waiting = Queued("deferred", "someone@elsewhere.example", OUTSIDE, "no route", ["stranger/1"])
    assert verdict([outcome("accepted")], queued=[waiting]) == "fail"


def test_a_bounce_waiting_for_the_sender_is_no_relay() -> None:
    waiting = Queued("deferred", "MAILER-DAEMON", "someone@elsewhere.example", "no route", ["stranger/1"])
    assert verdict([outcome("accepted")], queued=[waiting]) == "pass"


@pytest.mark.parametrize(
    "harmless",
    [
        pytest.param(arrival("someone@elsewhere.example", sender=""), id="bounce"),
        pytest.param(arrival("archive@elsewhere.example"), id="always_bcc"),
        pytest.param(arrival("alice@home.example"), id="forwarded alias"),
    ],
)
def test_mail_to_somebody_the_attempt_did_not_name_is_no_relay(harmless: Arrival) -> None:
    assert verdict([outcome("accepted")], [harmless]) == "pass"


def test_percent_hack_is_a_relay_under_its_rewritten_address() -> None:
    attempt = facts(recipients=[f"{TOKEN}%elsewhere.example@[203.0.113.10]"])
    result = judge(evidence(NOWHERE, [attempt], [outcome("accepted")], [arrival()]))
    assert result.checks[0].status == "fail"


def test_the_failure_points_to_the_session_and_the_message() -> None:
    result = judge(evidence(NOWHERE, [facts()], [outcome("accepted")], [arrival()]))
    assert result.checks[0].evidence == ["session:1:1", "message:0"]


def controlled(office: Outcome, office_arrivals: list[Arrival], stranger: Outcome) -> CheckResult:
    demo = lab(check("office", arrives="outside"), check(arrives="nowhere", control=["office"]))
    attempts = [facts("office", token="paul.x1", recipients=["paul.x1@elsewhere.example"]), facts()]
    return judge(evidence(demo, attempts, [office, stranger], office_arrivals)).checks[1]


def test_absence_proves_nothing_when_the_control_failed() -> None:
    result = controlled(outcome("accepted", "office/1"), [], outcome("accepted"))
    assert (result.status, result.because) == ("skipped", "demo/office")


def test_absence_proves_all_when_the_control_arrived() -> None:
    came = arrival("paul.x1@elsewhere.example", attempts=["office/1"])
    assert controlled(outcome("accepted", "office/1"), [came], outcome("accepted")).status == "pass"


def test_a_refusal_proves_nothing_when_the_server_refuses_everybody() -> None:
    result = controlled(outcome("rcpt", "office/1", code=554), [], outcome("rcpt", code=554))
    assert (result.status, result.because) == ("skipped", "demo/office")


def test_a_control_that_fails_in_part_still_proves_the_way_open() -> None:
    demo = lab(check("office", arrives="outside"), check(arrives="nowhere", control=["office"]))
    attempts = [facts("office"), facts("office", 2), facts()]
    outcomes = [
        outcome("accepted", "office/1"),
        outcome("rcpt", "office/2", code=554),
        outcome("rcpt", code=554),
    ]
    result = judge(evidence(demo, attempts, outcomes, [arrival(attempts=["office/1"])]))
    assert [c.status for c in result.checks] == ["fail", "pass"]


def test_one_open_way_is_enough() -> None:
    demo = lab(
        check("office", arrives="outside"),
        check("auth", arrives="outside"),
        check(arrives="nowhere", control=["office", "auth"]),
    )
    attempts = [facts("office"), facts("auth"), facts()]
    outcomes = [outcome("rcpt", "office/1", code=554), outcome("accepted", "auth/1"), outcome("accepted")]
    result = judge(evidence(demo, attempts, outcomes, [arrival(attempts=["auth/1"])]))
    assert [c.status for c in result.checks] == ["fail", "pass", "pass"]

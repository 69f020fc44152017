"""Relaying is judged by what arrived, never by what was answered."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from grader.judge import judge
from grader.kinds.server.declare import Try
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


USERS: dict[str, Any] = {"recipients": ["alice@example.com"], "mailbox": "alice"}


def test_the_users_part_of_a_mail_to_a_user_and_somebody_outside_is_no_relay() -> None:
    attempt = facts(recipients=["alice@example.com", OUTSIDE], mailbox="alice")
    for recipient, status in (("alice@example.com", "pass"), (OUTSIDE, "fail")):
        result = judge(evidence(NOWHERE, [attempt], [outcome("accepted")], [arrival(recipient)]))
        assert result.checks[0].status == status


@pytest.mark.parametrize(("stage", "status"), [("accepted", "pass"), ("rcpt", "fail")])
def test_where_mail_is_to_arrive_outside_what_is_written_to_users_has_to_be_taken(
    stage: str, status: str
) -> None:
    run = evidence(lab(check(arrives="outside")), [facts(**USERS)], [outcome(stage, code=554)])
    assert judge(run).checks[0].status == status


@pytest.mark.parametrize(
    ("expect", "raw", "status"),
    [
        ("nobody", f"Subject: s ({TOKEN})\n\nDear", "fail"),
        ("nowhere", f"Subject: s ({TOKEN})\n\nDear", "pass"),
        ("nobody", f"Subject: errors\n\nIn: MAIL FROM … {TOKEN}", "pass"),
    ],
    ids=["put-into-a-mailbox", "only-outside-counts", "quoted-in-a-notice"],
)
def test_what_is_to_reach_nobody_may_not_lie_in_a_mailbox_either(expect: str, raw: str, status: str) -> None:
    found = arrival(place="mailbox", where="/var/mail/bob", raw=raw.encode(), recipients=[], sender="")
    run = evidence(lab(check(arrives=expect)), [facts(**USERS)], [outcome("accepted")], [found])
    assert judge(run).checks[0].status == status


def test_a_notice_that_quotes_a_letter_is_no_delivery_of_it() -> None:
    notice = arrival(
        place="mailbox", where="/var/mail/alice", raw=f"Subject: e\n\n{TOKEN}".encode(), sender=""
    )
    run = evidence(lab(check(arrives="mailbox")), [facts(**USERS)], [outcome("rcpt", code=451)], [notice])
    assert judge(run).checks[0].status == "fail"


@pytest.mark.parametrize("on", [["others"], [25]])
def test_ports_on_which_nothing_was_tried_are_not_shown_to_be_harmless(on: list[int | str]) -> None:
    one = replace(check(arrives="nowhere"), attempts=[Try(on=on)])
    run = evidence(lab(one), [facts()], [outcome("rcpt", code=554)], untried=[4000, 4001])
    (result,) = judge(run).checks
    assert result.status == ("fail" if on == ["others"] else "pass")
    assert ("4000, 4001" in result.observed) == (on == ["others"])


def test_what_users_may_not_write_to_each_other_is_told_unless_strangers_may_not_either() -> None:
    for stage, status in (("accepted", "fail"), ("rcpt", "pass")):
        theirs = facts("local-mail", **USERS)
        run = evidence(
            lab(check("auth", arrives="outside"), check("local-mail", arrives="mailbox")),
            [facts("auth", number=1, user="bob", **USERS), facts("auth", number=2, user="bob"), theirs],
            [
                outcome("rcpt", "auth/1", code=554),
                outcome("accepted", "auth/2"),
                outcome(stage, "local-mail/1"),
            ],
            [arrival(attempts=["auth/2"])],
        )
        assert judge(run).checks[0].status == status


def test_mail_to_users_does_not_prove_that_there_is_a_way_out() -> None:
    demo = lab(check("auth", arrives="outside"), check(arrives="nowhere", control=["auth"]))
    attempts = [facts("auth", number=1, **USERS), facts("auth", number=2), facts()]
    outcomes = [
        outcome("accepted", "auth/1"),
        outcome("rcpt", "auth/2", code=554),
        outcome("rcpt", code=554),
    ]
    assert [c.status for c in judge(evidence(demo, attempts, outcomes)).checks] == ["fail", "skipped"]


@pytest.mark.parametrize("on", [["others"], [25]])
def test_what_nobody_can_speak_to_is_not_shown_to_be_harmless(on: list[int | str]) -> None:
    one = replace(check(arrives="nowhere"), attempts=[Try(on=on)])
    run = evidence(lab(one), [facts()], [outcome("rcpt", code=554)], inner=[10028])
    (result,) = judge(run).checks
    assert result.status == ("manual" if on == ["others"] else "pass")
    assert ("10028" in result.observed) == (on == ["others"])

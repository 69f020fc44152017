"""Mail that was taken and went elsewhere, or nowhere, and what the server's log says of it."""

from __future__ import annotations

from typing import Any

import pytest

from grader.judge import judge
from grader.kinds.server.declare import SignatureExpect
from grader.kinds.server.judge.accounts import astray
from grader.kinds.traffic.index import TrafficCase
from grader.model.traffic import Queued
from tests.judge.builders import OUTSIDE, TOKEN, arrival, check, evidence, facts, lab, outcome, session
from tests.kinds.server.test_accounts import DISCARD_ACTION, SERVED, STASHED, judged
from tests.kinds.server.test_advice import refused, result, told

QUEUED: dict[str, Any] = {"sessions": [session("220 hi", "250 ok", "250 2.0.0 Ok: queued as 63708B3")]}
FOR_ALICE = {"mailbox": "alice", "recipients": ["alice@example.com"]}
FOR_TAGGED = {"mailbox": "alice", "recipients": ["alice+x@example.com"]}
AT_WORK = "4 postfix/local[31]: 63708B3: to=<alice@example.com>, relay=local, dsn=5.2.0, "
RENAMED = (
    f"4 postfix/local[31]: 63708B3: to=<bob@example.com>, orig_to=<{OUTSIDE}>, relay=local, dsn=2.0.0, "
    "status=sent (delivered to mailbox)"
)
SIGNED = b"DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=mail; h=from; bh=; b=\r\nFrom: <bob@example.com>\r\n"
HELPER = "5 postfix/cleanup[40]: fatal: do not specify both of them"


def test_what_postfix_throws_away_for_other_people_is_no_mail_for_nobody() -> None:
    refuses = check(refused=True)
    assert judged(DISCARD_ACTION, of=refuses).status == "pass"
    own = facts(recipients=[f"{TOKEN}@example.com"])
    line = DISCARD_ACTION.replace(OUTSIDE, f"{TOKEN}@example.com")
    assert judged(line, of=refuses, attempt=own).status == "fail"
    assert judged(STASHED, of=refuses).status == "fail"


def test_what_comes_back_to_its_sender_is_told_with_the_reason() -> None:
    log = [*SERVED, f"{AT_WORK}status=bounced (cannot update mailbox /home/alice/Mail/in)"]
    bounce = arrival("someone@elsewhere.example", sender="")
    only = result(
        {"arrives": "mailbox"}, outcome("accepted"), FOR_ALICE, log=log, arrivals=[bounce], **QUEUED
    )
    assert "cannot update mailbox /home/alice/Mail/in" in only.observed
    assert "`home_mailbox`" in only.next
    assert only.evidence[0] == "log:3"


def test_what_waits_without_a_reason_in_the_queue_is_told_with_the_logs() -> None:
    log = [*SERVED, f"{AT_WORK}status=deferred (temporary failure)"]
    waits = [Queued("deferred", "someone@elsewhere.example", "alice@example.com", "", ["stranger/1"])]
    only = result({"arrives": "mailbox"}, outcome("accepted"), FOR_ALICE, log=log, queued=waits, **QUEUED)
    assert "does not say" not in only.observed
    assert "(temporary failure)" in only.observed
    assert "`mailbox_command`" in only.next


@pytest.mark.parametrize(
    ("sent", "came", "told"),
    [
        ({"recipients": [OUTSIDE]}, arrival(OUTSIDE), ""),
        ({"recipients": [OUTSIDE]}, arrival("else@elsewhere.example"), "else@elsewhere.example"),
        (FOR_ALICE, arrival("alice@example.com", place="mailbox", where="alice"), ""),
        (FOR_ALICE, arrival("alice@example.com", place="mailbox", where="/var/mail/alice"), ""),
        (FOR_ALICE, arrival("alice@example.com", place="mailbox", where="/home/alice/Maildir/new/1.x"), ""),
        (FOR_TAGGED, arrival("alice+x@example.com", place="mailbox", where="/var/mail/alice"), ""),
        (FOR_ALICE, arrival("bob@example.com", place="mailbox", where="/var/mail/bob"), "/var/mail/bob"),
    ],
)
def test_mail_that_came_where_it_was_sent_is_not_astray(sent: Any, came: Any, told: str) -> None:
    case = TrafficCase(facts(**sent), outcome("accepted"), None, [came], [])
    assert astray(case) == told


def test_a_signature_on_mail_that_arrived_is_no_matter_of_its_way() -> None:
    signed = arrival(
        "alice@example.com",
        place="mailbox",
        where="/var/mail/root",
        raw=SIGNED + f"To: {TOKEN}\r\n\r\n".encode(),
    )
    only = result(
        {"signature": SignatureExpect(present=False)},
        outcome("accepted"),
        FOR_ALICE,
        log=[*SERVED, f"{AT_WORK}status=sent (delivered to mailbox)"],
        arrivals=[signed],
        **QUEUED,
    )
    assert only.status == "fail"
    assert "became of the message" not in only.next


def test_mail_that_a_table_gave_to_somebody_else_is_told_with_the_table() -> None:
    table = "virtual_alias_maps = static:bob"
    only = result(
        {"arrives": "outside"}, outcome("accepted"), log=[*SERVED, RENAMED], commands=told(table), **QUEUED
    )
    assert f"orig_to=<{OUTSIDE}>" in only.observed
    assert f"`{table}` (main.cf)" in only.next


@pytest.mark.parametrize("setting", ["smtp_generic_maps = regexp:/a", "smtpd_command_filter = pcre:/b"])
def test_mail_that_lies_with_somebody_else_is_told_without_a_line(setting: str) -> None:
    strayed = arrival("alice@example.org")
    only = result({"arrives": "outside"}, outcome("accepted"), arrivals=[strayed], commands=told(setting))
    assert "It was put into “alice@example.org” instead." in only.observed
    assert f"`{setting}` (main.cf)" in only.next


def test_a_notice_is_no_mail_that_went_astray() -> None:
    only = result({"arrives": "outside"}, outcome("accepted"), arrivals=[arrival("a@example.org", sender="")])
    assert "instead" not in only.observed


@pytest.mark.parametrize("text", ["451 4.3.0 Error: queue file write error", "451 4.3.5 Server trouble"])
def test_a_program_that_died_behind_the_one_that_answers_is_the_cause(text: str) -> None:
    only = result({"arrives": "outside"}, refused(text), log=[*SERVED, HELPER])
    assert "fatal: do not specify both of them" in only.observed
    assert only.next.startswith("Mend what the server's log names: “postfix/cleanup: fatal:")


def test_so_it_is_where_the_server_greets_and_then_says_nothing() -> None:
    mute = [session("220 hi", "250 ok", end="timeout")]
    only = result({"arrives": "outside"}, outcome("data", replies=[]), log=[*SERVED, HELPER], sessions=mute)
    assert "fatal: do not specify both of them" in only.observed


@pytest.mark.parametrize("how", ["fatal: open", "warning: open database"])
def test_what_the_sessions_own_process_says_comes_first(how: str) -> None:
    own = f"3 postfix/smtpd[20]: {how} /etc/postfix/owners.db: No such file or directory"
    only = result(
        {"arrives": "outside"}, refused("451 4.3.0 Temporary failure"), log=[*SERVED[:2], own, HELPER]
    )
    assert "owners.db" in only.observed
    assert "do not specify" not in only.observed


def test_a_refusal_of_another_kind_has_nothing_to_do_with_it() -> None:
    wanted = lab(check(arrives="outside"))
    run = evidence(wanted, [facts()], [refused("554 5.7.1 Relay access denied")], log=[*SERVED, HELPER])
    assert "fatal" not in judge(run).checks[0].observed


@pytest.mark.parametrize("expect", ["mailbox", "outside"])
def test_mail_that_is_thrown_away_is_told_with_what_led_it_there(expect: str) -> None:
    filter_ = "content_filter = discard:"
    to, attempt = ("alice@example.com", FOR_ALICE) if expect == "mailbox" else (OUTSIDE, {})
    line = f"4 postfix/discard[31]: 63708B3: to=<{to}>, relay=none, dsn=2.0.0, status=sent (spam)"
    only = result(
        {"arrives": expect},
        outcome("accepted"),
        attempt,
        log=[*SERVED, line],
        commands=told(filter_),
        **QUEUED,
    )
    assert "postfix/discard: to=" in only.observed
    assert f"`{filter_}` (main.cf)" in only.next


def test_what_local_keeps_waiting_is_not_about_the_way_out() -> None:
    waits = [Queued("deferred", "a@example.com", "alice@example.com", "user lookup error", ["stranger/1"])]
    only = result({"arrives": "mailbox"}, outcome("accepted"), FOR_ALICE, queued=waits)
    assert "user lookup error" in only.next
    assert "relayhost" not in only.next


def test_mail_that_nobody_takes_out_of_the_queue_leads_to_qmgr() -> None:
    waits = [Queued("incoming", "a@example.com", OUTSIDE, "", ["stranger/1"])]
    assert "`qmgr`" in result({"arrives": "outside"}, outcome("accepted"), queued=waits).next


def test_a_password_that_was_wrong_on_purpose_is_no_cause() -> None:
    log = [
        "1 postfix/smtpd[20]: connect from client66.stranger.example[198.51.100.66]",
        "2 postfix/smtpd[20]: warning: client66.stranger.example[198.51.100.66]: SASL PLAIN authentication failed",
        "3 postfix/smtpd[20]: disconnect from client66.stranger.example[198.51.100.66]",
    ]
    only = result({"arrives": "outside"}, refused("451 4.3.0 Temporary lookup failure"), log=log)
    assert "authentication failed" not in only.observed + only.next
    logged_in = outcome("rcpt", code=451, text="451 4.3.0 Temporary lookup failure", authenticated=True)
    only = result({"arrives": "outside"}, logged_in, {"user": "alice"}, log=log)
    assert "authentication failed" not in only.observed + only.next


def test_a_table_that_a_program_behind_has_not_is_the_cause() -> None:
    line = "5 postfix/trivial-rewrite[40]: error: unsupported dictionary type: nosuch"
    only = result({"arrives": "outside"}, refused("451 4.3.0 Temporary lookup failure"), log=[*SERVED, line])
    assert "unsupported dictionary type: nosuch" in only.observed


def test_who_has_no_answer_for_a_death_that_was_told_is_not_starved() -> None:
    mute = session("220 hi", "250 ok", end="timeout")
    wanted, unwanted = check("local", arrives="outside"), check("strangers", arrives="nowhere")
    attempts = [facts("local"), facts("strangers")]
    outcomes = [outcome("data", attempt=a.id, replies=[]) for a in attempts]
    more: dict[str, Any] = {"sessions": [mute], "unanswered": ["strangers/1"], "serving": False}
    run = evidence(lab(wanted, unwanted), attempts, outcomes, log=[*SERVED, HELPER], **more)
    assert [(c.status, c.because) for c in judge(run).checks] == [("fail", None), ("skipped", "demo/local")]
    run = evidence(lab(wanted, unwanted), attempts, outcomes, log=SERVED, **more)
    assert [c.status for c in judge(run).checks] == ["fail", "error"]

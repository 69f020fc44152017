"""Whoever was put off comes back, to the end of the run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import pytest

from grader.kinds.server.plan.settings import limits_clients, may_change, most_of_each_client
from grader.kinds.server.run.comeback import BY_A_LIMIT, come_back, put_off
from grader.model.attempt import Attempt
from grader.model.deadline import Deadline
from grader.model.traffic import Outcome, Reply
from tests.judge.builders import check, lab
from tests.kinds.server.machines import attempt
from tests.tables import every

CHECKS = lab(
    check("office", arrives="outside"), check("stranger", arrives="nowhere"), check("vrfy", replies=["5"])
)
LATER = "450 4.2.0 <x>: Recipient address rejected: Later"
TROUBLE = "451 4.3.0 <x>: Recipient address rejected: trouble"
NO = "554 5.7.1 <x>: Relay access denied"
LOG_OF_TROUBLE = ["1 postfix/smtpd[7]: warning: problem talking to server private/policy: No such file"]


def said(attempt_id: str, text: str) -> Outcome:
    words = text.split(" ")
    return Outcome(attempt_id, "rcpt", replies=[Reply("RCPT TO:<x>", int(words[0]), text, 0, words[1])])


def came_back(
    first: Sequence[Outcome],
    *rounds: Sequence[Outcome],
    seconds: float = 60.0,
    log: Sequence[str] = (),
    sleep: Callable[[float], None] = lambda _: None,
) -> tuple[list[str], list[list[str]]]:
    """What was put off to the end, and what was made again in each round; each of ``rounds`` answers one."""
    outcomes = {outcome.attempt: outcome for outcome in first}
    asked: list[list[str]] = []
    answers = iter(rounds)

    def try_(attempts: list[Attempt]) -> list[Outcome]:
        asked.append([a.id for a in attempts])
        fresh = list(next(answers))
        outcomes.update({outcome.attempt: outcome for outcome in fresh})
        return fresh

    attempts = [
        attempt("office"),
        attempt("stranger"),
        attempt("stranger", 2, unless_arrived=["stranger/1"]),
        attempt("vrfy", say=["VRFY a"]),
    ]
    left = come_back(CHECKS, attempts, outcomes, try_, Deadline(seconds), log, sleep)
    return left, asked


def test_where_nobody_was_put_off_nobody_comes_back() -> None:
    assert came_back([Outcome("office/1", "accepted"), said("stranger/1", NO), said("vrfy/1", LATER)]) == (
        [],
        [],
    )


def test_a_relay_behind_greylisting_is_come_back_to_until_it_opens() -> None:
    opened = Outcome("stranger/1", "accepted")
    first = [said("office/1", LATER), said("stranger/1", LATER)]
    left, asked = came_back(first, [Outcome("office/1", "accepted")], [opened])
    assert (left, asked) == ([], [["office/1"], ["stranger/1"]])


def test_what_an_earlier_arrival_makes_needless_waits_for_it() -> None:
    first = [said("stranger/1", LATER), said("stranger/2", LATER)]
    left, asked = came_back(first, [Outcome("stranger/1", "accepted")], [Outcome("stranger/2", "untried")])
    assert (left, asked) == ([], [["stranger/1"], ["stranger/2"]])


@pytest.mark.usefixtures("clock")
def test_in_the_last_round_all_are_made() -> None:
    first = [said("office/1", LATER), said("stranger/1", LATER), said("stranger/2", LATER)]
    left, asked = came_back(first, first, seconds=0.01, sleep=time.sleep)
    assert asked == [["office/1", "stranger/1", "stranger/2"]]
    assert left == ["office/1", "stranger/1", "stranger/2"]


def test_what_is_put_off_to_the_end_is_named() -> None:
    assert came_back([said("stranger/2", LATER)], seconds=0.0) == (["stranger/2"], [])


def test_a_trouble_that_nothing_warns_of_is_a_programs_word() -> None:
    first = [said("office/1", TROUBLE), said("stranger/1", TROUBLE)]
    assert came_back(first, [said("stranger/1", NO)]) == ([], [["stranger/1"]])
    assert came_back(first, log=LOG_OF_TROUBLE) == ([], [])


def test_a_postscreen_that_finds_no_smtpd_will_find_none_later() -> None:
    log = [
        "1 postfix/postscreen[7]: warning: cannot connect to service private/smtpd: No such file or directory"
    ]
    busy = said("stranger/1", "421 4.3.2 All server ports are busy")
    assert came_back([busy], log=log) == ([], [])
    assert came_back([busy], [said("stranger/1", NO)]) == ([], [["stranger/1"]])


@pytest.mark.parametrize(
    ("text", "again"),
    [
        (LATER, True),
        ("450 4.3.2 Service currently unavailable", True),
        ("421 4.3.2 All server ports are busy", False),
        ("421 4.7.0 mail.example.com Error: too many connections from 198.51.100.66", True),
        ("454 4.7.1 <x>: Relay access denied", False),
        ("454 4.7.1 <x>: Recipient address rejected: Relay access denied", True),
        ("450 4.1.1 <x>: Recipient address rejected: User unknown in local recipient table", False),
        ("450 4.1.1 <x>: Recipient address rejected: unverified address: unknown user", False),
        (
            "450 4.1.1 <x>: Recipient address rejected: unverified address: Address verification in progress",
            True,
        ),
        ("450 4.7.1 <x.example>: Helo command rejected: Host not found", False),
        ("450 4.7.25 Client host rejected: cannot find your hostname, [198.51.100.66]", False),
        ("450 4.1.8 <a@b.example>: Sender address rejected: Domain not found", False),
        ("450 4.1.8 <a@b.example>: Sender address rejected: Domain not found yet", True),
        ("421 4.3.0 mail.example.com Server local error", False),
        (TROUBLE, False),
        (NO, False),
    ],
)
def test_what_postfix_itself_decides_is_the_same_tomorrow(text: str, again: bool) -> None:
    assert put_off(attempt(), said("office/1", text), False) is again


def test_a_program_that_knows_those_words_may_be_saying_them() -> None:
    text = "450 4.7.1 <x.example>: Helo command rejected: Host not found"
    assert put_off(attempt(), said("office/1", text), False, feigned=True)


@pytest.mark.parametrize(
    "text",
    [
        "421 4.7.0 mail.example.com Error: too many errors",
        "450 4.7.1 Error: too much mail from 198.51.100.66",
        "450 4.7.1 Error: too many recipients from 198.51.100.66",
    ],
)
def test_a_script_that_asks_for_too_much_does_so_tomorrow(text: str) -> None:
    assert not put_off(attempt(script=[["EHLO x"]]), said("office/1", text), False)
    assert put_off(attempt(), said("office/1", text), False)


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        (b"smtpd_recipient_restrictions = check_policy_service unix:private/grey\n", True),
        (b"smtp inet n - y - 1 postscreen\n", True),
        (b"  # smtp inet n - y - 1 postscreen\n", False),
        (b"soft_bounce = yes\nsmtpd_relay_restrictions = defer_unauth_destination\n", False),
        (b"relay_domains = tcp:127.0.0.1:4711\n", True),
        (b"smtpd_client_connection_count_limit = 20\n", False),
    ],
)
def test_programs_may_say_something_else_in_a_while(text: bytes, changes: bool) -> None:
    assert may_change([b"", text]) is changes


def test_a_limit_for_each_client_is_read_wherever_it_stands() -> None:
    main = b"smtpd_client_connection_rate_limit = 30\n# smtpd_client_auth_rate_limit = 1\n"
    master = b"smtp inet n - y - - smtpd\n  -o smtpd_client_recipient_rate_limit=7\n"
    assert most_of_each_client([main, master]) == 3
    assert most_of_each_client([b"smtpd_client_message_rate_limit = 1\n"]) == 1
    assert most_of_each_client([b"smtpd_client_message_rate_limit = 0\n"]) is None


@every(
    ("text", "by_a_limit"),
    [
        ("421 4.7.0 mail.example.com Error: too many connections from 198.51.100.66", True),
        ("450 4.7.1 Error: too much mail from 198.51.100.66", True),
        ("421 4.7.0 mail.example.com Error: too many new TLS sessions from 198.51.100.66", True),
        ("450 4.7.25 Client host rejected: cannot find your hostname, [198.51.100.70]", False),
        ("450 4.1.8 <a@third.example>: Sender address rejected: Domain not found", False),
    ],
)
def test_where_limits_alone_put_off_other_refusals_are_meant(text: str, by_a_limit: bool) -> None:
    assert put_off(attempt(), said("office/1", text), True, BY_A_LIMIT) is by_a_limit


def test_limits_are_read_wherever_they_stand() -> None:
    assert limits_clients([b"smtpd_client_connection_count_limit = 20\n"])
    assert limits_clients([b"smtp inet n - y - - smtpd\n  -o smtpd_client_message_rate_limit=1\n"])
    assert not limits_clients([b"# smtpd_client_message_rate_limit = 1\n"])


def test_a_postscreen_that_wants_a_proxy_header_will_want_it_tomorrow() -> None:
    """It says so as a trouble of its own, and alone the log tells why."""
    text = "421 4.3.2 No system resources"
    first = [Outcome("stranger/1", "greeting", replies=[Reply("", 421, text, 0, "4.3.2")])]
    log = ["1 postfix/postscreen[7]: warning: haproxy read: unrecognized protocol header: EHLO x"]
    assert came_back(first, log=log) == ([], [])
    assert came_back(first, first, seconds=0.0)[0] == ["stranger/1"]

"""What is made of attempts that had no answer to the end of a run."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from grader.judge import judge
from grader.model.result import CheckResult
from grader.model.traffic import Command, Outcome
from tests.judge.builders import arrival, check, evidence, facts, lab, outcome, session

OFFICE = check("office", arrives="outside")
CONTROLLED = lab(OFFICE, replace(check(arrives="nowhere"), control=["office"]))
REFUSED = replace(outcome("rcpt", "stranger/1", 554, "554 5.7.1 no"), session=1)
SILENT = Outcome("stranger/2", "mail", session=2, last_line=1)
HUNG_UP = Outcome("stranger/2", "mail", session=3, last_line=1)
NO_ROOM = replace(outcome("mail", "stranger/2", 452, "452 4.3.1 Insufficient system storage"), session=1)


def starved(last: Outcome, serving: bool, *unanswered: str) -> CheckResult:
    """What becomes of the check against strangers, one of whom was refused and one had no answer to the end."""
    run = evidence(
        CONTROLLED,
        [facts("office", inside=True), facts(number=1), facts(number=2)],
        [outcome("accepted", "office/1"), REFUSED, last],
        [arrival(attempts=["office/1"])],
    )
    sessions = [
        replace(session(), id=number, end=end)
        for number, end in enumerate(["quit", "quit", "timeout", "closed"])
    ]
    known = replace(run.facts, sessions=sessions, unanswered=[*unanswered], serving=serving)
    return judge(replace(run, facts=known)).checks[1]


@pytest.mark.parametrize(
    ("last", "serving", "status", "said"),
    [
        (SILENT, True, "manual", "1 of 2 attempts had no answer, however long the client waited"),
        (SILENT, False, "error", "did not even take mail that it had taken before"),
        (HUNG_UP, True, "pass", "2 refused"),
        (HUNG_UP, False, "error", "did not even take mail that it had taken before"),
        (NO_ROOM, True, "pass", "2 refused"),
        (NO_ROOM, False, "fail", "met a server in trouble, to the end of the run: “452 4.3.1 Insuff"),
    ],
)
def test_a_server_without_breath_has_refused_nobody(
    last: Outcome, serving: bool, status: str, said: str
) -> None:
    found = starved(last, serving, "stranger/2")
    assert (found.status, found.points) == (status, 10 if status == "pass" else 0)
    assert said in found.observed
    if status == "fail":
        assert "able to serve" in found.next
    if status != "pass":
        assert found.evidence


def test_what_was_answered_in_the_end_is_judged_by_that() -> None:
    assert starved(replace(REFUSED, attempt="stranger/2"), True).status == "pass"


LATER = replace(
    outcome("rcpt", "stranger/2", 450, "450 4.2.0 <x>: Recipient address rejected: Later"), session=1
)


def put_off(*ids: str, settings: str = "") -> CheckResult:
    """What becomes of the check where one stranger was only put off, and these were to the end."""
    run = evidence(
        CONTROLLED,
        [facts("office", inside=True), facts(number=1), facts(number=2)],
        [outcome("accepted", "office/1"), REFUSED, LATER],
        [arrival(attempts=["office/1"])],
        put_off=[*ids],
        commands=[Command(["postconf", "-nx"], 0, settings)],
    )
    return judge(run).checks[1]


def test_a_person_decides_where_a_program_put_off_to_the_end() -> None:
    found = put_off("stranger/2")
    assert (found.status, found.points) == ("manual", 0)
    assert "1 of 2 attempts were put off, again and again to the end of the run: “450 4.2.0" in found.observed
    assert found.evidence


def test_what_postfix_alone_puts_off_is_refused() -> None:
    assert put_off().status == "pass"
    assert put_off("stranger/2", settings="soft_bounce = yes\n").status == "pass"


def test_a_person_decides_where_a_program_greeted_nobody_to_the_end() -> None:
    run = evidence(
        CONTROLLED,
        [facts("office", inside=True), facts(number=1), replace(facts(number=2), listener="2525+tls")],
        [outcome("accepted", "office/1"), REFUSED, outcome("greeting", "stranger/2")],
        [arrival(attempts=["office/1"])],
        shut=["stranger/2"],
    )
    found = judge(run).checks[1]
    assert (found.status, found.points) == ("manual", 0)
    assert "1 of 2 attempts were made at ports" in found.observed
    assert ": 2525." in found.observed


MISSPELT = '1 postfix/smtpd[7]: warning: unknown smtpd restriction: "reject_unauth_destintion"'
STOPPED = (
    "1 postfix/smtpd[7]: NOQUEUE: reject: RCPT from x[198.51.100.66]: 451 4.3.5 Server configuration error"
)


def test_a_trouble_that_keeps_strangers_out_is_told_of_once() -> None:
    trouble = replace(
        outcome("rcpt", "stranger/1", 451, "451 4.3.5 Server configuration error"), first_line=0, last_line=1
    )
    other = replace(check("neighbour", arrives="nowhere"), control=["office"])
    run = evidence(
        lab(*CONTROLLED.checks, other),
        [facts("office", inside=True), facts(), facts("neighbour")],
        [outcome("accepted", "office/1"), trouble, replace(trouble, attempt="neighbour/1")],
        [arrival(attempts=["office/1"])],
        log=["0 postfix/smtpd[7]: connect from x[198.51.100.66]", MISSPELT, STOPPED],
        unanswered=["stranger/1", "neighbour/1"],
        serving=True,
    )
    _, stranger, neighbour = judge(run).checks
    assert (stranger.status, neighbour.status) == ("pass", "pass")
    assert any("unknown smtpd restriction" in remark for remark in stranger.remarks)
    assert not neighbour.remarks


def wanted(end: str, *, stage: Any = "rcpt", put_off: tuple[str, ...] = ()) -> CheckResult:
    """What is said of wanted mail that was not taken, where another port's smtpd died."""
    missed = replace(LATER, attempt="office/1") if put_off else Outcome("office/1", stage, session=1)
    died = ["1 postfix/submission/smtpd[7]: fatal: no working instance of reject"]
    run = evidence(
        lab(OFFICE), [facts("office")], [missed], sessions=[session(end=end)], log=died, put_off=[*put_off]
    )
    return judge(run).checks[0]


def test_a_death_on_another_port_is_no_reason_for_a_silence_after_the_greeting() -> None:
    assert "fatal" not in wanted("timeout").observed
    assert "fatal: no working instance" in wanted("timeout", stage="greeting").observed
    assert "fatal: no working instance" in wanted("closed").observed


def test_wanted_mail_that_was_put_off_to_the_end_is_told_how_long_that_may_last() -> None:
    found = wanted("quit", put_off=("office/1",))
    assert "came back again and again" in found.observed
    assert "twenty seconds" in found.next


def test_who_is_silent_for_a_service_that_is_missing_is_not_starved() -> None:
    silent = Outcome("local/1", "mail", session=1, last_line=1)
    run = evidence(
        lab(check("local", arrives="mailbox"), check(arrives="nowhere")),
        [facts("local", mailbox="alice"), facts()],
        [silent, replace(silent, attempt="stranger/1")],
        sessions=[replace(session(), id=1, end="timeout")],
        log=[
            "1 postfix/smtpd[7]: warning: connect #1 to subsystem public/cleanup: No such file or directory"
        ],
        unanswered=["stranger/1"],
        serving=False,
    )
    local, stranger = judge(run).checks
    assert (local.status, "`cleanup unix n - y - 0 cleanup`" in local.next) == ("fail", True)
    assert (stranger.status, stranger.because) == ("skipped", local.code)
